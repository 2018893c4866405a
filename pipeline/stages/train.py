"""Train: the order is given once, what it is for is looked at first, and a training is watched until it is over.

A training costs a lot when it succeeds, so a request whose answer was lost is never sent again blindly: the provider's listing
is searched for the mark that stands in the order's description.
"""

import time
from dataclasses import dataclass

from pipeline.errors import Declined, InDoubt, ProviderError, Refused
from pipeline.inventory import Inventory, content
from pipeline.ledger import Entry, Ledger, mark
from pipeline.patience import Patience
from pipeline.remote import Dataset, Onlooker, Order, Trainer, Training, TrainingFacts
from pipeline.words import count, printable

NONE_SUCH = 404
PATIENT_TIMES = 8
LOOKS = 3
"""So often a listing is asked for an order whose answer was lost, before it counts as never taken."""


def fit(inventory: Inventory, approved: set[tuple[str, int]], dataset: Dataset, provider: Trainer) -> None:
    """Raise Refused unless a dataset holds all of a manifest once, and beside it nothing that no manifest approved."""
    remove = f"voxgate datasets remove {dataset.id} %s --to {provider.facts.name} --yes"
    reasons = [f"{name} is missing; upload again" for name in inventory.missing]
    reasons += [f"{name} lies there twice; upload again" for name in inventory.doubles]
    unknown = [f for f in inventory.foreign if (content(f.name), f.bytes) not in approved]
    reasons += [
        f"{printable(f.name)} was approved by no manifest of this ledger; take it out with `{remove % f.id}`"
        for f in (*inventory.damaged, *unknown)
    ]
    if reasons:
        listed = "\n".join(f"  - {reason}" for reason in reasons)
        raise Refused(f"{dataset.id} is not what was approved, for {count(len(reasons), 'reason')}:\n{listed}")


@dataclass(frozen=True, slots=True)
class Earlier:
    """The trainings of a dataset, in the order in which they were given.

    `found` are those whose answer had been lost, and of which nobody was told yet.
    """

    trainings: tuple[Training, ...] = ()
    found: tuple[Training, ...] = ()


def earlier(provider: Trainer, ledger: Ledger, dataset: str) -> Earlier:
    """What is trained on a dataset already, whoever ordered it: by the ledger's ids, by its marks, and by the listing.

    A listing that lacks what is known is not believed: an id is asked for by itself, a mark is looked for several times.
    """
    known = [str(entry.facts["id"]) for entry in ledger.entries("training", dataset=dataset)]
    lost = [str(entry.facts["mark"]) for entry in _unanswered(ledger, dataset)]
    listed = {
        t.id: t
        for _ in range(LOOKS if lost else 1)
        for t in provider.trainings()
        if t.order.dataset == dataset or any(word in t.order.description for word in lost)
    }
    for id_ in known:
        if id_ not in listed and (found := provider.training(id_)) is not None:
            listed[id_] = found
    for word in lost:
        for training in listed.values():
            if word in training.order.description:
                ledger.write("training", dataset=dataset, id=training.id, mark=word, found=True)
    told = {str(e.facts["id"]) for e in ledger.entries("told", dataset=dataset)}
    adopted = [
        listed[str(e.facts["id"])]
        for e in ledger.entries("training", dataset=dataset, found=True)
        if e.facts["id"] in listed and e.facts["id"] not in told
    ]
    order = {id_: place for place, id_ in enumerate(dict.fromkeys([*known, *(t.id for t in adopted)]))}
    ordered = sorted(listed.values(), key=lambda t: order.get(t.id, -1))
    return Earlier(tuple(ordered), tuple(adopted))


def order(provider: Trainer, ledger: Ledger, wanted: Order, patience: Patience) -> Training:
    """Give an order once. Raises InDoubt where nobody can say whether it was taken: looking again later tells."""
    word = mark()
    marked = Order(wanted.name, f"{wanted.description} [{word}]".strip(), wanted.language, wanted.model, wanted.dataset)
    ledger.write(
        "ordering", dataset=wanted.dataset, mark=word, name=wanted.name, language=wanted.language, model=wanted.model
    )
    try:
        made = provider.train(marked)
    except Declined:
        ledger.write("ended", dataset=wanted.dataset, mark=word, status="declined")
        raise
    except ProviderError as error:
        found = _shown(provider, word, patience)
        if found is None:
            told = f"{error}; whether the training was taken is not known: run again, it looks before it asks"
            raise InDoubt(told, None) from error
        made = found
    ledger.write("training", dataset=wanted.dataset, id=made.id, mark=word)
    return made


def _shown(provider: Trainer, word: str, patience: Patience) -> Training | None:
    for _ in patience.settling():
        found = next((t for t in provider.trainings() if word in t.order.description), None)
        if found is not None:
            return found
    return None


def unsettled(ledger: Ledger, dataset: str, patience: Patience) -> bool:
    """Whether an order was so lately given that it may still show up, though no answer came."""
    return any(entry.age_s < patience.settle_s for entry in _unanswered(ledger, dataset))


def _unanswered(ledger: Ledger, dataset: str) -> list[Entry]:
    """The orders of which nobody knows what became."""
    answered = {entry.facts.get("mark") for entry in ledger.entries("training", "ended", dataset=dataset)}
    return [entry for entry in ledger.entries("ordering", dataset=dataset) if entry.facts["mark"] not in answered]


def watch(
    provider: Trainer, training: Training, facts: TrainingFacts, patience: Patience, onlooker: Onlooker
) -> Training:
    """Look at a training every `poll_s` seconds until it is over; a word that nobody knows is no end.

    Raises Declined where it is gone, ProviderError where the provider cannot be reached for a quarter of an hour, or where it is
    not over in eight times the time that it should take.
    """
    began = reached = time.monotonic()
    seen = None
    while training.status not in (facts.done, facts.failed):
        if training.status != seen:
            onlooker.say(f"{training.id}: {printable(training.status)}")
            seen = training.status
        if time.monotonic() - began > PATIENT_TIMES * facts.hours * 3600:
            told = f"{training.id} is still {printable(training.status)} after {PATIENT_TIMES * facts.hours:g} hours"
            raise ProviderError(f"{told}; look at it in the provider's own pages, or run again to go on watching")
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
