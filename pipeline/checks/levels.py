"""Levels: peak, mean power, constant offset and flat tops of the samples as they are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import amplitude_db, power_db, runs
from pipeline.readings import Levels
from pipeline.records import Block, Evidence, Floats, Severity, Span, StreamInfo

FLAT_RUN = 3
"""Neighbouring samples at the ceiling that make a flat top; a peak that is merely sampled twice has two."""

FLAT_RATIO = 1e-4
"""How far under the ceiling a sample still counts as being at it: three steps of 16 bit at full scale."""

LOWEST_CEILING = 0.05
"""Under -26 dBFS nothing was clipped by a converter or a limiter; coarse steps of faint audio would look flat."""

JOIN_S = 0.05
MAX_SPANS = 1_000


@dataclass(frozen=True, slots=True)
class LevelsLimits(Limits):
    """How much clipping and offset a clip may have."""

    max_clipped_runs_per_minute: float = limit(2.0, "a peak that happens to be sampled flat occurs about once a minute")
    max_clipped_ratio: float = limit(
        0.001, "of all samples: a flat top in every few words is part of the voice by then"
    )
    max_dc_offset_ratio: float = limit(0.01, "of full scale: one per cent costs no headroom worth mentioning")


class LevelsMeter:
    """Keeps sums, and the spans of flat tops at the ceiling so far, at most 1,000."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate = info.sample_rate
        self._sum = np.zeros(info.channels)
        self._power = 0.0
        self._frames = 0
        self._tops = [_FlatTops(channel, sign) for channel in range(info.channels) for sign in (1.0, -1.0)]

    def feed(self, block: Block) -> None:
        """Take in a block."""
        samples = block.samples
        self._sum += samples.sum(axis=0, dtype=np.float64)
        self._power += float(np.einsum("ij,ij->", samples, samples, dtype=np.float64))
        self._frames += len(samples)
        for top in self._tops:
            top.feed(samples, block.start)

    def read(self) -> Levels:
        """The levels of everything fed so far."""
        if not self._frames:
            return Levels(why="no samples")
        for top in self._tops:
            top.finish()
        peak = max(top.ceiling for top in self._tops)
        clipped = [run for top in self._tops if top.ceiling >= LOWEST_CEILING for run in top.runs]
        count = sum(top.count for top in self._tops if top.ceiling >= LOWEST_CEILING)
        flat = sum(top.samples for top in self._tops if top.ceiling >= LOWEST_CEILING)
        samples = self._frames * len(self._sum)
        return Levels(
            peak_dbfs=amplitude_db(peak),
            rms_dbfs=power_db(self._power / samples),
            clipped_runs=count,
            clipped_ratio=flat / samples,
            clipped_spans=_joined(clipped, self._rate),
            dc_offset_ratio=float(np.abs(self._sum).max()) / self._frames,
            why=None if peak > 0 else "every sample is zero",
        )


class _FlatTops:
    """Flat tops of one polarity of one channel, at the highest level so far: a new ceiling forgets those under it."""

    def __init__(self, channel: int, sign: float) -> None:
        self._channel, self._sign = channel, sign
        self._open: tuple[int, int] | None = None
        self.ceiling = 0.0
        self.count = self.samples = 0
        self.runs: list[tuple[int, int]] = []

    def feed(self, samples: Floats, start: int) -> None:
        signed = samples[:, self._channel]
        highest = float(signed.max() if self._sign > 0 else -signed.min())
        if highest > self.ceiling * (1 + FLAT_RATIO):
            self._open, self.count, self.samples, self.runs = None, 0, 0, []
        self.ceiling = max(self.ceiling, highest)
        bound = self.ceiling * (1 - FLAT_RATIO)
        if highest < bound or self.ceiling == 0.0:
            self.finish()
            return
        at = (signed >= bound) if self._sign > 0 else (signed <= -bound)
        for first, end in runs(at) + start:
            if self._open is not None and first == self._open[1]:
                self._open = (self._open[0], int(end))
            else:
                self.finish()
                self._open = (int(first), int(end))
        if self._open is not None and self._open[1] != start + len(samples):
            self.finish()

    def finish(self) -> None:
        if self._open is not None and self._open[1] - self._open[0] >= FLAT_RUN:
            self.count += 1
            self.samples += self._open[1] - self._open[0]
            if len(self.runs) < MAX_SPANS:
                self.runs.append(self._open)
        self._open = None


def _joined(clipped: list[tuple[int, int]], rate_hz: int) -> tuple[Span, ...]:
    spans: list[Span] = []
    for first, end in sorted(clipped):
        start_s, end_s = first / rate_hz, end / rate_hz
        if spans and start_s - spans[-1].end_s < JOIN_S:
            spans[-1] = Span(spans[-1].start_s, max(end_s, spans[-1].end_s))
        else:
            spans.append(Span(start_s, end_s))
    return tuple(spans[:MAX_SPANS])


SUBJECT = Subject("levels", LevelsLimits, Levels, LevelsMeter)


@SUBJECT.check(
    "CLIPPED",
    Severity.WARNING,
    says="is clipped: {detail}",
    hint="Record it again with the gain lower, peaks at -6 dBFS; turning down a clipped file does not mend it.",
    means="The tops of the waveform are cut flat, at full scale or below it, which is heard as a harsh crackle on loud "
    "syllables and is learned as part of the voice.",
    gravest=Severity.ERROR,
)
def clipped(levels: Levels, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when flat tops come more often than chance makes them; grave when they are a share of the clip."""
    if not levels.clipped_runs or levels.why is not None:
        return
    seconds = sum(span.length_s for span in levels.clipped_spans)
    told = f"{levels.clipped_runs} flat tops, {levels.clipped_ratio:.2%} of its samples"
    if limits.max_clipped_ratio is not None and levels.clipped_ratio > limits.max_clipped_ratio:
        yield Evidence(
            levels.clipped_ratio, limits.max_clipped_ratio, levels.clipped_spans, detail=told, severity=Severity.ERROR
        )
    elif levels.clipped_runs > limits.max_clipped_runs_per_minute * max(1.0, seconds / 60):
        yield Evidence(levels.clipped_runs, limits.max_clipped_runs_per_minute, levels.clipped_spans, detail=told)


@SUBJECT.check(
    "DC_OFFSET",
    Severity.WARNING,
    says="has a constant offset of {value:.3f} of full scale; at most {limit:.3f} is wanted",
    hint="Check the interface; a high-pass filter at 20 Hz removes it.",
    means="The waveform is not centred on zero, which eats headroom and clicks at every cut.",
)
def dc_offset(levels: Levels, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when the mean sample of any channel is too far from zero."""
    if levels.dc_offset_ratio is not None and levels.dc_offset_ratio > limits.max_dc_offset_ratio:
        yield Evidence(levels.dc_offset_ratio, limits.max_dc_offset_ratio)
