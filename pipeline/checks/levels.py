"""Levels: peak, mean power, constant offset and flat tops of the samples as they are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import amplitude_db, power_db, runs
from pipeline.readings import Levels, Speech
from pipeline.records import Block, Evidence, Floats, Severity, Span, StreamInfo

FLAT_SAMPLES, FLAT_S = 3, 60e-6
"""Neighbouring samples at the ceiling that make a flat top: three, and at high rates as many as last 60 us, for there a
round peak keeps near its height for longer. In 68 minutes of clean readings there was none."""

COARSE_BITS, COARSE_FLAT_S = 8, 1e-3
"""The steps of 8 bits, mu-law and A-law are so wide that a round peak is flat for half a millisecond."""

FLAT_RATIO = 1e-4
"""How far under the ceiling a sample still counts as being at it: three steps of 16 bit at full scale."""

PIECE_S, MAX_PIECE_SAMPLES = 1.0, 1 << 20
"""Every second has a ceiling of its own, so that a clipped take is found among others that are louder; less than a second
where it would be more samples than that, of all channels."""

LOWEST_CEILING = 0.05
"""Under -26 dBFS nothing was clipped by a converter or a limiter; coarse steps of faint audio would look flat."""

JOIN_S = 0.05
MAX_SPANS = 1_000


@dataclass(frozen=True, slots=True)
class LevelsLimits(Limits):
    """How much clipping and offset a clip may have."""

    max_clipped_runs_per_minute: float | None = limit(
        2.0, "clean readings have none in an hour; speech 2 dB over the converter's ceiling has 13 a minute"
    )
    max_clipped_ratio: float | None = limit(
        0.005, "of the speech: speech is 7 dB over the ceiling then, and distorted by as much as noise 20 dB under it"
    )
    max_dc_offset_ratio: float | None = limit(0.01, "of full scale: one per cent costs no headroom worth mentioning")


class LevelsMeter:
    """Keeps sums, a second of samples, and the places of flat tops, at most 1,000."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate = info.sample_rate
        self._sum = np.zeros(info.channels)
        self._power = self._peak = 0.0
        self._frames = 0
        self._size = min(round(PIECE_S * info.sample_rate), MAX_PIECE_SAMPLES // info.channels)
        self._piece = np.empty((0, info.channels), np.float32)
        coarse = info.bits is not None and info.bits <= COARSE_BITS
        self._tops = FlatTops(info.sample_rate, COARSE_FLAT_S if coarse else FLAT_S)

    def feed(self, block: Block) -> None:
        """Take in a block."""
        samples = block.samples
        exact = samples.astype(np.float64)
        self._sum += np.einsum("ij->j", exact)
        self._power += float(np.einsum("ij,ij->", exact, exact))
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0.0)))
        held = np.concatenate((self._piece, samples))
        whole = len(held) // self._size * self._size
        first = self._frames - len(self._piece)
        for at in range(0, whole, self._size):
            self._tops.search(held[at : at + self._size], first + at)
        self._piece = held[whole:]
        self._frames += len(samples)

    def read(self) -> Levels:
        """The levels of everything fed so far."""
        if not self._frames:
            return Levels(why="no samples")
        if len(self._piece):
            self._tops.search(self._piece, self._frames - len(self._piece))
            self._piece = self._piece[:0]
        samples = self._frames * len(self._sum)
        return Levels(
            peak_dbfs=amplitude_db(self._peak),
            rms_dbfs=power_db(self._power / samples),
            clipped_runs=self._tops.count,
            clipped_ratio=self._tops.samples / samples,
            clipped_spans=self._tops.spans(),
            dc_offset_ratio=float(np.abs(self._sum).max()) / self._frames,
            decoded_s=self._frames / self._rate,
            why=None if self._peak > 0 else "every sample is zero",
        )


class FlatTops:
    """Runs of samples at the ceiling of their piece, for each polarity of each channel."""

    def __init__(self, rate_hz: int, least_s: float) -> None:
        self._rate = rate_hz
        self._least = max(FLAT_SAMPLES, round(least_s * rate_hz))
        self._places: list[tuple[int, int]] = []
        self.count = self.samples = 0

    def search(self, piece: Floats, start: int) -> None:
        """Take in samples (frames, channels) that begin at frame `start` and have one ceiling a side."""
        for channel in np.ascontiguousarray(piece.T):
            for top, side in ((channel.max(), channel), (-channel.min(), -channel)):
                if top >= LOWEST_CEILING:
                    self._count(runs(side >= top * (1 - FLAT_RATIO)), start)

    def _count(self, tops: NDArray[np.int64], start: int) -> None:
        flat = tops[tops[:, 1] - tops[:, 0] >= self._least]
        self.count += len(flat)
        self.samples += int((flat[:, 1] - flat[:, 0]).sum())
        room = max(MAX_SPANS - len(self._places), 0)
        self._places += [(int(first) + start, int(end) + start) for first, end in flat[:room]]

    def spans(self) -> tuple[Span, ...]:
        """Where they are, those within 50 ms of each other in one span."""
        spans: list[Span] = []
        for first, end in sorted(self._places):
            start_s, end_s = first / self._rate, end / self._rate
            if spans and start_s - spans[-1].end_s < JOIN_S:
                spans[-1] = Span(spans[-1].start_s, max(end_s, spans[-1].end_s))
            else:
                spans.append(Span(start_s, end_s))
        return tuple(spans)


SUBJECT = Subject("levels", LevelsLimits, Levels, LevelsMeter)


@SUBJECT.check(
    "CLIPPED",
    Severity.WARNING,
    says="is clipped: {detail}",
    hint="Record it again with the gain lower, peaks at -6 dBFS; turning down a clipped file does not mend it.",
    means="The tops of the waveform are cut flat, at full scale or below it, which is heard as a harsh crackle on loud "
    "syllables and is learned as part of the voice.",
    gravest=Severity.ERROR,
    also=(Speech,),
)
def clipped(levels: Levels, speech: Speech | None, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when flat tops come more often than chance makes them; grave when they are a share of the speech."""
    if not levels.clipped_runs or not levels.decoded_s:
        return
    share = levels.clipped_ratio / (speech.speech_ratio or 1.0 if speech is not None else 1.0)
    told = f"{levels.clipped_runs} flat top{'s' * (levels.clipped_runs > 1)}, {share:.2%} of the speech"
    if limits.max_clipped_ratio is not None and share > limits.max_clipped_ratio:
        yield Evidence(share, limits.max_clipped_ratio, levels.clipped_spans, detail=told, severity=Severity.ERROR)
        return
    rate, most = levels.clipped_runs / max(levels.decoded_s / 60, 1.0), limits.max_clipped_runs_per_minute
    if most is not None and rate > most:
        yield Evidence(rate, most, levels.clipped_spans, detail=told)


@SUBJECT.check(
    "DC_OFFSET",
    Severity.WARNING,
    says="has a constant offset of {value:.3f} of full scale; at most {limit:.3f} is wanted",
    hint="Check the interface; a high-pass filter at 20 Hz removes it.",
    means="The waveform is not centred on zero, which eats headroom and clicks at every cut.",
)
def dc_offset(levels: Levels, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when the mean sample of any channel is too far from zero."""
    offset, most = levels.dc_offset_ratio, limits.max_dc_offset_ratio
    if offset is not None and most is not None and offset > most:
        yield Evidence(offset, most)
