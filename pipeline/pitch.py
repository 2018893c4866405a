"""The pitch of frames: the highest peak of the autocorrelation over that of the window, from the lowest bins of power spectra. Pure.

P. Boersma, "Accurate short-term analysis of the fundamental frequency", 1993, section 2.2; the autocorrelation is the transform of
the power spectrum, of which what is over 1.6 kHz tells no pitch.
"""

import functools

import numpy as np

from pipeline.mel import LOW_BINS, RATE_HZ, WINDOW, window
from pipeline.records import Floats

SHORTEST, LONGEST = 40, 190
"""Periods in samples: 400 down to 84 Hz."""

PITCHED = 0.6
"""A frame whose autocorrelation peaks over that has a pitch."""

REFERENCE_HZ = 100.0


def pitches(low: Floats) -> Floats:
    """Whether each frame has a pitch, 0 or 1, and how many semitones over 100 Hz it is, 0 where there is none, (frames, 2).

    low : the lowest bins of its power spectrum, float32 (frames, 40), as `pipeline.mel` makes them
    """
    like = low @ _lags()
    best = like.argmax(axis=1)
    whole = low[:, 0] + 2 * low[:, 1:].sum(axis=1)
    pitched = like[np.arange(len(like)), best] > PITCHED * np.maximum(whole, 1e-20)
    semitones = 12 * np.log2(RATE_HZ / REFERENCE_HZ / (SHORTEST + best))
    return np.stack((pitched, semitones * pitched), axis=1).astype(np.float32)


@functools.cache
def _lags() -> Floats:
    """From the lowest bins of a power spectrum to its autocorrelation at every period, over that of the window, (40, 151).

    The sum of the bins, those but the first twice, is the autocorrelation at 0 in the same measure. So few bins and lags are had
    sooner by a product than by a transform.
    """
    own = np.fft.irfft(np.abs(np.fft.rfft(window())) ** 2)
    lags = np.arange(SHORTEST, LONGEST + 1)
    bins = np.arange(LOW_BINS)[:, None]
    cosines = np.cos(2 * np.pi / WINDOW * bins * lags) * np.where(bins == 0, 1, 2)
    made: Floats = (cosines / (own[lags] / own[0])).astype(np.float32)
    return made
