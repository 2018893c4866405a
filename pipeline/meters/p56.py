"""Active speech level by ITU-T P.56, method B: the level of speech while it lasts, whatever the pauses."""

import numpy as np
import scipy

ENVELOPE_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
THRESHOLDS = 2.0 ** -np.arange(15, 0, -1)
"""c_j of the standard, for a range of 16 bit, relative to full scale."""


class SpeechLevelMeter:
    """Keeps a filter's state and, per threshold, a count and where speech was last over it.

    The envelope is cut into runs that reach the same number of thresholds. Over a threshold, every sample of a run that
    reaches it is active, and so are the 0.2 s that follow it, up to the next such run.
    """

    def __init__(self, rate_hz: int) -> None:
        g = np.exp(-1 / (rate_hz * ENVELOPE_S))
        self._b, self._a = [(1 - g) ** 2], [1, -2 * g, g * g]  # the standard's two filters in a row
        self._state = np.zeros(2)
        self._hold = round(HANGOVER_S * rate_hz)
        self._active = np.zeros(len(THRESHOLDS), np.int64)
        self._over_until = np.full(len(THRESHOLDS), -1, np.int64)
        self._energy, self._samples = 0.0, 0

    def feed(self, samples: np.ndarray) -> None:
        """Take in mono samples (frames,)."""
        if not len(samples):
            return
        magnitude = np.abs(samples, dtype=np.float64)
        self._energy += float(np.einsum("i,i->", magnitude, magnitude))
        envelope, self._state = scipy.signal.lfilter(self._b, self._a, magnitude, zi=self._state)
        reached = np.searchsorted(THRESHOLDS, np.asarray(envelope, np.float64), side="right").astype(np.int8)
        starts = np.concatenate(([0], np.flatnonzero(np.diff(reached)) + 1))
        ends = np.append(starts[1:], len(reached))
        for number in range(int(reached.max())):
            over = reached[starts] > number
            self._count(number, starts[over] + self._samples, ends[over] + self._samples)
        self._samples += len(samples)

    def _count(self, number: int, starts: np.ndarray, ends: np.ndarray) -> None:
        """Add the runs over threshold `number`, and the hangover behind all but the last of them."""
        before = self._over_until[number]
        previous = np.concatenate(([before if before >= 0 else starts[0]], ends[:-1]))
        self._active[number] += int((ends - starts).sum() + np.minimum(starts - previous, self._hold).sum())
        self._over_until[number] = ends[-1]

    def level(self) -> tuple[float, float] | None:
        """Active level in dB re full scale (a full-scale square wave is 0) and activity factor; `None` for silence."""
        used = self._over_until >= 0
        counts = self._active + np.where(used, np.minimum(self._samples - self._over_until, self._hold), 0)
        if self._energy <= 0 or not used.any():
            return None
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
