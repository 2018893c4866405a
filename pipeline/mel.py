"""Mel spectra as GE2E's voice encoder was trained on, 40 bands of power, and what tells the pitch of the same frames: 25 ms every 10 ms.

Those of `librosa.feature.melspectrogram(n_fft=400, hop_length=160, n_mels=40)`: frame k around sample 160 k under a periodic
Hann window, with zeros before the first sample and behind the last, and Slaney's mel scale and area normalisation
(M. Slaney, Auditory Toolbox, 1998).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import hann
from pipeline.records import Floats

RATE_HZ = 16_000
HOP, WINDOW, BANDS = 160, 400, 40
FRAME_S = HOP / RATE_HZ
GROUP = 640
"""Frames at a time, counted from the first, so that blocks do not matter even to the last bit; in fewer the calls themselves cost more."""

LINEAR_HZ, LINEAR_MELS, LOG_STEP = 1_000.0, 15.0, np.log(6.4) / 27
"""Slaney's scale is linear up to 1 kHz, which is 15 mel, then logarithmic, 27 mel to a factor of 6.4."""


LOW_BINS = 40
COLUMNS = BANDS + LOW_BINS
"""The bands, then the lowest bins of the power spectrum as they are, up to 1.6 kHz, which tell of the pitch."""


class MelFrames:
    """Keeps up to 6.4 s of samples."""

    def __init__(self) -> None:
        self._held: Floats = np.zeros(WINDOW // 2, np.float32)
        self._bank = mel_bank()
        self._window = window()

    def feed(self, samples: Floats) -> list[Floats]:
        """The groups of 640 frames (640, 80) that became whole."""
        self._held = np.concatenate((self._held, samples))
        made = []
        while len(self._held) >= (GROUP - 1) * HOP + WINDOW:
            made.append(self._frames(self._held[: (GROUP - 1) * HOP + WINDOW]))
            self._held = self._held[GROUP * HOP :]
        return made

    def rest(self) -> Floats:
        """The frames still owed, (frames, 80); asking changes nothing."""
        padded = np.concatenate((self._held, np.zeros(WINDOW // 2, np.float32)))
        return self._frames(padded) if len(padded) >= WINDOW else np.empty((0, COLUMNS), np.float32)

    def _frames(self, samples: Floats) -> Floats:
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
        power = kernels.power_spectra(windows, self._window)
        made = np.empty((len(power), COLUMNS), np.float32)
        made[:, :BANDS] = power @ self._bank
        made[:, BANDS:] = power[:, :LOW_BINS]
        return made


def window() -> Floats:
    """A periodic Hann window, (400,)."""
    return hann(WINDOW + 1)[:-1].astype(np.float32)


def mel_bank() -> Floats:
    """The triangular filters over the bins of a 400 point transform, (201, 40)."""
    edges_hz = _hz(np.linspace(0, LINEAR_MELS + np.log(RATE_HZ / 2 / LINEAR_HZ) / LOG_STEP, BANDS + 2))
    hz = np.arange(WINDOW // 2 + 1)[:, None] * (RATE_HZ / WINDOW)
    low, middle, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising, falling = (hz - low) / (middle - low), (high - hz) / (high - middle)
    bank: Floats = (np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)).astype(np.float32)
    return bank


def _hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = mels * (LINEAR_HZ / LINEAR_MELS)
    return np.where(mels < LINEAR_MELS, linear, LINEAR_HZ * np.exp((mels - LINEAR_MELS) * LOG_STEP))
