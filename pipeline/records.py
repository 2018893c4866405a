"""The nouns of voxgate: what flows from a folder to a verdict.

All records are frozen, slotted and picklable, hold no open resource, and compare by value. Seconds are floats from the
start of the clip; spans are half-open. This module imports nothing of ours: it is the glossary.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SUBJECTS = (
    "container",
    "levels",
    "loudness",
    "noise",
    "speech",
    "spectrum",
    "channels",
    "room",
    "music",
    "quality",
    "speakers",
)
"""What a clip is examined for, in the order of the report; a subject without a module counts as not examined."""


class Severity(IntEnum):
    """How much a finding weighs, and what it obliges to."""

    INFO = 10  # worth knowing; obliges to nothing
    WARNING = 20  # the clip goes in; someone should listen to it
    FAULT = 30  # we failed to examine it; run again, nothing is known
    ERROR = 40  # the clip stays out until it is mended

    def __str__(self) -> str:
        return self.name.lower()


class Verdict(StrEnum):
    """What becomes of a clip, derived from its gravest finding."""

    ACCEPT = "accept"
    REVIEW = "review"
    UNDECIDED = "undecided"
    REJECT = "reject"

    @classmethod
    def of(cls, severities: "Iterator[Severity]") -> "Verdict":
        """The verdict that the gravest of the severities leads to; no finding at all is `accept`."""
        worst = max(severities, default=Severity.INFO)
        return {Severity.ERROR: cls.REJECT, Severity.FAULT: cls.UNDECIDED, Severity.WARNING: cls.REVIEW}.get(
            worst, cls.ACCEPT
        )

    @property
    def counts(self) -> bool:
        """Whether the clip's minutes are approved and go into the manifest."""
        return self in (Verdict.ACCEPT, Verdict.REVIEW)


class DatasetVerdict(StrEnum):
    """What the gate says of the whole set."""

    APPROVED = "approved"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of a clip, half-open, in seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long the stretch lasts."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Source:
    """A file that may hold audio: `id` is its path relative to the input with "/", `path` where it lies now."""

    id: str
    path: str
    bytes: int
    transcript: str | None = None  # path of the sidecar, relative to the folder of `path`


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What is known of an audio stream before its first sample; `None` is "not declared".

    `positions` names each channel as FFmpeg does ("FL", "FR", "LFE"); `bits` is the sample's resolution where the codec has
    one; `declared_s` is what the headers claim, and is never counted.
    """

    format: str
    codec: str
    sample_rate: int
    channels: int
    bits: int | None = None
    declared_s: float | None = None
    positions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file's own structure says before anything is decoded.

    `declared_s` is the length that the structure itself counts, `None` where it counts none; `exact` that this count is
    one of samples or frames and no estimate, so that decoding less means loss. `cut` tells in words how the structure
    ends early, `lost_s` how much is missing, where the structure tells. `locked` names the copy protection, if any; `bits` the
    resolution of the samples, where the structure tells.
    """

    declared_s: float | None = None
    exact: bool = False
    cut: str | None = None
    lost_s: float | None = None
    locked: str | None = None
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """Who speaks, per frame of 270 samples at 16 kHz (16.875 ms), frame `first` starting at `first` x 16.875 ms.

    speech, overlap : float32 (frames,), probability that someone speaks, that two do
    voices : float32 (frames, 3) or None, probability of each local voice; local to a window of the model, see `derive`
    engine : who said so, by its name in `pipeline/activity`
    level_dbfs : float32 (frames,), mean power of the 16 kHz mono signal; digital silence is the floor of -120
    """

    first: int
    speech: Floats
    level_dbfs: Floats
    voices: Floats | None = None
    overlap: Floats | None = None
    engine: str | None = None

    HOP = 270
    RATE_HZ = 16_000
    FRAME_S = 270 / 16_000
    SPEAKING = 0.5
    """A voice, or anybody, speaks in a frame where that is at least as likely as not."""


@dataclass(frozen=True, slots=True)
class Block:
    """A few seconds of a clip: samples float32 (frames, channels), full scale 1.0, beginning at frame `start`.

    As decoded, each channel lies in one piece, so that `samples.T` gives its samples side by side: along the other axis numpy
    takes a hundred times as long.
    `mono16k`, `activity` and `spectra` are the derived signals of the same stretch, `None` where no subject needs them. They are
    cut from continuous streams, so that the blocks' parts laid end to end are the whole. `spectra` are the power spectra of
    the activity's frames, float32 (frames, 257), bin k at k x 31.25 Hz: each of 512 samples around the frame's middle under
    a Hann window, scaled so that the sum over a frame's bins is its mean power.
    """

    samples: Floats
    start: int
    sample_rate: int
    mono16k: Floats | None = None
    activity: Activity | None = None
    spectra: Floats | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one subject measured in one clip; fields are `None` where nothing could be measured, and `why` says why."""


R = TypeVar("R", bound=Reading)


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings keyed by their type, so that `readings[Loudness]` is typed and no central struct is edited."""

    by_type: dict[type[Reading], Reading] = field(default_factory=dict)

    def __getitem__(self, kind: type[R]) -> R:
        reading = self.by_type[kind]
        assert isinstance(reading, kind)
        return reading

    def get(self, kind: type[R]) -> R | None:
        """The reading of that type, or `None` when its subject was not measured."""
        return self[kind] if kind in self.by_type else None

    def with_reading(self, reading: Reading) -> Self:
        """The same readings and one more."""
        return replace(self, by_type={**self.by_type, type(reading): reading})

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.by_type.values())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check saw: the value against the limit, where in the clip (`spans`) or in which clips (`clips`).

    `detail` is a fact in words that the finding's text quotes; `severity` is set where this evidence weighs other than
    the code's usual severity.
    """

    value: float | str | None = None
    limit: float | str | None = None
    spans: tuple[Span, ...] = ()
    clips: tuple[str, ...] = ()
    detail: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a clip or the dataset: `code` is never renamed, the text is rendered from the evidence."""

    code: str
    severity: Severity
    message: str
    hint: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Fault:
    """Something of ours failed: the subject that could not be examined (`None`: none could) and why."""

    subject: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A source with all that was measured in it and found about it.

    `sha256` is that of the file's bytes, `None` when they could not be read. `findings` follow from the readings, the
    faults and the limits; they are made anew whenever limits change.
    """

    source: Source
    sha256: str | None = None
    info: StreamInfo | None = None
    readings: Readings = field(default_factory=Readings)
    faults: tuple[Fault, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """What its gravest finding leads to."""
        return Verdict.of(finding.severity for finding in self.findings)

    def with_findings(self, more: "tuple[Finding, ...]") -> "Clip":
        """The same clip with findings added, gravest first."""
        ordered = sorted((*self.findings, *more), key=lambda f: (-f.severity, f.code))
        return replace(self, findings=tuple(ordered))


@dataclass(frozen=True, slots=True)
class Absence:
    """A subject that was not examined although nothing failed, and why."""

    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A limit that the user made looser than the profile has it."""

    key: str
    default: Any
    used: Any


class Engine(Protocol):
    """Runs `task` on every job, in any order; a job whose worker died or hung is given to `lost`."""

    def map(
        self, task: Callable[[Source], Clip], jobs: list[Source], lost: Callable[[Source, str], Clip], /
    ) -> Iterator[Clip]:
        """Yield one clip a job, as they finish."""
        ...
