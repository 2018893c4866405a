"""The way to a provider, top to bottom: the gate, the dataset, the upload, the receipt.

Nothing is sent before the gate has let everything through, and nothing but what it let through.
"""

import json
import math
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline import __version__, config, providers
from pipeline.errors import ProviderError, RecordError, Refused, UsageError, VoxgateError
from pipeline.inventory import Inventory
from pipeline.journal import Journal, Terms
from pipeline.ledger import Ledger, now
from pipeline.patience import Patience
from pipeline.records import Absence, DatasetVerdict, Relaxed
from pipeline.remote import Cleared, Consent, Dataset, Delivered, Facts, Onlooker, Provider, Receipt
from pipeline.run import decided
from pipeline.stages import datasets, gate, manifest, receipts
from pipeline.stages.upload import Upload, unfinished
from pipeline.storage import codec
from pipeline.storage.files import write_atomic
from pipeline.words import count, minutes

AT_ONCE = 4
"""Files on their way at a time where a provider's facts say nothing else."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be delivered to whom: the dataset is made by name, or one that exists is named by its id."""

    manifest: Path
    to: str
    name: str | None = None
    dataset: str | None = None
    consent: str | None = None
    allow_unexamined: bool = False

    @property
    def out(self) -> Path:
        """The folder of the run, where the journal lies, and where ledger and receipt go."""
        return self.manifest.parent


@dataclass(frozen=True, slots=True)
class Means:
    """How it is delivered: the environment that keys are read from, how patiently, and who is told."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    patience: Patience = field(default_factory=Patience)
    onlooker: Onlooker = field(default_factory=Onlooker)


@dataclass(frozen=True, slots=True)
class Passed:
    """What the gate let through, and what the manifest that approved it says of its own gaps."""

    manifest_sha256: str
    cleared: tuple[Cleared, ...]
    not_examined: tuple[Absence, ...]
    relaxed: tuple[Relaxed, ...]


def upload(parcel: Parcel, means: Means | None = None) -> Receipt:
    """Bring everything that a manifest approves into a dataset, once, and write the receipt.

    Raises Refused where the gate says no, ProviderError where it cannot be finished; run it again to go on.
    """
    ways = Means() if means is None else means
    if (parcel.name is None) == (parcel.dataset is None):
        raise UsageError(
            "say where to: --name for a new dataset or the one begun here, or --dataset for the id of another"
        )
    passed = inspect(parcel, ways.onlooker)
    with closing(providers.provider(parcel.to, ways.environ, ways.patience)) as provider:
        ledger = Ledger(parcel.out, parcel.to, provider.where)
        with ledger.held():
            return _delivered(parcel, passed, provider, ledger, ways)


def inspect(parcel: Parcel, onlooker: Onlooker) -> Passed:
    """The gate alone: no key is needed, nothing is sent. Raises Refused with every reason."""
    facts, paper = providers.facts(parcel.to), approved(parcel.manifest)
    terms = gate.Terms(parcel.consent, parcel.allow_unexamined)
    cleared = gate.clear(paper, ground(parcel.out), facts, terms, onlooker)
    not_examined = codec.restored(tuple[Absence, ...], paper["not_examined"])
    return Passed(paper["sha256"], cleared, not_examined, codec.restored(tuple[Relaxed, ...], paper["relaxed"]))


def approved(path: Path) -> dict[str, Any]:
    """The manifest in a file. Raises RecordError where there is none."""
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number, parse_float=_number)
    except OSError as error:
        told = (
            f"{path} cannot be read ({error.strerror}); a manifest is written by `voxgate check` when a set is approved"
        )
        raise RecordError(told) from error
    except (ValueError, RecursionError):
        raise Refused(f"{path} does not read as a manifest; run check again") from None
    if not isinstance(document, dict):
        raise Refused(f"{path} is no manifest; run check again")
    return document


def _number(word: str) -> float:
    made = float(word)
    return made if math.isfinite(made) else _no_number(word)


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def ground(out: Path) -> gate.Ground:
    """What the journal in `out` leads to when it is judged once more as it was judged last; nothing is written."""
    journal = Journal(out)
    try:
        journal.load()
        roster, clips = journal.last_run(__version__)
        terms = journal.terms or Terms(roster.profile, roster.overrides, roster.reference, strict=False)
        settings = config.load(terms.profile, terms.overrides)
    except VoxgateError as error:
        return gate.Ground(None, str(error), {})
    report = decided(clips, settings, replace(roster, reference=terms.reference), strict=terms.strict)
    if report.verdict is not DatasetVerdict.APPROVED:
        return gate.Ground(None, f"judged again, the set is {report.verdict}", {})
    stamps = journal.stamps()
    by_id = {source.id: stamps.get(source.path) for source in roster.sources}
    return gate.Ground(json.loads(codec.text(manifest.document(report))), None, by_id)


def difference(parcel: Parcel, means: Means) -> tuple[Dataset, Inventory]:
    """A dataset's files held against the manifest's; nothing is sent or hashed. Raises Refused, ProviderError, UsageError."""
    facts, paper = providers.facts(parcel.to), approved(parcel.manifest)
    wanted = names(paper, ground(parcel.out), facts)
    with closing(providers.provider(parcel.to, means.environ, means.patience)) as provider:
        ledger = Ledger(parcel.out, parcel.to, provider.where)
        with closing(ledger):
            dataset = known_dataset(parcel, provider, ledger)
        return dataset, Inventory.of(provider.files(dataset.id), wanted)


def names(paper: Mapping[str, Any], against: gate.Ground, facts: Facts) -> dict[str, int]:
    """The names and sizes that a manifest's files have at a provider. Raises Refused for one that is not in order."""
    reasons = list(gate.paper(paper, against)) or list(gate.unfit(against.remade or {}, facts))
    if reasons:
        raise Refused("the manifest is not in order:\n" + "\n".join(f"  - {reason}" for reason in reasons))
    return gate.names(against.remade or {})


def known_dataset(parcel: Parcel, provider: Provider, ledger: Ledger) -> Dataset:
    """The dataset that is named, or else the one that this ledger filled last. Raises UsageError where there is none."""
    if parcel.dataset is not None:
        return datasets.existing(provider, parcel.dataset)
    if parcel.name is not None:
        found = datasets.begun(provider, ledger, provider.named(parcel.name))
    else:
        last = ledger.last("cleared")
        found = None if last is None else provider.dataset(str(last.facts["dataset"]))
    if found is None:
        raise UsageError(
            f"nothing was uploaded from {parcel.out} to {provider.where} yet; upload first, or name a --dataset"
        )
    return found


def _delivered(parcel: Parcel, passed: Passed, provider: Provider, ledger: Ledger, means: Means) -> Receipt:
    consent = Consent(str(parcel.consent).strip(), now())
    work: Upload | None = None
    try:
        dataset = _dataset(parcel, passed, provider, ledger, means)
        _note(ledger, passed, consent, dataset)
        work = Upload(provider, dataset, ledger, means.patience, means.onlooker)
        receipt = _brought(passed, dataset, consent, work)
        text = codec.page(receipts.document(receipt)) + "\n"
        provider.keep_receipt(dataset.id, text)
    except ProviderError as error:
        raise unfinished(ledger, work, passed.cleared, error) from error
    write_atomic(parcel.out / f"receipt-{parcel.to}.json", text)
    return receipt


def _note(ledger: Ledger, passed: Passed, consent: Consent, dataset: Dataset) -> None:
    facts: dict[str, Any] = {"manifest": passed.manifest_sha256, "dataset": dataset.id}
    if ledger.last("cleared", **facts) is None:  # else they stand there already
        facts["files"] = {each.name: each.bytes for each in passed.cleared}
    ledger.write("cleared", **facts, consent=codec.plain(consent))


def _dataset(parcel: Parcel, passed: Passed, provider: Provider, ledger: Ledger, means: Means) -> Dataset:
    if parcel.dataset is not None:
        return datasets.existing(provider, parcel.dataset)
    length_s = sum(each.decoded_s for each in passed.cleared)
    description = f"{count(len(passed.cleared), 'file')}, {minutes(length_s)} min"
    made = datasets.made(provider, ledger, provider.named(str(parcel.name)), description, means.patience)
    datasets.tell_of_empty(provider, ledger, made, means.onlooker)
    return made


def _brought(passed: Passed, dataset: Dataset, consent: Consent, work: Upload) -> Receipt:
    facts = work.provider.facts
    sent = work.run(passed.cleared, AT_ONCE if facts.api is None else facts.api.uploads_at_once)
    assert work.inventory is not None
    there = work.inventory.there
    return Receipt(
        provider=facts.name,
        where=work.provider.where,
        dataset=dataset,
        manifest_sha256=passed.manifest_sha256,
        consent=consent,
        delivered=tuple(Delivered(there[each.name].id, each) for each in passed.cleared),
        foreign=tuple(work.inventory.foreign),
        not_examined=passed.not_examined,
        relaxed=passed.relaxed,
        sent=sent,
        version=__version__,
    )
