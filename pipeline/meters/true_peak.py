"""True peak by ITU-R BS.1770-5 annex 2: the highest point of the waveform between the samples."""

import numpy as np

from pipeline.dsp import amplitude_db, interpolator
from pipeline.records import Floats

TARGET_HZ = 192_000
TAPS = 32
"""Per phase. The standard's example has 12 and reads up to 0.5 dB low near half the sample rate, where 32 still hold."""

CELL = 32
"""Points between so many samples are looked at or passed over together."""

FIRST_CELLS = 4
"""The most promising cells are looked at before the others, which then seldom can win."""


class TruePeakMeter:
    """Keeps the last 31 samples of each channel, and the best peak so far.

    A cell whose sample peak, raised by the most that the filter can add, stays under the best so far cannot win and is
    not oversampled: the answer is the same for a fraction of the work.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        factor = -(-TARGET_HZ // rate_hz)
        phases = interpolator(factor, TAPS)[1:]  # the first passes the samples themselves
        self._gain = float(np.abs(phases).sum(axis=1).max()) if factor > 1 else 1.0
        between = np.zeros((CELL + TAPS - 1, factor - 1, CELL), np.float32)
        for at in range(CELL):
            between[at : at + TAPS, :, at] = phases.T
        self._between: Floats = between.reshape(CELL + TAPS - 1, -1)
        self._tail = np.zeros((channels, TAPS - 1), np.float32)
        self._best = 0.0

    def feed(self, samples: Floats) -> None:
        """Take in samples (frames, channels)."""
        planes = np.concatenate((self._tail, samples.T), axis=1)
        self._tail = planes[:, planes.shape[1] - (TAPS - 1) :]
        for plane in planes:
            self._search(plane)

    def true_peak_dbtp(self) -> float | None:
        """The highest value so far, with the waveform running out into silence; `None` for silence."""
        for plane in self._tail:
            self._search(np.concatenate((plane, np.zeros(TAPS - 1, np.float32))))
        return amplitude_db(self._best)

    def _search(self, plane: Floats) -> None:
        """Oversample the cells that could lead to a new best; elsewhere nothing can."""
        points = len(plane) - (TAPS - 1)
        if points <= 0:
            return
        magnitude = np.abs(plane)
        highest = np.maximum.reduceat(magnitude, np.arange(0, len(plane), CELL))
        self._best = max(self._best, float(highest.max()))
        if float(highest.max()) * self._gain <= self._best:
            return
        padded = np.pad(plane, (0, CELL + TAPS))
        cells = np.lib.stride_tricks.sliding_window_view(padded, CELL + TAPS - 1)[::CELL][: -(-points // CELL)]
        # A point of a cell is made of samples of that cell and the next; the last points run out into padding.
        reach = self._gain * np.maximum(highest, np.append(highest[1:], 0.0))[: len(cells)]
        promising = np.flatnonzero(reach > self._best)
        promising = promising[np.argsort(-reach[promising])]
        for cells_at in (promising[:FIRST_CELLS], promising[FIRST_CELLS:]):
            open_ = cells_at[reach[cells_at] > self._best]
            if len(open_):
                self._best = max(self._best, self._peak_between(cells[open_], points - open_ * CELL))

    def _peak_between(self, cells: Floats, points: np.ndarray) -> float:
        """The highest point between samples, of those in each cell that the signal reaches."""
        made = np.abs(cells @ self._between)
        for last in np.flatnonzero(points < CELL):
            made[last].reshape(-1, CELL)[:, points[last] :] = 0.0
        return float(made.max(initial=0.0))
