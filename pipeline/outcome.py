"""A run that is decided: the one record that report, manifest, page and terminal are all made from."""

from dataclasses import dataclass, field
from typing import Any

from pipeline.config import Settings
from pipeline.records import Absence, Clip, DatasetVerdict, Finding
from pipeline.set_readings import Extent, MainVoice


@dataclass(frozen=True, slots=True)
class Report:
    """What a run led to. `findings` are those about the dataset, `clips` carry their own; both gravest first.

    `left_out` are the ids that the user left out by name, `language` is as stated by the user, `voices` whose voices the set holds.
    """

    verdict: DatasetVerdict
    settings: Settings
    root: str
    clips: tuple[Clip, ...]
    findings: tuple[Finding, ...]
    extent: Extent
    minimum_s: float | None
    target_s: float | None
    not_examined: tuple[Absence, ...] = ()
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    language: str | None = None
    voices: MainVoice = field(default_factory=MainVoice)
    version: str = ""

    @property
    def faults(self) -> bool:
        """Whether something could not be examined, through no fault of the audio."""
        return any(clip.faults for clip in self.clips)


def totals(report: Report) -> dict[str, Any]:
    """The three clocks and what they are held against."""
    extent = report.extent
    return {
        "clips": extent.clips,
        "decoded_s": extent.decoded_s,
        "speech_s": extent.speech_s,
        "approved_s": extent.approved_s,
        "approved_speech_s": extent.approved_speech_s,
        "minimum_s": report.minimum_s,
        "target_s": report.target_s,
    }
