"""Steady partials: spectral peaks that keep their frequency for half a second, as notes do and voices do not.

The idea is that of Seyerlehner et al., "Automatic music detection in television productions" (DAFx 2007): in music the same
frequencies stay on while those of speech glide. There whole spectra are compared over seconds; here each peak is followed
by its interpolated frequency, so that a few partials between the harmonics of a voice are enough. A sung or spoken vowel
moves by tens of cents in half a second; an instrument's note by less than five.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import Doubles, hann
from pipeline.records import Floats
from pipeline.series import Series

RATE_HZ = 16_000
SIZE, HOP = 4_096, 1_600
"""A quarter of a second tells partials apart that lie 8 Hz from each other; a tenth is how far frames are apart."""

BINS = 1_024
BIN_HZ = RATE_HZ / SIZE
"""Up to 4 kHz: most partials lie there, and it is all that a telephone line passes."""

LOWEST_BIN = 20
"""78 Hz: below lie rumble, and hum's first harmonic."""

AROUND, STANDS_OUT_DB = 12, 9.0
"""A peak stands this far over the mean level, in dB, of so many bins on either side."""

FIRST_BIN, END_BIN = LOWEST_BIN - AROUND - 1, BINS + AROUND
"""What must be transformed for that."""

STEADY_FRAMES = 5
"""For this many frames after its own a peak must be found again."""

STEADY_BINS, STEADY_RATIO = 0.35, 0.003
"""How far from its frequency: what noise moves the interpolated peak by, or five cents."""

RANGE_DB = 12.0
"""A partial whose level moves by this much on the way is a vowel that dies away in a room, and stands still only because the room
rings on: it rises with the voice and falls by 60 dB in the room's reverberation time. Of music it costs the short notes of
plucked strings."""

STEPS = 8
"""Frequencies are kept in eighths of a bin, half a hertz."""

SILENT = 1e-9
"""A power so far under a 16 bit step that it only keeps logarithms finite."""

AT_ONCE = 32
"""Frames are looked at by so many, for the sake of speed."""


class SteadyPartials:
    """Follows the peaks of a 16 kHz signal. Keeps two bytes for each steady one: up to 1 MB an hour of full music."""

    def __init__(self) -> None:
        self._window = hann(SIZE + 1)[:-1].astype(np.float32)
        self._held = np.zeros(SIZE // 2, np.float32)
        self._peaks = np.empty((0, BINS), np.float32)
        self._level_db = np.empty((0, END_BIN - FIRST_BIN), np.float32)
        self._counts, self._steady = Series(np.uint16), Series(np.uint16)

    def feed(self, samples: Floats) -> None:
        """Take in more samples."""
        self._held = np.concatenate((self._held, samples))
        while (len(self._held) - SIZE) // HOP + 1 >= AT_ONCE:
            self._look(AT_ONCE)

    def finish(self) -> None:
        """Take the signal for ended; frames whose followers are missing have no steady peaks."""
        self.feed(np.zeros(SIZE // 2, np.float32))
        if len(self._held) >= SIZE:
            self._look((len(self._held) - SIZE) // HOP + 1)

    def frames(self) -> int:
        """How many frames, 0.1 s apart and the first around the signal's first sample, have been decided on."""
        return len(self._counts.array())

    def steady(self) -> tuple[NDArray[np.int64], Doubles]:
        """Each steady peak's frame and its frequency in hertz."""
        counts = self._counts.array()
        return np.repeat(np.arange(len(counts)), counts), self._steady.array() * (BIN_HZ / STEPS)

    def _look(self, frames: int) -> None:
        windows = np.lib.stride_tricks.sliding_window_view(self._held, SIZE)[: frames * HOP : HOP]
        self._held = self._held[frames * HOP :]
        power = kernels.power_spectra(windows, self._window, FIRST_BIN, END_BIN)
        level_db = 10 * np.log10(power + np.float32(SILENT))
        self._peaks = np.concatenate((self._peaks, _peaks(level_db)))
        self._level_db = np.concatenate((self._level_db, level_db))
        self._decide(max(len(self._peaks) - STEADY_FRAMES, 0))

    def _decide(self, frames: int) -> None:
        """Which peaks of the first frames are found again in each of the frames that follow, about as loud."""
        seen = self._peaks
        frame, bin_ = _true(seen[:frames] > 0)
        place = seen[frame, bin_]
        bound = np.maximum(STEADY_BINS, STEADY_RATIO * place)
        for after in range(1, STEADY_FRAMES + 1):
            near = np.minimum(bin_[:, None] + np.arange(-2, 3), BINS - 1)
            again = np.abs(seen[(frame + after)[:, None], near] - place[:, None]).min(axis=1) < bound
            frame, bin_, place, bound = frame[again], bin_[again], place[again], bound[again]
        meanwhile = frame[:, None] + np.arange(STEADY_FRAMES + 1)
        lasts = np.ptp(self._level_db[meanwhile, (bin_ - FIRST_BIN)[:, None]], axis=1) < RANGE_DB
        self._counts.extend(np.bincount(frame[lasts], minlength=frames))
        self._steady.extend(np.round(place[lasts] * STEPS))
        self._peaks, self._level_db = seen[frames:], self._level_db[frames:]


def _true(table: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The rows and columns that are true, sooner than from `numpy.nonzero`."""
    row, column = np.divmod(np.flatnonzero(table), table.shape[1])
    return row, column


def _peaks(level_db: Floats) -> Floats:
    """Interpolated frequencies, in bins, at the bins that are peaks, and far below zero elsewhere.

    `level_db` reaches `AROUND` bins further on either side. The parabola through a peak's three levels in dB is Smith and
    Serra's (PARSHL, ICMC 1987).
    """
    sums = np.cumsum(level_db, axis=1)
    width = 2 * AROUND + 1
    inner = level_db[:, AROUND + 1 : -AROUND]
    stands = (inner - np.float32(STANDS_OUT_DB)) * np.float32(width) > sums[:, width:] - sums[:, :-width]
    rises = level_db[:, AROUND + 1 : 1 - AROUND] > level_db[:, AROUND:-AROUND]
    stands &= rises[:, :-1] & ~rises[:, 1:]
    frame, column = _true(stands)
    left, top, right = (level_db[frame, column + AROUND + 1 + side] for side in (-1, 0, 1))
    found = np.full((len(level_db), BINS), -SIZE, np.float32)
    bin_ = column + LOWEST_BIN
    found[frame, bin_] = bin_ + 0.5 * (left - right) / np.minimum(left - 2 * top + right, -1e-3)
    return found
