"""Datasets: the one that a ledger began is found again, never made twice, and never another's of the same name."""

from pipeline.errors import Declined, InDoubt, ProviderError, Refused, UsageError
from pipeline.ledger import Ledger, mark
from pipeline.patience import Patience
from pipeline.remote import Dataset, Onlooker, Provider
from pipeline.words import printable


def existing(provider: Provider, id_: str) -> Dataset:
    """The dataset of that id. Raises UsageError where there is none."""
    found = provider.dataset(id_)
    if found is None:
        raise UsageError(
            f"there is no dataset {printable(id_)} at {provider.where}; `voxgate datasets list` shows them"
        )
    return found


def begun(provider: Provider, ledger: Ledger, name: str) -> Dataset | None:
    """The dataset of that name that this ledger began, if it is still there.

    Where the answer to its creation was lost it is known by the mark in its description.
    """
    known = ledger.last("dataset", name=name)
    if known is not None and (found := provider.dataset(str(known.facts["id"]))) is not None:
        return found
    marks = _marks(ledger, name)
    found = next((d for d in provider.datasets_named(name) if _marked(d, marks)), None) if marks else None
    if found is not None:
        ledger.write("dataset", name=name, id=found.id)
    return found


def made(provider: Provider, ledger: Ledger, name: str, description: str, patience: Patience) -> Dataset:
    """The dataset of that name: the one that this ledger began, or a new one.

    Raises Refused where one of that name exists that this ledger did not begin, ProviderError where none can be made.
    """
    doubt: ProviderError | None = None
    for attempt in range(patience.tries):
        for _ in patience.settling():
            found = begun(provider, ledger, name)
            if found is not None:
                return found
            if not _marks(ledger, name):
                break
        _refuse_anothers(provider, ledger, name)
        if attempt:
            patience.pause(attempt - 1, doubt.retry_after_s if isinstance(doubt, InDoubt) else None)
        word = mark()
        ledger.write("creating", name=name, mark=word)
        try:
            new = provider.create_dataset(name, f"{description} [{word}]")
        except Declined:
            raise
        except ProviderError as error:  # it may have been made all the same
            doubt = error
            continue
        ledger.write("dataset", name=name, id=new.id)
        return new
    raise ProviderError(f"the dataset {printable(name)} could not be made: {doubt}; run again later") from doubt


def tell_of_empty(provider: Provider, ledger: Ledger, kept: Dataset, onlooker: Onlooker) -> None:
    """Tell of datasets that came of answers that were lost, and were not used."""
    marks = _marks(ledger, kept.name)
    if len(marks) < 2:
        return
    for other in provider.datasets_named(kept.name):
        if other.id != kept.id and _marked(other, marks):
            onlooker.say(
                f"{other.id} was made by a request whose answer was lost, and is not used; delete it if you like"
            )


def _marks(ledger: Ledger, name: str) -> list[str]:
    return [str(entry.facts["mark"]) for entry in ledger.entries("creating", name=name)]


def _marked(dataset: Dataset, marks: list[str]) -> bool:
    return any(word in dataset.description for word in marks)


def _refuse_anothers(provider: Provider, ledger: Ledger, name: str) -> None:
    marks = _marks(ledger, name)
    other = next((dataset for dataset in provider.datasets_named(name) if not _marked(dataset, marks)), None)
    if other is not None:
        raise Refused(
            f"there is a dataset {printable(name)} already ({other.id}), which was not begun from here; add to it with "
            f"--dataset {other.id}, or take another --name"
        )
