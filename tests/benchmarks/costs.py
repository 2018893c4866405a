"""What runs take: the records of a benchmark, and whom voxgate is measured against."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PEER = ("ffmpeg", "-v", "error", "-nostdin", "-threads", "1")
FILTERS = ("-af", "ebur128=peak=true,silencedetect,astats", "-f", "null", "-")
PEER_ROW = "ffmpeg, three filters"


@dataclass
class Cost:
    """Processor and wall time in seconds, and the most memory that one process took."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0

    def add(self, other: "Cost") -> None:
        """Another run of the same."""
        self.cpu_s += other.cpu_s
        self.wall_s += other.wall_s
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)


@dataclass(frozen=True)
class Spent:
    """Seconds of the processor and by the clock."""

    cpu_s: float = math.inf
    wall_s: float = math.inf

    def less(self, other: "Spent") -> "Spent":
        """What this takes less than the other."""
        return Spent(self.cpu_s - other.cpu_s, self.wall_s - other.wall_s)


@dataclass(frozen=True)
class Shorts:
    """What many short files take, the same audio in long ones, and a second run over the short ones."""

    files: int
    short_s: float
    joined_s: float
    again_s: float

    @property
    def each_ms(self) -> float:
        """What a short file costs beyond its audio."""
        return (self.short_s - self.joined_s) / self.files * 1000


@dataclass(frozen=True)
class Measured:
    """All that a benchmark measures.

    whole : whole runs over all files, the last of them ffmpeg's
    by_jobs_s : by the clock, with one job and with two
    parts : each stage and subject on one file
    chapter : the speakers of half an hour, beyond voice activity
    readers : the same of each real reader, by name; empty without the recordings
    uploads : rows of a table of their own
    """

    whole: Mapping[str, Cost]
    by_jobs_s: tuple[float, float]
    parts: Mapping[str, Spent]
    chapter: Spent
    readers: Mapping[str, Spent]
    shorts: Shorts
    uploads: Sequence[Sequence[str]]
