"""Gaps of silence that break off inside sound and end inside sound, as a lost packet or an overrun buffer leaves them.

A voice cannot do that: its formants ring for some milliseconds after the glottis or the lips have closed, and a pause
begins behind a word that has died away. What a codec smears into a gap dies away too, but to nothing, where the closure
of a stop keeps the noise of the room. Everything is told by the swing of the samples, highest less lowest, in cells of a
millisecond: rumble hardly moves it, and where it is zero the samples stand still.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import runs
from pipeline.records import Floats, Span

CELL_HZ, LONGEST_S = 1_000, 1.0
CHUNK, OVERLAP = 16_384, 4_096
"""Cells that are judged at once, and those of them that are judged again with the next: more than a gap and its
surroundings last."""

SIDE_CELLS, EDGE_CELLS, INSIDE_CELLS = 10, 3, 6
"""Two glottal pulses are up to 10 ms apart, so that a side is as loud as its loudest 10 ms, and an edge takes 3 ms at
most."""

LOUD_DB, LOWEST_DBFS = 21.5, -50.0
"""A side is speech down to that far under the level that 5 % of the cells around exceed, and where it swings that high."""

RARE_DB = 20.0
"""Speech that is less than 5 % of the cells around is told by being so near to the loudest."""

ABRUPT_DB, CLICK_DB = 15.0, 25.0
"""So near to the loudest of its 10 ms are a side's 3 ms at the gap, where a fade is further down, and its 5 ms away from it,
where lips that smacked are."""

SHORTEST_STILL_CELLS, COARSE_BITS, SHORTEST_COARSE_CELLS = 2, 8, 20
"""In steps of 8 bits a voice stands still between two glottal pulses."""

LEAST_STEPS = 10
"""A side swings at least so many steps of the file's resolution: a voice that is fainter breaks off in the rounding."""

STUCK_RATIO = 0.7
"""A sample stuck under that share of the peaks beside it; over it, the gap is a flat top."""

SHORTEST_CELLS, FALL_DB, RISE_DB, HOLD_DB = 8, 20.0, 14.0, 10.0
"""Gaps that are not still: within 4 ms sound falls by the first for 6 ms, rises by the second and keeps under both sides
by the third."""

DEEP_DB, DEEPER_DB, DEEPEST_DB = 30.0, 0.8, 58.0
"""And its deepest 5 ms lie that far under its sides when it lasts 10 ms, so much further for each more, and that at most:
codecs ring for 20 to 50 ms, and the closures of stops end at the noise of the room."""

MAX_SPANS = 1_000
JOIN_S = 0.005
"""Gaps so near to each other are one."""

Cells = NDArray[np.floating]


class DropoutMeter:
    """Keeps 16 seconds of swings, and the places of 1,000 gaps; `count` is how many there were."""

    def __init__(self, rate_hz: int, channels: int, bits: int | None) -> None:
        self._cell = max(round(rate_hz / CELL_HZ), 1)
        self._hz = rate_hz / self._cell
        self._still = SHORTEST_COARSE_CELLS if bits is not None and bits <= COARSE_BITS else SHORTEST_STILL_CELLS
        self._lowest = max(ratio(LOWEST_DBFS), 0.0 if bits is None else LEAST_STEPS * 2.0 ** (1 - bits))
        self._rest = np.empty((channels, 0), np.float32)
        self._extremes: list[Floats] = []
        self._cells = self._first = self._from = 0
        self._spans: list[Span] = []
        self._end = -1.0
        self.count = 0

    def feed(self, samples: Floats) -> None:
        """Take in the next samples (frames, channels)."""
        planes, missing = samples.T, -self._rest.shape[1] % self._cell
        begun, planes = np.concatenate((self._rest, planes[:, :missing]), axis=1), planes[:, missing:]
        if begun.shape[1] % self._cell:
            self._rest = begun
            return
        whole = planes.shape[1] // self._cell * self._cell
        self._take(begun)
        self._take(planes[:, :whole])
        self._rest = planes[:, whole:].copy()
        while self._cells > CHUNK:
            self._judge(CHUNK, CHUNK - OVERLAP // 2)
            self._drop(CHUNK - OVERLAP)

    def _take(self, planes: Floats) -> None:
        """Keep the extremes of whole cells."""
        if planes.shape[1]:
            self._extremes.append(np.array(kernels.extremes(planes, self._cell)))
            self._cells += self._extremes[-1].shape[2]

    def _drop(self, cells: int) -> None:
        """Forget the first so many cells, which have been judged."""
        self._extremes = [np.concatenate(self._extremes, axis=2)[:, :, cells:].copy()]
        self._cells, self._first = self._cells - cells, self._first + cells

    def finish(self) -> None:
        """Judge what is left, after the last sample."""
        if self._cells:
            self._judge(self._cells, self._cells)
            self._drop(self._cells)

    def spans(self) -> tuple[Span, ...]:
        """Where the gaps are, those of all channels together, at most 1,000."""
        return tuple(self._spans)

    def _judge(self, cells: int, until: int) -> None:
        """Count the gaps that begin before cell `until`; what began before the last call's was counted then."""
        found: list[tuple[int, int]] = []
        for high, low in np.concatenate(self._extremes, axis=2)[:, :, :cells].transpose(1, 0, 2):
            found += Swings(high, low, self._lowest).gaps(self._still)
        for begin, end in sorted(found):
            if not self._from <= self._first + begin < self._first + until:
                continue
            start_s, end_s = (self._first + begin) / self._hz, (self._first + end) / self._hz
            if start_s > self._end + JOIN_S:
                self.count += 1
                if len(self._spans) < MAX_SPANS:
                    self._spans.append(Span(start_s, end_s))
            self._end = max(self._end, end_s)
        self._from = self._first + until


class Swings:
    """How far the samples of one channel swing in every cell, and the places where that falls and rises as no voice does."""

    def __init__(self, high: Cells, low: Cells, lowest: float) -> None:
        self._high, self._low, self._lowest = high, low, lowest
        self._swing = (high - low) / 2
        self._power = np.square(self._swing)
        self._loud = self._side_level()

    def gaps(self, shortest_still: int) -> list[tuple[int, int]]:
        """First cell and end of every gap."""
        if len(self._swing) < 2 * SIDE_CELLS or not self._loud:
            return []
        still = [
            (int(k), int(end))
            for k, end in runs(self._swing == 0)
            if shortest_still <= end - k <= LONGEST_S * CELL_HZ and self._beside(k, end)
        ]
        return still + self._smeared(max(shortest_still, SHORTEST_CELLS))

    def _side_level(self) -> float:
        """The mean power in 10 ms from which on sound is speech; zero where there is none."""
        if len(self._power) < SIDE_CELLS:
            return 0.0
        whole = len(self._power) // SIDE_CELLS * SIDE_CELLS
        means = self._power[:whole].reshape(-1, SIDE_CELLS).mean(axis=1)
        rank = int(0.95 * (len(means) - 1))
        speech = max(float(np.partition(means, rank)[rank]), float(means.max()) / ratio(RARE_DB) ** 2)
        return speech / ratio(LOUD_DB) ** 2

    def _beside(self, first: int, end: int) -> tuple[float, float] | None:
        """The loudest cell before and after a gap, when both sides are speech up to its edges."""
        if first < SIDE_CELLS or end + SIDE_CELLS > len(self._swing):
            return None
        levels = []
        before, after = self._swing[first - SIDE_CELLS : first][::-1], self._swing[end : end + SIDE_CELLS]
        for side in (before, after):
            loudest, near, far = float(side.max()), float(side[:EDGE_CELLS].max()), float(side[SIDE_CELLS // 2 :].max())
            if loudest < self._lowest or float(side @ side) < SIDE_CELLS * self._loud:
                return None
            if near < loudest / ratio(ABRUPT_DB) or far < loudest / ratio(CLICK_DB):
                return None
            levels.append(loudest)
        around, middle = slice(first - SIDE_CELLS, end + SIDE_CELLS), (first + end) // 2
        peak = max(float(self._high[around].max()), -float(self._low[around].min()))
        if abs(float(self._high[middle] + self._low[middle])) / 2 > STUCK_RATIO * peak:
            return None
        return levels[0], levels[1]

    def _smeared(self, shortest: int) -> list[tuple[int, int]]:
        """Gaps in which something is left, from so many cells on."""
        near, inside = self._highest(EDGE_CELLS), self._highest(INSIDE_CELLS)
        quiet = np.float32(self._loud**0.5 * ratio(-20.0))
        # The highest of the three cells before each against that of the six after it.
        falls = near[: len(inside) - EDGE_CELLS - 1] / np.maximum(inside[EDGE_CELLS + 1 :], quiet)
        found: list[tuple[int, int]] = []
        for begin in sharpest(falls, ratio(FALL_DB), EDGE_CELLS):
            first, last = begin + 1 + shortest, self._held(begin) + 1
            risen = near[first:last]
            rises = risen / np.maximum(inside[first - INSIDE_CELLS :][: len(risen)], quiet)
            ends = sharpest(rises, ratio(RISE_DB), first)
            found += [(begin, end) for end in ends if self._deep(begin, end)][:1]
        return found

    def _held(self, begin: int) -> int:
        """The first cell behind a fall that is loud again, or too far behind."""
        loudest = self._swing[max(begin - SIDE_CELLS, 0) : begin].max()
        after = self._swing[begin + 1 : begin + 1 + round(LONGEST_S * CELL_HZ)]
        over = after > loudest / np.float32(ratio(HOLD_DB))
        return begin + 1 + int(over.argmax() if over.any() else len(over))

    def _highest(self, cells: int) -> Cells:
        """The highest swing of so many cells from each."""
        count = len(self._swing) - cells + 1
        highest: Cells = self._swing[:count]
        for by in range(1, cells):
            highest = np.maximum(highest, self._swing[by : by + count])
        return highest

    def _deep(self, begin: int, end: int) -> bool:
        """Whether sound keeps low from a fall to a rise and gets as low as a gap of that length is."""
        beside = self._beside(begin, end)
        inside = slice(begin + 1, end)
        if beside is None or float(self._swing[inside].max()) > min(beside) / ratio(HOLD_DB):
            return False
        lowest = np.convolve(self._power[inside], np.full(5, 0.2), "valid").min()
        deep_db = min(DEEP_DB + DEEPER_DB * (end - begin - 10), DEEPEST_DB)
        return bool(lowest * ratio(deep_db) ** 2 <= beside[0] * beside[1])


def ratio(db: float) -> float:
    """Of amplitudes."""
    return float(10 ** (db / 20))


def sharpest(steps: Cells, least: float, first: int) -> list[int]:
    """Of every stretch of steps that are large enough, the largest; the first step is that of cell `first`."""
    large = steps >= np.float32(least)
    return [int(first + k + steps[k:end].argmax()) for k, end in runs(large)] if large.any() else []
