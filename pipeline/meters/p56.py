"""Active speech level by ITU-T P.56, method B: the level of speech while it lasts, whatever the pauses."""

import numpy as np

from pipeline import kernels
from pipeline.dsp import Doubles
from pipeline.records import Floats

ENVELOPE_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
THRESHOLDS: Doubles = np.ldexp(1.0, -np.arange(15, 0, -1))
"""c_j of the standard, for a range of 16 bit, relative to full scale."""


class SpeechLevelMeter:
    """Keeps a filter's state and, per threshold, a count and where speech was last over it."""

    def __init__(self, rate_hz: int) -> None:
        count = len(THRESHOLDS)
        self._activity = kernels.Activity(
            thresholds=THRESHOLDS,
            envelope=np.zeros(2),
            active=np.zeros(count, np.int64),
            over_until=np.full(count, -1, np.int64),
            g=float(np.exp(-1 / (rate_hz * ENVELOPE_S))),
            hold=round(HANGOVER_S * rate_hz),
        )
        self._energy, self._samples = 0.0, 0

    def feed(self, samples: Floats) -> None:
        """Take in mono samples (frames,)."""
        _, energy = kernels.moments(samples[None])
        self._energy += float(energy[0, 0])
        kernels.active_samples(samples, self._samples, self._activity)
        self._samples += len(samples)

    def level(self) -> tuple[float, float] | None:
        """Active level in dB re full scale (a full-scale square wave is 0) and activity factor; `None` for silence."""
        until = self._activity.over_until
        used = until >= 0
        counts = self._activity.active + np.where(used, np.minimum(self._samples - until, self._activity.hold), 0)
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
