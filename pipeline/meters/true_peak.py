"""True peak by ITU-R BS.1770-5 annex 2: the highest point of the waveform between the samples."""

import numpy as np
from scipy import signal

from pipeline.dsp import amplitude_db, interpolator

TARGET_HZ = 192_000
TAPS = 32
"""Per phase. The standard's example has 12 and reads up to 0.5 dB low near half the sample rate, where 32 still hold."""


class TruePeakMeter:
    """Keeps the last 31 samples of each channel, and the best peak so far.

    A piece whose sample peak, raised by the most that the filter can add, stays under the best so far cannot win and is
    not oversampled: the answer is the same for a fraction of the work.
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        factor = -(-TARGET_HZ // rate_hz)
        self._phases = interpolator(factor, TAPS) if factor > 1 else None
        self._gain = 1.0 if self._phases is None else float(np.abs(self._phases).sum(axis=1).max())
        self._tail = np.zeros((TAPS - 1, channels), np.float32)
        self._best = 0.0

    def feed(self, samples: np.ndarray) -> None:
        """Take in samples (frames, channels)."""
        view = np.concatenate((self._tail, samples))
        self._tail = view[len(view) - (TAPS - 1) :]
        peak = float(np.abs(view).max())
        if self._phases is None:
            self._best = max(self._best, peak)
            return
        for channel in range(view.shape[1]):
            self._search(view[:, channel])

    def true_peak_dbtp(self) -> float | None:
        """The highest value so far, with the waveform running out into silence; `None` for silence."""
        if self._phases is not None:
            for channel in range(self._tail.shape[1]):
                self._search(np.concatenate((self._tail[:, channel], np.zeros(TAPS - 1, np.float32))))
        return amplitude_db(self._best)

    def _search(self, line: np.ndarray) -> None:
        """Oversample the neighbourhood of samples that could lead to a new best; elsewhere nothing can."""
        assert self._phases is not None
        magnitude = np.abs(line)
        self._best = max(self._best, float(magnitude.max()))
        if float(magnitude.max()) * self._gain <= self._best:
            return
        for piece in np.split(np.arange(len(line)), range(PIECE, len(line), PIECE)):
            first, last = max(int(piece[0]) - TAPS, 0), int(piece[-1]) + 1
            part = line[first:last]
            if float(magnitude[first:last].max()) * self._gain <= self._best or len(part) < TAPS:
                continue
            for phase in self._phases:
                self._best = max(self._best, float(np.abs(signal.correlate(part, phase, "valid", "direct")).max()))


PIECE = 4096
