"""Tops of the waveform that were cut off: flat ones, and such as a codec or a filter has bent since.

A flat top is a run of equal samples at the ceiling. After a lossy codec, a resampler or a high-pass filter no samples are
equal any more, but the tops still pile up at one height, and there they are broader than the same voice's lower tops: a cut
wave comes up steeply and stays under its roof. A limiter makes tops of one height too, but leaves them round.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import Doubles
from pipeline.records import Floats, Span
from pipeline.series import Series

FLAT_SAMPLES, FLAT_S = 3, 60e-6
"""Neighbouring samples at the ceiling that make a flat top: three, and at high rates as many as last 60 us, for there a
round peak keeps near its height for longer. In 68 minutes of clean readings there was none."""

COARSE_BITS, COARSE_FLAT_S = 8, 1e-3
"""The steps of 8 bits, mu-law and A-law are so wide that a round peak is flat for half a millisecond."""

FLAT_RATIO = 1e-4
"""How far under the ceiling a sample still counts as being at it: three steps of 16 bit at full scale."""

LOWEST_CEILING, COARSE_LOWEST_CEILING = 0.05, 0.3
"""Under -26 dBFS nothing was clipped by a converter or a limiter; coarse steps of faint audio would look flat."""

WINDOW_PIECES = 30
"""Bent tops are judged together over so many pieces: one alone proves nothing."""

FOOT_RATIO, LOWEST_TOP_RATIO = 0.36, 0.58
"""Of the highest sample of its piece: where a top begins, and how high it is at least."""

CROWN = 0.8
"""A top's height is the mean of its samples over this share of the highest, for a codec's ripple moves the highest alone."""

ROOF, WAIST = 0.98, 0.75
"""Of that height: a top is broad when it is nearly as wide at the roof as at the waist."""

LEAST_WAIST = 2.5
"""Narrower tops, in samples, are drawn by so few points that they have no shape."""

MOST_TOPS = 300
"""The highest tops of a piece that are kept: a voice has no more periods in a second."""

BAND_DB = 0.75
"""Tops so far over and under a ceiling are held by it, for a codec adds to them and takes from them."""

CEILINGS_DB = np.arange(0.0, 4.01, 0.25)
"""Under the highest top, where a ceiling is looked for: a codec's overshoot may lie over it."""

LEAST_TOPS, MOST_ABOVE_RATIO, LEAST_PILE = 6, 0.34, -0.5
"""A ceiling has some tops, few above it, and hardly more under it (see `ceilings`), or it is none."""

VOICE_RATIO, VOICE_TOPS = 0.47, 10
"""Roof over waist of the tops of a voice, a little under a parabola's 0.53, and how many of its own lower tops outweigh it."""

SPREAD, BETWEEN = 0.09, 0.015
"""How much roof over waist differs from top to top, and between heights of the same voice."""

PILE_WEIGHT, MOST_PILE, LEAST_EVIDENCE = 0.5, 0.7, 3.5
"""A ceiling is proved by its breadth and half its pile, both from a logistic regression on clipped, clean and mastered readings,
lossless and coded; of 216 clean or mastered readings of 5 to 20 s none gets to 2.8, of 123 utterances as published one to 3.3.
A tone, all of one height, has no more pile than a clipped voice."""

CUT_RATIO = 0.53
"""Roof over waist of a single top that counts as cut: a parabola's."""

JOIN_S = 0.05
MAX_SPANS = 1_000


class CutTops:
    """Counts flat and bent tops of all channels; keeps the places of 1,000, and the outlines of half a minute of tops.

    `count` is how many there are, `rounded` how many of them are bent, `samples` how many samples the flat ones hold in all,
    `peak` the highest magnitude of any sample.
    """

    def __init__(self, rate_hz: int, channels: int, bits: int | None) -> None:
        coarse = bits is not None and bits <= COARSE_BITS
        self._rate = rate_hz
        self._least = max(FLAT_SAMPLES, round((COARSE_FLAT_S if coarse else FLAT_S) * rate_hz))
        self._lowest_bent = COARSE_LOWEST_CEILING if coarse else LOWEST_CEILING
        self._places: list[tuple[float, float]] = []
        self._sides = {
            (number, sign): Series(np.float64, columns=4) for number in range(channels) for sign in (1.0, -1.0)
        }
        self._pieces = 0
        self.count = self.rounded = self.samples = 0
        self.peak = 0.0

    def search(self, piece: Floats, start: int) -> None:
        """Take in samples (channels, frames) that begin at frame `start` and have one ceiling a side."""
        high, low = kernels.extremes(piece, piece.shape[1])
        self.peak = max(self.peak, float(high.max()), -float(low.min()))
        for number, channel in enumerate(piece):
            for sign, top in ((1.0, float(high[number, 0])), (-1.0, -float(low[number, 0]))):
                if top >= LOWEST_CEILING:
                    self._search_side(self._sides[number, sign], kernels.Side(channel, sign), top, start)
        self._pieces += 1
        if self._pieces == WINDOW_PIECES:
            self.finish()

    def _search_side(self, kept: Series, side: kernels.Side, top: float, start: int) -> None:
        level = kernels.runs_over(side, top * (1 - FLAT_RATIO))
        flat = level[level[:, 1] - level[:, 0] >= self._least]
        if len(flat):
            self.samples += int((flat[:, 1] - flat[:, 0]).sum())
            self._add(flat + start)
        elif top >= self._lowest_bent:
            found = kernels.tops(
                side, kernels.Shape(FOOT_RATIO * top, LOWEST_TOP_RATIO * top, CROWN, ROOF, WAIST, LEAST_WAIST)
            )
            if len(found) > MOST_TOPS:
                found = found[np.argpartition(found[:, 1], -MOST_TOPS)[-MOST_TOPS:]]
            found[:, 0] += start
            kept.extend(found)

    def finish(self) -> None:
        """Judge the bent tops of the pieces since the last time."""
        for side, kept in self._sides.items():
            cut = bent(kept.array())
            self.rounded += len(cut)
            self._add(cut)
            self._sides[side] = Series(np.float64, columns=4)
        self._pieces = 0

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

    def _add(self, tops: NDArray[np.int64] | Doubles) -> None:
        self.count += len(tops)
        room = max(MAX_SPANS - len(self._places), 0)
        self._places += [(float(first), float(end)) for first, end in tops[:room]]


def bent(tops: Doubles) -> Doubles:
    """The tops that were cut at one ceiling, from where to where (n, 2); none unless together they prove one."""
    tops = tops[np.argsort(-tops[:, 1], kind="stable")]
    ratios = tops[:, 2] / tops[:, 3]
    evidence, bounds = ceilings(tops[:, 1], ratios)
    if not len(evidence):
        return np.empty((0, 2))
    best = int(evidence.argmax())
    if evidence[best] < LEAST_EVIDENCE:
        return np.empty((0, 2))
    held = tops[: bounds[best]]
    cut = held[ratios[: bounds[best]] > CUT_RATIO]
    return cut[:, :1] + cut[:, 2:3] * (-0.5, 0.5)


def ceilings(heights: Doubles, ratios: Doubles) -> tuple[Doubles, NDArray[np.int64]]:
    """What speaks for each possible ceiling over tops in falling order, and how many tops reach it.

    How they pile up is the logarithm of how many it holds for one in the next 1.5 dB below. How broad they are is in
    deviations over the voice's tops of the next 3 dB below.
    """
    if len(heights) < LEAST_TOPS:
        return np.empty(0), np.empty(0, np.int64)
    under_db = 20 * np.log10(heights[0] / heights)
    bounds = np.searchsorted(under_db, CEILINGS_DB[:, None] + BAND_DB * np.array([-1, 1, 3, 5]))
    above, held, below = bounds[:, 0], bounds[:, 1] - bounds[:, 0], bounds[:, 3] - bounds[:, 1] + VOICE_TOPS
    sums = np.concatenate(([0.0], np.cumsum(ratios)))[bounds]
    pile = np.log((held + 3) / (bounds[:, 2] - bounds[:, 1] + 3))
    kept = (held >= LEAST_TOPS) & (above <= MOST_ABOVE_RATIO * held) & (pile >= LEAST_PILE)
    held = np.maximum(held, 1)
    expected = (sums[:, 3] - sums[:, 1] + VOICE_RATIO * VOICE_TOPS) / below
    broader = (sums[:, 1] - sums[:, 0]) / held - expected
    breadth = broader / np.sqrt(SPREAD**2 * (1 / held + 1 / below) + BETWEEN**2)
    return (breadth + PILE_WEIGHT * np.minimum(pile, MOST_PILE))[kept], bounds[kept, 1]
