"""Power spectra of the frames in which voice activity is told, so that what sounds and who speaks share one grid."""

import numpy as np

from pipeline import kernels
from pipeline.dsp import hann
from pipeline.records import Activity, Floats

SIZE = 512
BINS = SIZE // 2 + 1
BIN_HZ = Activity.RATE_HZ / SIZE

BEFORE = (SIZE - Activity.HOP) // 2
"""A window reaches this far over either end of its frame, into silence at the ends of a clip."""

AT_ONCE = 256


class FrameSpectra:
    """A spectrum per frame of 270 samples at 16 kHz, as `Block.spectra` says. Keeps under 800 samples between calls."""

    def __init__(self) -> None:
        window = hann(SIZE + 1)[:-1]
        self._window = (window / np.sqrt(np.square(window).sum() * SIZE)).astype(np.float32)
        self._held = np.zeros(BEFORE, np.float32)
        self._owed = 0

    def feed(self, samples: Floats) -> Floats:
        """The spectra (frames, 257) of the frames whose windows are full."""
        self._owed += len(samples)
        self._held = np.concatenate((self._held, samples))
        return self._taken(max((len(self._held) - SIZE) // Activity.HOP + 1, 0))

    def finish(self) -> Floats:
        """The spectra still owed, one for each frame begun, with silence behind the end."""
        self._held = np.concatenate((self._held, np.zeros(SIZE + Activity.HOP, np.float32)))
        return self._taken(-(-self._owed // Activity.HOP))

    def _taken(self, frames: int) -> Floats:
        """The next frames' spectra, in parts, so that a long feed does not need the memory for all of their windows."""
        made = [np.empty((0, BINS), np.float32)]
        for first in range(0, frames, AT_ONCE):
            count = min(AT_ONCE, frames - first)
            windows = np.lib.stride_tricks.sliding_window_view(self._held[first * Activity.HOP :], SIZE)
            power = kernels.power_spectra(windows[: count * Activity.HOP : Activity.HOP], self._window)
            power[:, 1:-1] *= 2
            made.append(power)
        self._held = self._held[frames * Activity.HOP :]
        self._owed -= frames * Activity.HOP
        return np.concatenate(made)
