"""Whether speech came through a telephone, which makes voices more alike: nothing of it is above 4 kHz."""

import numpy as np

from pipeline import kernels
from pipeline.dsp import hann
from pipeline.records import Activity, Floats

SIZE = 512
EDGE_HZ = 4_200
"""What a line passes ends at 3.4 kHz, and what was sampled at 8 kHz at 4 kHz."""

LOW_HZ = 200
"""Hum and rumble say nothing of a voice."""

FAINT_DB = -38.0
"""How much less power a telephone's voice has over the edge than under it: far from what readers have, and from what a line leaves
(`tests/meters/test_telephone.py`)."""


def by_telephone(samples: Floats) -> bool:
    """Whether samples (samples,) of speech at 16 kHz are as a telephone's; fewer than 32 ms are not."""
    windows = samples[: len(samples) // SIZE * SIZE].reshape(-1, SIZE)
    if not len(windows):
        return False
    power = kernels.power_spectra(windows, hann(SIZE + 1)[:-1].astype(np.float32)).mean(axis=0, dtype=np.float64)
    low, edge = (hz * SIZE // Activity.RATE_HZ for hz in (LOW_HZ, EDGE_HZ))
    return bool(power[edge:].sum() < power[low:edge].sum() * 10 ** (FAINT_DB / 10))
