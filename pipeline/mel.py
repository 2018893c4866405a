"""Mel spectra as GE2E's voice encoder was trained on, 40 bands of power, and the pitch of the same frames: 25 ms every 10 ms.

Those of `librosa.feature.melspectrogram(n_fft=400, hop_length=160, n_mels=40)`: frame k around sample 160 k under a periodic
Hann window, with zeros before the first sample and behind the last, and Slaney's mel scale and area normalisation
(M. Slaney, Auditory Toolbox, 1998).

The pitch is that of the highest peak of the autocorrelation, which is the transform of the power spectrum up to 1.6 kHz, over that
of the window (P. Boersma, "Accurate short-term analysis of the fundamental frequency", 1993, section 2.2).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.records import Floats

RATE_HZ = 16_000
HOP, WINDOW, BANDS = 160, 400, 40
FRAME_S = HOP / RATE_HZ
GROUP = 640
"""Frames at a time, counted from the first, so that blocks do not matter even to the last bit; in fewer the calls themselves cost more."""

LINEAR_HZ, LINEAR_MELS, LOG_STEP = 1_000.0, 15.0, np.log(6.4) / 27
"""Slaney's scale is linear up to 1 kHz, which is 15 mel, then logarithmic, 27 mel to a factor of 6.4."""


SHORTEST, LONGEST = 40, 190
"""Periods in samples: 400 down to 84 Hz."""

PITCHED = 0.6
"""A frame whose autocorrelation peaks over that has a pitch."""

PITCH_BINS = 40
REFERENCE_HZ = 100.0
HEARD = BANDS + 2
"""The bands, then whether there is a pitch, 0 or 1, and how many semitones over 100 Hz it is, 0 where there is none."""

COLUMNS = HEARD + HOP
"""And then the samples in the middle of the frame, of which all frames together are all samples."""


class MelFrames:
    """Keeps up to 6.4 s of samples."""

    def __init__(self) -> None:
        self._held: Floats = np.zeros(WINDOW // 2, np.float32)
        self._bank = mel_bank()
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
        self._lags = _lags(self._window)

    def feed(self, samples: Floats) -> list[Floats]:
        """The groups of 640 frames (640, 202) that became whole."""
        self._held = np.concatenate((self._held, samples))
        made = []
        while len(self._held) >= (GROUP - 1) * HOP + WINDOW:
            made.append(self._frames(self._held[: (GROUP - 1) * HOP + WINDOW]))
            self._held = self._held[GROUP * HOP :]
        return made

    def rest(self) -> Floats:
        """The frames still owed, (frames, 202); asking changes nothing."""
        padded = np.concatenate((self._held, np.zeros(WINDOW // 2, np.float32)))
        return self._frames(padded) if len(padded) >= WINDOW else np.empty((0, COLUMNS), np.float32)

    def _frames(self, samples: Floats) -> Floats:
        windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
        power = kernels.power_spectra(windows, self._window)
        made = np.empty((len(power), COLUMNS), np.float32)
        made[:, :BANDS] = power @ self._bank
        made[:, BANDS:HEARD] = self._pitch(power)
        made[:, HEARD:] = windows[:, (WINDOW - HOP) // 2 : (WINDOW + HOP) // 2]
        return made

    def _pitch(self, power: Floats) -> Floats:
        """Whether each frame has a pitch, and which, (frames, 2)."""
        low = power[:, :PITCH_BINS]
        like = low @ self._lags
        best = like.argmax(axis=1)
        whole = low[:, 0] + 2 * low[:, 1:].sum(axis=1)
        pitched = like[np.arange(len(like)), best] > PITCHED * np.maximum(whole, 1e-20)
        semitones = 12 * np.log2(RATE_HZ / REFERENCE_HZ / (SHORTEST + best))
        return np.stack((pitched, semitones * pitched), axis=1).astype(np.float32)


def _lags(window: Floats) -> Floats:
    """From the lowest bins of a power spectrum to its autocorrelation at every period, over that of the window, (40, 151).

    The sum of the bins, those but the first twice, is the autocorrelation at 0 in the same measure. So few bins and lags are had
    sooner by a product than by a transform.
    """
    own = np.fft.irfft(np.abs(np.fft.rfft(window)) ** 2)
    lags = np.arange(SHORTEST, LONGEST + 1)
    bins = np.arange(PITCH_BINS)[:, None]
    cosines = np.cos(2 * np.pi / WINDOW * bins * lags) * np.where(bins == 0, 1, 2)
    made: Floats = (cosines / (own[lags] / own[0])).astype(np.float32)
    return made


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
