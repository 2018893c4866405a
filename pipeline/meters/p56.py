"""Active speech level by ITU-T P.56, method B: the level of speech while it lasts, whatever the pauses."""

import numpy as np
from scipy import ndimage, signal

ENVELOPE_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
THRESHOLDS = 2.0 ** -np.arange(15, 0, -1)
"""c_j of the standard, for a range of 16 bit, relative to full scale."""


class SpeechLevelMeter:
    """Keeps two filter states, 0.2 s of threshold numbers, and a count per threshold.

    The hangover is taken by number: each envelope sample becomes the number of thresholds that it reaches, and the
    highest number within the last 0.2 s says at which thresholds speech is still active.
    """

    def __init__(self, rate_hz: int) -> None:
        g = np.exp(-1 / (rate_hz * ENVELOPE_S))
        self._b, self._a = [1 - g], [1, -g]
        self._first, self._second = np.zeros(1), np.zeros(1)
        self._hold = round(HANGOVER_S * rate_hz)
        self._reached = np.zeros(self._hold, np.uint8)
        self._active = np.zeros(len(THRESHOLDS) + 1, np.int64)
        self._energy, self._samples = 0.0, 0

    def feed(self, samples: np.ndarray) -> None:
        """Take in mono samples (frames,)."""
        if not len(samples):
            return
        self._energy += float(np.dot(samples.astype(np.float64), samples))
        self._samples += len(samples)
        smooth, self._first = signal.lfilter(self._b, self._a, np.abs(samples, dtype=np.float64), zi=self._first)
        envelope, self._second = signal.lfilter(self._b, self._a, smooth, zi=self._second)
        reached = np.searchsorted(THRESHOLDS, envelope, side="right").astype(np.uint8)
        view = np.concatenate((self._reached, reached))
        held = ndimage.maximum_filter1d(view, self._hold + 1, origin=self._hold // 2, mode="nearest")
        self._active += np.bincount(held[len(self._reached) :], minlength=len(self._active))
        self._reached = view[len(view) - self._hold :]

    def level(self) -> tuple[float, float] | None:
        """Active level in dB re full scale (a full-scale square wave is 0) and activity factor; `None` for silence."""
        counts = np.cumsum(self._active[::-1])[::-1][1:]
        if self._energy <= 0 or counts[0] == 0:
            return None
        used = counts > 0
        levels = 10 * np.log10(self._energy / counts[used])
        margins = levels - 20 * np.log10(THRESHOLDS[used])
        below = np.flatnonzero(margins <= MARGIN_DB)
        if not len(below):
            return None
        at = int(below[0])
        if at == 0:
            level = float(levels[0])
        else:
            share = (margins[at - 1] - MARGIN_DB) / (margins[at - 1] - margins[at])
            level = float(levels[at - 1] + share * (levels[at] - levels[at - 1]))
        return level, min(float(self._energy / self._samples / 10 ** (level / 10)), 1.0)
