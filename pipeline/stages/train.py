"""Train: the order is given once, what it is for is looked at first, and a training is watched until it is over.

A training costs a lot when it succeeds, so a request whose answer was lost is never sent again blindly: the provider's listing
is searched for the mark that stands in the order's description.
"""

import time
from collections.abc import Iterator

from pipeline.errors import Declined, InDoubt, ProviderError, Refused
from pipeline.http import Patience
from pipeline.inventory import Inventory
from pipeline.ledger import Entry, Ledger, mark
from pipeline.remote import Onlooker, Order, Trainer, Training, TrainingFacts
from pipeline.words import count, printable

NONE_SUCH = 404


def fit(inventory: Inventory, approved: set[tuple[str, int]], dataset: str) -> None:
    """Raise Refused unless a dataset holds all of a manifest once, and beside it nothing that no manifest approved."""
    reasons = [f"{name} is missing; upload again" for name in inventory.missing]
    reasons += [f"{name} lies there twice; upload again" for name in inventory.doubles]
    unknown = [*inventory.damaged, *(f for f in inventory.foreign if (f.name, f.bytes) not in approved)]
    reasons += [
        f"{printable(f.name)} was approved by no manifest of this ledger; take it out with "
        f"`voxgate datasets remove {dataset} {f.id} --yes`"
        for f in unknown
    ]
    if reasons:
        listed = "\n".join(f"  - {reason}" for reason in reasons)
        raise Refused(f"{dataset} is not what was approved, for {count(len(reasons), 'reason')}:\n{listed}")


def begun(provider: Trainer, ledger: Ledger, dataset: str) -> Iterator[Training]:
    """The trainings of a dataset that this ledger began and that are still there, oldest first.

    Those whose answer was lost are found by their mark.
    """
    entries = ledger.entries("ordering", dataset=dataset)
    if not entries:
        return
    listed = list(provider.trainings())
    ids = {str(entry.facts["id"]) for entry in ledger.entries("training", dataset=dataset)}
    for entry in entries:
        word = str(entry.facts["mark"])
        found = next((t for t in listed if word in t.order.description), None)
        if found is not None:
            if found.id not in ids:
                ledger.write("training", dataset=dataset, id=found.id, mark=word)
            yield found


def order(provider: Trainer, ledger: Ledger, wanted: Order, patience: Patience) -> Training:
    """Give an order once. Raises InDoubt where nobody can say whether it was taken: looking again later tells."""
    word = mark()
    marked = Order(wanted.name, f"{wanted.description} [{word}]".strip(), wanted.language, wanted.model, wanted.dataset)
    ledger.write(
        "ordering", dataset=wanted.dataset, mark=word, name=wanted.name, language=wanted.language, model=wanted.model
    )
    doubt: ProviderError | None = None
    try:
        made = provider.train(marked)
    except Declined:
        ledger.write("ended", dataset=wanted.dataset, mark=word, status="declined")
        raise
    except ProviderError as error:
        doubt = error
        found = _shown(provider, word, patience)
        if found is None:
            raise InDoubt(
                f"{doubt}; whether the training was taken is not known: run again, it looks before it asks", None
            ) from doubt
        made = found
    ledger.write("training", dataset=wanted.dataset, id=made.id, mark=word)
    return made


def _shown(provider: Trainer, word: str, patience: Patience) -> Training | None:
    for _ in patience.settling():
        found = next((t for t in provider.trainings() if word in t.order.description), None)
        if found is not None:
            return found
    return None


def unsettled(ledger: Ledger, dataset: str, patience: Patience) -> Entry | None:
    """An order so lately given that it may still show up, though no answer came; `None` where there is none."""
    answered = {entry.facts.get("mark") for entry in ledger.entries("training", "ended", dataset=dataset)}
    last = ledger.last("ordering", dataset=dataset)
    if last is None or last.facts.get("mark") in answered or last.age_s >= patience.settle_s:
        return None
    return last


def watch(
    provider: Trainer, training: Training, facts: TrainingFacts, patience: Patience, onlooker: Onlooker
) -> Training:
    """Look at a training every `poll_s` seconds until it is over; a word that nobody knows is no end.

    Raises Declined where it is gone, ProviderError where the provider cannot be reached for a quarter of an hour.
    """
    seen, reached = None, time.monotonic()
    while training.status not in (facts.done, facts.failed):
        if training.status != seen:
            onlooker.say(f"{training.id}: {printable(training.status)}")
            seen = training.status
        time.sleep(facts.poll_s)
        try:
            found = provider.training(training.id)
        except Declined:
            raise
        except ProviderError as error:
            if time.monotonic() - reached > patience.longest_s:
                raise
            onlooker.say(f"{error}; looking again in {facts.poll_s:g} s")
            continue
        if found is None:
            raise Declined(f"the training {training.id} is gone; somebody has deleted it", NONE_SUCH)
        training, reached = found, time.monotonic()
    return training
