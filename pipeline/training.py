"""From a dataset to its voices: what a training would cost and of what, the order, how it goes, and what it made."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

from pipeline import providers
from pipeline.delivery import Means, Parcel, approved, ground, known_dataset, names
from pipeline.errors import OutputError, Refused, UsageError
from pipeline.inventory import Inventory
from pipeline.ledger import Ledger
from pipeline.records import Absence, Relaxed
from pipeline.remote import Dataset, Order, TrainedVoice, Trainer, Training, TrainingFacts
from pipeline.stages import train
from pipeline.storage import codec


@dataclass(frozen=True, slots=True)
class Plan:
    """What is about to be ordered, and what there is of it already.

    `wanted` are the names and sizes of the manifest's files, `others` the names of files in the dataset that earlier manifests
    approved, `earlier` the trainings of this dataset that there are already.
    """

    order: Order
    dataset: Dataset
    facts: TrainingFacts
    wanted: Mapping[str, int]
    decoded_s: float
    others: tuple[str, ...]
    earlier: train.Earlier
    not_examined: tuple[Absence, ...] = ()
    relaxed: tuple[Relaxed, ...] = ()

    @property
    def current(self) -> Training | None:
        """The last training of this dataset that has not failed; `None` where there is none."""
        running = [training for training in self.earlier.trainings if training.status != self.facts.failed]
        return running[-1] if running else None

    def since(self, failed: Training) -> Training | None:
        """The last training of the same that was given after one that failed, and has not failed itself."""
        ids = [training.id for training in self.earlier.trainings]
        after = self.earlier.trainings[ids.index(failed.id) + 1 :] if failed.id in ids else ()
        running = [t for t in after if t.status != self.facts.failed and self.same(t)]
        return running[-1] if running else None

    def same(self, training: Training) -> bool:
        """Whether a training is of what this plan would order."""
        mine, theirs = self.order, training.order
        return (mine.name, mine.language, mine.model) == (theirs.name, theirs.language, theirs.model)


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
        if not name.strip() or not name.isprintable():
            raise UsageError("the voice needs a name, in characters that can be printed")
        dataset = known_dataset(self._parcel, self._provider, self._ledger)
        inventory = self._fitting(dataset, wanted)
        length_s = sum(clip["decoded_s"] for clip in {clip["sha256"]: clip for clip in paper["clips"]}.values())
        chosen = model or self._facts.model
        return Plan(
            order=Order(name.strip(), f"manifest {paper['sha256'][:12]}", spoken, chosen, dataset.id),
            dataset=dataset,
            facts=self._facts,
            wanted=wanted,
            decoded_s=length_s,
            others=tuple(file.name for file in inventory.foreign),
            earlier=train.earlier(self._provider, self._ledger, dataset.id),
            not_examined=codec.restored(tuple[Absence, ...], paper["not_examined"]),
            relaxed=codec.restored(tuple[Relaxed, ...], paper["relaxed"]),
        )

    def order(self, plan: Plan) -> Training:
        """Order it, if the dataset is still what it was.

        Raises Refused where it is not, where somebody else ordered meanwhile, or an order is so young that it may still show up.
        """
        with self._ledger.held():
            known = {training.id for training in plan.earlier.trainings}
            now = train.earlier(self._provider, self._ledger, plan.dataset.id)
            if any(training.id not in known for training in now.trainings):
                raise Refused("this dataset was ordered for training meanwhile; run again to see it")
            if train.unsettled(self._ledger, plan.dataset.id, self._means.patience):
                raise Refused("an order was given a moment ago and not answered; wait a little and run again")
            self._fitting(plan.dataset, plan.wanted)
            return train.order(self._provider, self._ledger, plan.order, self._means.patience)

    def tell(self, found: Training) -> None:
        """Note that somebody is told of a training whose answer had been lost, so that it may be ordered anew."""
        with self._ledger.held():
            self._ledger.write("told", dataset=found.order.dataset, id=found.id)

    def retry(self, failed: Training) -> Plan:
        """The plan to train the same again, on the same dataset."""
        parcel = replace(self._parcel, dataset=failed.order.dataset)
        again = Studio(parcel, self._means)
        with again:
            return again.plan(failed.order.name, failed.order.language, failed.order.model)

    def latest(self, id_: str | None) -> Training:
        """The training of that id, or the last that this ledger began. Raises UsageError where there is none."""
        if id_ is not None:
            found = self._provider.training(id_)
            if found is None:
                raise UsageError(f"there is no training {id_} at {self._provider.where}")
            return found
        orders = self._ledger.entries("ordering")
        if not orders:
            raise UsageError(f"nothing was trained from {self._parcel.out} yet; `voxgate train` begins it")
        for dataset in dict.fromkeys(str(entry.facts["dataset"]) for entry in reversed(orders)):
            begun = train.earlier(self._provider, self._ledger, dataset)
            ours = {str(entry.facts["id"]) for entry in self._ledger.entries("training", dataset=dataset)}
            named = [training for training in begun.trainings if training.id in ours]
            if named:
                return named[-1]
        raise UsageError(f"the training that was begun from {self._parcel.out} is not there any more")

    def outcome(self, training: Training) -> Outcome:
        """A training with its voices, and a note in the ledger, where that can be written, if it is over."""
        outcome = Outcome(training, self._facts)
        if outcome.done:
            outcome = replace(outcome, voices=tuple(self._provider.voices(training.id)))
        if (outcome.done or outcome.failed) and self._ledger.last("ended", id=training.id) is None:
            with contextlib.suppress(UsageError, OutputError), self._ledger.held():
                self._ledger.write("ended", dataset=training.order.dataset, id=training.id, status=training.status)
        return outcome

    def _fitting(self, dataset: Dataset, wanted: Mapping[str, int]) -> Inventory:
        inventory = Inventory.of(self._provider.files(dataset.id), wanted)
        train.fit(inventory, self._ledger.approved(), dataset, self._provider)
        return inventory

    def watch(self, training: Training) -> Training:
        """Wait until it is over."""
        return train.watch(self._provider, training, self._facts, self._means.patience, self._means.onlooker)


def studio(out: Path, to: str, means: Means, dataset: str | None = None) -> Studio:
    """The studio of a run, named by its folder or its manifest."""
    path = out if out.suffix == ".json" else out / "manifest.json"
    return Studio(Parcel(path, to, dataset=dataset), means)
