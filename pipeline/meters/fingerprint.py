"""Spectral peaks: the places in time and frequency that a codec, a level, a filter or a little noise leave where they are."""

import numpy as np
from numpy.typing import NDArray

from pipeline.kernels import Whole
from pipeline.records import Floats
from pipeline.series import Series

BIN_HZ = 31.25
LOWEST_BIN, HIGHEST_BIN = 10, 107
"""312 to 3,344 Hz: what a telephone lets through, for a copy may have gone through one."""

STEPS_A_BIN = 2
"""A peak is told to half a bin, by the parabola through its neighbours."""

NEAR_FRAMES, NEAR_BINS = 7, 5
"""A peak is the highest of what lies within 118 ms and 156 Hz: about 18 a second of speech stay."""

MEAN_FRAMES, MIN_RISE_DB = 15, 6.0
"""It stands this far over the mean of its bin within 0.25 s, so that hum and other steady tones have none."""

LOUD_FRAMES, MAX_DOWN_DB = 60, 25.0
"""It lies no further under the loudest within a second: what is fainter, noise of 20 dB SNR buries."""

AT_ONCE = 512
AROUND = LOUD_FRAMES + 1
LEAST_POWER = 1e-13


class SpectralPeaks:
    """Keeps 12 s of spectra, and 5 bytes a peak.

    Peaks as in Wang, "An industrial-strength audio search algorithm", ISMIR 2003, section 2.1. Frames are looked at in parts
    that lie where they lie whatever the blocks, each with the second before and behind it.
    """

    def __init__(self) -> None:
        hz = np.arange(LOWEST_BIN - 1, HIGHEST_BIN + 2) * BIN_HZ
        self._slope = np.square(hz / 1_000).astype(np.float32)
        self._rows: list[Floats] = []
        self._pending = 0
        self._held = np.empty((0, len(hz)), np.float32)
        self._first = 0
        self._done = 0
        self._frames, self._steps = Series(np.uint32), Series(np.uint8)

    def feed(self, spectra: Floats) -> None:
        """Take in power spectra (frames, 257) as a block carries them."""
        self._rows.append(spectra[:, LOWEST_BIN - 1 : HIGHEST_BIN + 2] * self._slope)
        self._pending += len(spectra)
        if len(self._held) + self._pending < 2 * AROUND + AT_ONCE:
            return
        self._gather()
        while self._first + len(self._held) >= self._done + AT_ONCE + AROUND:
            self._search(self._held, self._done + AT_ONCE)
            self._done += AT_ONCE
            spare = max(self._done - AROUND - self._first, 0)
            self._held, self._first = self._held[spare:], self._first + spare

    def read(self) -> tuple[Whole, Whole]:
        """The frame of each peak so far, in order, and its half bin, counted from the lowest."""
        self._gather()
        frames, steps = self._found(self._held, self._first + len(self._held))
        return (
            np.concatenate((self._frames.array().astype(np.int64), frames)),
            np.concatenate((self._steps.array().astype(np.int64), steps)),
        )

    def _gather(self) -> None:
        self._held = np.concatenate((self._held, *self._rows))
        self._rows, self._pending = [], 0

    def _search(self, power: Floats, until: int) -> None:
        frames, steps = self._found(power[: until + AROUND - self._first], until)
        self._frames.extend(frames)
        self._steps.extend(steps)

    def _found(self, power: Floats, until: int) -> tuple[Whole, Whole]:
        """The peaks in frames `done` to `until`, of the power in and around them."""
        if not len(power):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        before = np.concatenate((power[:1], power[:-1]))
        behind = np.concatenate((power[1:], power[-1:]))
        level = 10 * np.log10(np.maximum((before + 2 * power + behind) / 4, LEAST_POWER))
        high = _highest(_highest(level, NEAR_FRAMES).T, NEAR_BINS).T
        loudest = _highest(level.max(axis=1)[:, None], LOUD_FRAMES)
        own = slice(self._done - self._first, until - self._first)
        peak = (level[own] == high[own]) & (level[own] > loudest[own] - MAX_DOWN_DB)
        peak &= level[own] > level.min() + MIN_RISE_DB  # all must be; it spares the bins of digital silence
        peak[:, [0, -1]] = False
        rows, bins = np.divmod(np.flatnonzero(peak), level.shape[1])  # sooner than numpy.nonzero
        rows += own.start
        rises = level[rows, bins] > _mean(level, rows, bins) + MIN_RISE_DB
        rows, bins = rows[rises], bins[rises]
        left, top, right = (level[rows, bins + side].astype(np.float64) for side in (-1, 0, 1))
        shift = np.clip((left - right) / 2 / np.minimum(left - 2 * top + right, -1e-6), -0.5, 0.5)
        steps = np.rint((bins - 1 + shift) * STEPS_A_BIN).astype(np.int64) + 1
        return rows + self._first, steps


def _highest(values: Floats, reach: int) -> Floats:
    """The maximum of each value and of those up to `reach` away along the first axis."""
    filled = np.full((len(values) + 2 * reach, values.shape[1]), -np.inf, values.dtype)
    filled[reach : reach + len(values)] = values
    width, wide = 2 * reach + 1, 1
    while 2 * wide <= width:
        filled = np.maximum(filled[:-wide], filled[wide:])
        wide *= 2
    return np.maximum(filled[: len(values)], filled[width - wide :]) if width > wide else filled


def _mean(level: Floats, rows: Whole, bins: Whole) -> NDArray[np.float64]:
    """At each of some places, the mean of their bin within MEAN_FRAMES, the ends repeated beyond them."""
    around = np.clip(rows[:, None] + np.arange(-MEAN_FRAMES, MEAN_FRAMES + 1), 0, len(level) - 1)
    mean: NDArray[np.float64] = level[around, bins[:, None]].mean(axis=1, dtype=np.float64)
    return mean
