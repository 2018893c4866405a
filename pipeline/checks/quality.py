"""Quality: what listeners would say of the voice and its background, as DNSMOS P.835 guesses it from sampled windows."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.meters import dnsmos
from pipeline.models import session
from pipeline.readings import Quality
from pipeline.records import Activity, Block, Evidence, Floats, Severity, StreamInfo

WINDOW_FRAMES = -(-dnsmos.WINDOW // Activity.HOP)
"""Candidates lie end to end on the grid of the activity's frames, so that blocks do not matter."""

STRETCH_CANDIDATES = 33
"""One of the candidates in about 5 minutes is scored: 0.19 s of work."""

ALWAYS_S = 60.0
"""Of clips that are shorter, one in so many is scored that a minute costs one window, told by a sum over its first
second of samples: the same clips whatever else is in the set, in whatever order."""

MIN_S = dnsmos.WINDOW / dnsmos.RATE_HZ
MIN_SPEECH_RATIO = 0.5
"""The network was trained on windows full of speech; of a window that is mostly pause its score says nothing."""


@dataclass(frozen=True, slots=True)
class QualityLimits(Limits):
    """Who scores, and how good a voice must sound."""

    engine: str = limit(
        "dnsmos",
        "costs 0.2 s a minute for short clips and 0.2 s in 5 minutes for long ones; off leaves quality unexamined",
        choices=("dnsmos", "off"),
    )
    min_dnsmos_ovrl: float | None = limit(
        3.0,
        "of 18 clean readings by as many voices none was under 3.2; of those in noisy rooms one in seven",
        "Emilia's gate (He et al., 2024)",
    )


class QualityMeter:
    """Keeps the best candidate for a window and the one that fills up: 20 s of 16 kHz mono, and sums of scores."""

    def __init__(self, info: StreamInfo) -> None:
        self._lot = Lot(info.sample_rate)
        self._samples = np.empty(0, np.float32)
        self._speech = np.empty(0, np.float32)
        self._level = np.empty(0, np.float32)
        self._total = self._candidates = self._windows = 0
        self._active: bool | None = None
        self._best: tuple[float, float, Floats] | None = None
        self._sums = np.zeros(3)

    def feed(self, block: Block) -> None:
        """Take in a block with its 16 kHz mono and its activity."""
        self._lot.feed(block.samples)
        if block.mono16k is None or block.activity is None:
            self._active = False
            return
        self._active = True
        self._total += len(block.mono16k)
        self._samples = np.concatenate((self._samples, block.mono16k))
        self._speech = np.concatenate((self._speech, block.activity.speech))
        self._level = np.concatenate((self._level, block.activity.level_dbfs))
        while len(self._samples) >= WINDOW_FRAMES * Activity.HOP and len(self._speech) >= WINDOW_FRAMES:
            self._consider()
            self._samples = self._samples[WINDOW_FRAMES * Activity.HOP :]
            self._speech, self._level = self._speech[WINDOW_FRAMES:], self._level[WINDOW_FRAMES:]

    def read(self) -> Quality:
        """The mean scores of the windows in everything fed so far."""
        before = self._samples, self._candidates, self._best, self._sums.copy(), self._windows
        made = self._ended()
        self._samples, self._candidates, self._best, self._sums, self._windows = before
        return made

    def _ended(self) -> Quality:
        """The reading if nothing more comes; takes what is pending for the last of it."""
        if len(self._samples) >= dnsmos.WINDOW and len(self._speech) >= WINDOW_FRAMES:  # short of a whole frame
            self._consider()
            self._samples = self._samples[:0]
        if not self._lot.drawn(self._total / Activity.RATE_HZ):
            return Quality(why="it was left out of the sample: of clips this short only some are scored")
        self._score()
        if self._windows:
            sig, bak, ovrl = (float(mean) for mean in self._sums / self._windows)
            return Quality(dnsmos_sig=sig, dnsmos_bak=bak, dnsmos_ovrl=ovrl, windows=self._windows)
        if self._active is False:
            return Quality(why="voice activity was not measured")
        if self._total < dnsmos.WINDOW:
            return Quality(why="it is shorter than 9 s" if self._total else "no samples")
        return Quality(why="no 9 s of it are mostly speech")

    def _consider(self) -> None:
        """Take the first candidate for the stretch's window if it has more speech than the best so far."""
        spoken = self._speech[:WINDOW_FRAMES] >= Activity.SPEAKING
        ratio = float(spoken.mean())
        if ratio >= MIN_SPEECH_RATIO and (self._best is None or ratio > self._best[0]):
            power = 10 ** (self._level[:WINDOW_FRAMES][spoken].astype(np.float64) / 10)
            level_dbfs = 10 * float(np.log10(power.mean()))
            self._best = ratio, level_dbfs, self._samples[: dnsmos.WINDOW].copy()
        self._candidates += 1
        if self._candidates % STRETCH_CANDIDATES == 0:
            self._score()

    def _score(self) -> None:
        """Let the network hear the stretch's window, if there is one; only here it is loaded."""
        if self._best is None:
            return
        _, level_dbfs, window = self._best
        self._sums += dnsmos.scores(session("dnsmos"), window, level_dbfs)
        self._windows += 1
        self._best = None


class Lot:
    """Whether a short clip is among those that are scored. Keeps a checksum of the first second."""

    def __init__(self, rate_hz: int) -> None:
        self._owed, self._sum = rate_hz, 0

    def feed(self, samples: Floats) -> None:
        """Take in samples (frames, channels)."""
        if self._owed > 0:
            self._sum = zlib.crc32(np.ascontiguousarray(samples[: self._owed]).tobytes(), self._sum)
            self._owed -= len(samples)

    def drawn(self, length_s: float) -> bool:
        """Always for a minute and more, and for shorter clips in proportion to their length."""
        return not MIN_S <= length_s < ALWAYS_S or self._sum % 1_000 < 1_000 * length_s / ALWAYS_S


SUBJECT = Subject("quality", QualityLimits, Quality, QualityMeter, needs=("mono16k", "activity"), models=("dnsmos",))


@SUBJECT.check(
    "POOR_QUALITY",
    Severity.WARNING,
    says="would be rated {value:.1f} of 5 by listeners; {limit:.1f} or more is wanted ({detail})",
    hint="Listen for noise, room, codec and clipping; record it again closer to the microphone in a quieter room. A noise "
    "suppressor raises the score and may leave artefacts that the clone learns.",
    means="A network that was trained on listeners' opinions (DNSMOS P.835) rates nine seconds of speech in every five "
    "minutes: the voice, the background, and both together, from 1 (bad) to 5 (excellent). It is a guess; use your ears.",
)
def poor_quality(quality: Quality, limits: QualityLimits) -> Iterator[Evidence]:
    """Fires when the mean overall score is too low."""
    overall, least = quality.dnsmos_ovrl, limits.min_dnsmos_ovrl
    if overall is None or least is None or overall >= least:
        return
    parts = [("voice", quality.dnsmos_sig), ("background", quality.dnsmos_bak)]
    told = ", ".join(f"{name} {score:.1f}" for name, score in parts if score is not None)
    yield Evidence(overall, least, detail=told or "overall")
