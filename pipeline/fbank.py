"""Filter bank energies as CAM++ was trained on: Kaldi's `fbank`, 80 bands of 25 ms every 10 ms, without their mean.

Povey et al., "The Kaldi speech recognition toolkit", ASRU 2011; `compute-fbank-feats` with `--num-mel-bins=80 --dither=0`. The mean
over the frames is taken off each band, and with it what a microphone or a near wall does to the sound.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.records import Floats

RATE_HZ = 16_000
HOP, WINDOW, SIZE, BANDS = 160, 400, 512, 80
PRE_EMPHASIS = 0.97
LOW_HZ, HIGH_HZ = 20.0, RATE_HZ / 2

LOUD_DBFS = -26.0
"""The level that samples are brought to: energies have a floor, which faint speech would lie under."""

FLOOR = float(np.finfo(np.float32).eps)


def fbank(samples: Floats) -> Floats:
    """The bands (frames, 80) of samples (samples,) at 16 kHz, of any level; fewer than 25 ms give none."""
    power = float(np.square(samples, dtype=np.float64).mean()) if len(samples) else 0.0
    loud = samples * np.float32(10 ** (LOUD_DBFS / 20) / np.sqrt(max(power, 1e-20)))
    if len(loud) < WINDOW:
        return np.empty((0, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(loud, WINDOW)[::HOP].astype(np.float32)
    windows -= windows.mean(axis=1, keepdims=True)
    padded = np.zeros((len(windows), SIZE), np.float32)
    padded[:, 1:WINDOW] = windows[:, 1:] - PRE_EMPHASIS * windows[:, :-1]
    padded[:, 0] = windows[:, 0] * (1 - PRE_EMPHASIS)
    energies = np.log(np.maximum(kernels.power_spectra(padded, _povey()) @ _bank(), FLOOR))
    made: Floats = energies - energies.mean(axis=0)
    return made


@cache
def _povey() -> Floats:
    """Kaldi's own window, over the samples of a frame; the rest of the transform is filled up with zeros."""
    window = np.zeros(SIZE, np.float32)
    window[:WINDOW] = np.hanning(WINDOW) ** 0.85
    return window


@cache
def _bank() -> Floats:
    """Triangular filters on Kaldi's mel scale over the bins of a 512 point transform, (257, 80)."""
    edges = np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BANDS + 2)
    mels = _mel(np.arange(SIZE // 2 + 1, dtype=np.float64)[:, None] * (RATE_HZ / SIZE))
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (mels - low) / (middle - low), (high - mels) / (high - middle)
    bank: Floats = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    bank[-1] = 0  # Kaldi's filters do not reach the last bin
    return bank


def _mel(hz: float | NDArray[np.floating]) -> NDArray[np.float64]:
    return 1127 * np.log(1 + np.asarray(hz, np.float64) / 700)
