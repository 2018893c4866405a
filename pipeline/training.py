"""From a dataset to its voices: what a training would cost and of what, the order, how it goes, and what it made."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

from pipeline import providers
from pipeline.delivery import Means, Parcel, approved, ground, known_dataset, names
from pipeline.errors import Refused, UsageError
from pipeline.inventory import Inventory
from pipeline.ledger import Ledger
from pipeline.records import Absence, Relaxed
from pipeline.remote import Dataset, Order, TrainedVoice, Trainer, Training, TrainingFacts
from pipeline.stages import train
from pipeline.storage import codec


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be ordered, and what there is of it already.

    `earlier` are the trainings of this dataset that this ledger began, oldest first; `others` the files in the dataset that
    earlier manifests approved.
    """

    order: Order
    dataset: Dataset
    facts: TrainingFacts
    files: int
    decoded_s: float
    others: tuple[str, ...]
    earlier: tuple[Training, ...]
    not_examined: tuple[Absence, ...] = ()
    relaxed: tuple[Relaxed, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A training as it stands, with the voices that it made if it is done."""

    training: Training
    facts: TrainingFacts
    voices: tuple[TrainedVoice, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it is over without voices."""
        return self.training.status == self.facts.failed

    @property
    def done(self) -> bool:
        """Whether it is over with voices."""
        return self.training.status == self.facts.done


class Studio:
    """What is trained from one run's dataset at one provider. A context manager.

    Raises UsageError where that provider trains nothing.
    """

    def __init__(self, parcel: Parcel, means: Means) -> None:
        self._parcel, self._means = parcel, means
        facts = providers.facts(parcel.to)
        if facts.training is None:
            raise UsageError(f"--to {parcel.to}: nothing is trained there")
        self._facts = facts.training
        provider = providers.provider(parcel.to, means.environ, means.patience)
        self._provider = cast("Trainer", provider)  # its facts say that it trains
        self._ledger = Ledger(parcel.out, parcel.to, provider.where)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
        self._provider.close()

    def plan(self, name: str, language: str | None, model: str | None) -> Plan:
        """What would be ordered. Raises Refused where manifest or dataset are not in order, UsageError without a language."""
        paper = approved(self._parcel.manifest)
        wanted = names(paper, ground(self._parcel.out), self._provider.facts)
        spoken = language or paper["language"]
        if spoken is None:
            raise UsageError("say which language is spoken: --language en")
        dataset = known_dataset(self._parcel, self._provider, self._ledger)
        inventory = Inventory.of(self._provider.files(dataset.id), wanted)
        train.fit(inventory, self._ledger.approved(), dataset.id)
        length_s = sum(clip["decoded_s"] for clip in {clip["sha256"]: clip for clip in paper["clips"]}.values())
        return Plan(
            order=Order(name, f"manifest {paper['sha256'][:12]}", spoken, model or self._facts.model, dataset.id),
            dataset=dataset,
            facts=self._facts,
            files=len(wanted),
            decoded_s=length_s,
            others=tuple(file.name for file in inventory.foreign),
            earlier=tuple(train.begun(self._provider, self._ledger, dataset.id)),
            not_examined=codec.restored(tuple[Absence, ...], paper["not_examined"]),
            relaxed=codec.restored(tuple[Relaxed, ...], paper["relaxed"]),
        )

    def order(self, plan: Plan) -> Training:
        """Order it. Raises Refused where somebody else ordered meanwhile, or an order is so young that it may still show up."""
        with self._ledger.held():
            known = {training.id for training in plan.earlier}
            if any(t.id not in known for t in train.begun(self._provider, self._ledger, plan.dataset.id)):
                raise Refused("this dataset was ordered for training meanwhile; run again to see it")
            if train.unsettled(self._ledger, plan.dataset.id, self._means.patience) is not None:
                raise Refused("an order was given a moment ago and not answered; wait a little and run again")
            return train.order(self._provider, self._ledger, plan.order, self._means.patience)

    def latest(self, id_: str | None) -> Training:
        """The training of that id, or the last that this ledger began. Raises UsageError where there is none."""
        if id_ is not None:
            found = self._provider.training(id_)
            if found is None:
                raise UsageError(f"there is no training {id_} at {self._provider.where}")
            return found
        datasets = list(dict.fromkeys(str(e.facts["dataset"]) for e in self._ledger.entries("ordering")))
        begun = [t for dataset in datasets for t in train.begun(self._provider, self._ledger, dataset)]
        last = self._ledger.last("training")
        named = [t for t in begun if last is not None and t.id == last.facts["id"]] or begun
        if not named:
            raise UsageError(f"nothing was trained from {self._parcel.out} yet; `voxgate train` begins it")
        return named[-1]

    def outcome(self, training: Training) -> Outcome:
        """A training with its voices, and a note in the ledger if it is over."""
        outcome = Outcome(training, self._facts)
        if outcome.done:
            outcome = replace(outcome, voices=tuple(self._provider.voices(training.id)))
        if (outcome.done or outcome.failed) and self._ledger.last("ended", id=training.id) is None:
            with self._ledger.held():
                self._ledger.write("ended", dataset=training.order.dataset, id=training.id, status=training.status)
        return outcome

    def watch(self, training: Training) -> Training:
        """Wait until it is over."""
        return train.watch(self._provider, training, self._facts, self._means.patience, self._means.onlooker)


def studio(out: Path, to: str, means: Means, dataset: str | None = None) -> Studio:
    """The studio of a run, named by its folder or its manifest."""
    path = out if out.suffix == ".json" else out / "manifest.json"
    return Studio(Parcel(path, to, dataset=dataset), means)
