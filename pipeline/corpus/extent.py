"""Extent: how many minutes there are, by three clocks, against what the provider wants."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.catalogue import Limits, Subject, limit
from pipeline.readings import Container, Speech
from pipeline.records import Clip, Evidence, Severity, Verdict
from pipeline.set_readings import Extent
from pipeline.words import minutes

GUIDE = "docs.cartesia.ai, clone-voices-pro/playground, read 2026-11-20"


@dataclass(frozen=True, slots=True)
class ExtentLimits(Limits):
    """How much audio is enough, and how much is good."""

    minimum_s: float | None = limit(1800.0, "30 minutes are the provider's minimum", GUIDE, looser="lower")
    target_s: float | None = limit(7200.0, "2 hours are the provider's advice", GUIDE, looser="lower")


class ExtentMeter:
    """Keeps five sums."""

    def __init__(self) -> None:
        self._clips = 0
        self._decoded_s = self._speech_s = self._approved_s = self._approved_speech_s = self._undecided_s = 0.0

    def feed(self, clip: Clip) -> None:
        """Take in a clip with all its findings."""
        container, speech = clip.readings.get(Container), clip.readings.get(Speech)
        decoded_s = 0.0 if container is None else container.decoded_s or 0.0
        speech_s = 0.0 if speech is None else speech.speech_s or 0.0
        self._clips += 1
        self._decoded_s += decoded_s
        self._speech_s += speech_s
        if clip.verdict.counts:
            self._approved_s += decoded_s
            self._approved_speech_s += speech_s
        elif clip.verdict is Verdict.UNDECIDED:
            self._undecided_s += decoded_s

    def read(self) -> Extent:
        """The clocks over everything fed so far."""
        return Extent(
            clips=self._clips,
            decoded_s=self._decoded_s,
            speech_s=self._speech_s,
            approved_s=self._approved_s,
            approved_speech_s=self._approved_speech_s,
            undecided_s=self._undecided_s,
        )


SUBJECT = Subject("extent", ExtentLimits, Extent, ExtentMeter, turn="count")


@SUBJECT.check(
    "TOO_LITTLE_AUDIO",
    Severity.ERROR,
    says="has {detail} of approved audio",
    hint="Record more, or mend the rejected clips.",
    means="The approved clips together are shorter than the provider's minimum, so a training would be refused.",
)
def too_little_audio(extent: Extent, limits: ExtentLimits) -> Iterator[Evidence]:
    """Fires under the minimum."""
    if limits.minimum_s is not None and extent.approved_s < limits.minimum_s:
        told = f"{minutes(extent.approved_s)} of {minutes(limits.minimum_s)} minutes"
        yield Evidence(extent.approved_s, limits.minimum_s, detail=told)


@SUBJECT.check(
    "BELOW_TARGET",
    Severity.WARNING,
    says="has {detail} of approved audio that are advised",
    hint="Record more if you can; it is enough to begin with.",
    means="The provider takes this much and advises more: clones keep getting better up to the target.",
)
def below_target(extent: Extent, limits: ExtentLimits) -> Iterator[Evidence]:
    """Fires between the minimum and the target."""
    if limits.target_s is None or extent.approved_s >= limits.target_s:
        return
    if limits.minimum_s is None or extent.approved_s >= limits.minimum_s:
        told = f"{minutes(extent.approved_s)} of the {minutes(limits.target_s)} minutes"
        yield Evidence(extent.approved_s, limits.target_s, detail=told)


@SUBJECT.check(
    "LITTLE_SPEECH",
    Severity.WARNING,
    says="has only {detail} of speech in its approved audio",
    hint="Shorten the pauses and record more speech.",
    means="The provider counts file time, but pauses teach nothing: without them the approved clips fall short of the "
    "minimum.",
)
def little_speech(extent: Extent, limits: ExtentLimits) -> Iterator[Evidence]:
    """Fires when the minimum is reached by file time and missed by speech time."""
    if limits.minimum_s is not None and extent.approved_speech_s < limits.minimum_s <= extent.approved_s:
        told = f"{minutes(extent.approved_speech_s)} of {minutes(limits.minimum_s)} minutes"
        yield Evidence(extent.approved_speech_s, limits.minimum_s, detail=told)
