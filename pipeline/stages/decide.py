"""Decide: what the dataset's subjects find in the clips, and the verdict of the gate."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pipeline.catalogue import Meter, Subject
from pipeline.readings import Container, Reference
from pipeline.records import Clip, DatasetVerdict, Finding, Reading, Severity, Verdict
from pipeline.set_readings import Extent, MainVoice

Finder = Callable[[Subject, Reading], Iterable[Finding]]
"""Runs a subject's checks over its reading: `flag.findings` with the settings in force."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The clips in the order of their ids with all their findings, what is found about the set, and its verdict.

    A finding with clips in its evidence is about those, and stands in them too; the others are about the set.
    """

    clips: tuple[Clip, ...]
    findings: tuple[Finding, ...]
    extent: Extent
    verdict: DatasetVerdict
    voices: MainVoice = field(default_factory=MainVoice)


def decide(
    clips: Iterable[Clip], subjects: Sequence[Subject], find: Finder, reference: Reference | None = None
) -> Decision:
    """Compare the clips, then count what passes, then judge. `clips` carry the findings of their own.

    `reference` is the voice that they should be.
    """
    ordered = sorted(clips, key=lambda clip: clip.source.id)
    compared: list[Finding] = []
    voices = MainVoice()
    for subject in (s for s in subjects if s.turn != "count"):
        reading = _read(subject, ordered, reference)
        voices = reading if isinstance(reading, MainVoice) else voices
        found = list(find(subject, reading))
        compared.extend(found)
        own = _by_clip(found)
        ordered = [clip.with_findings(own[id_]) if (id_ := clip.source.id) in own else clip for clip in ordered]
    counted, extent = _count(ordered, subjects, find)
    findings = tuple(sorted((*compared, *counted), key=lambda f: (-f.severity, f.code, f.evidence.clips)))
    verdict = _verdict(ordered, counted, subjects, find)
    refused = any(finding.severity is Severity.ERROR and not finding.evidence.clips for finding in compared)
    if refused and verdict is DatasetVerdict.APPROVED:  # an undecided clip might yet change what is found about all
        verdict = DatasetVerdict.REJECTED
    return Decision(tuple(ordered), findings, extent, verdict, voices)


def strict(decision: Decision) -> DatasetVerdict:
    """The verdict under --strict: a rejected clip or a warning anywhere rejects the set, whatever else may come of it."""
    everywhere = [*decision.findings, *(f for clip in decision.clips for f in clip.findings)]
    if any(f.severity in (Severity.WARNING, Severity.ERROR) for f in everywhere):
        return DatasetVerdict.REJECTED
    return decision.verdict


def _read(subject: Subject, clips: Iterable[Clip], reference: Reference | None = None) -> Reading:
    assert subject.meter is not None
    meter: Meter = subject.meter(reference) if "reference" in subject.needs else subject.meter()
    for clip in clips:
        meter.feed(clip)
    reading: Reading = meter.read()
    return reading


def _by_clip(found: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    """The findings about single clips, by the clips' ids."""
    own: dict[str, tuple[Finding, ...]] = {}
    for finding in found:
        for id_ in dict.fromkeys(finding.evidence.clips):
            own[id_] = (*own.get(id_, ()), finding)
    return own


def _count(clips: Sequence[Clip], subjects: Sequence[Subject], find: Finder) -> tuple[list[Finding], Extent]:
    found: list[Finding] = []
    extent = Extent()
    for subject in (s for s in subjects if s.turn == "count"):
        reading = _read(subject, clips)
        extent = reading if isinstance(reading, Extent) else extent
        found.extend(find(subject, reading))
    return found, extent


def _verdict(
    clips: Sequence[Clip], counted: Sequence[Finding], subjects: Sequence[Subject], find: Finder
) -> DatasetVerdict:
    undecided = any(clip.verdict is Verdict.UNDECIDED for clip in clips)
    if not any(finding.severity is Severity.ERROR for finding in counted):
        nothing = not any(clip.verdict.counts for clip in clips)
        if undecided:
            return DatasetVerdict.UNDECIDED
        return DatasetVerdict.REJECTED if nothing else DatasetVerdict.APPROVED
    if undecided and _could_pass(clips, subjects, find):
        return DatasetVerdict.UNDECIDED
    return DatasetVerdict.REJECTED


def _could_pass(clips: Sequence[Clip], subjects: Sequence[Subject], find: Finder) -> bool:
    """Whether the set would have no error if all that we failed to examine turned out well."""
    hopeful = [clip for clip in clips if clip.verdict is Verdict.UNDECIDED]
    if any((clip.readings.get(Container) or Container()).decoded_s is None for clip in hopeful):
        return True  # it may be of any length
    forgiven = [
        replace(clip, findings=tuple(f for f in clip.findings if f.severity is not Severity.FAULT)) for clip in clips
    ]
    counted, _ = _count(forgiven, subjects, find)
    return not any(finding.severity is Severity.ERROR for finding in counted)
