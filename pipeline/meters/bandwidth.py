"""Up to what frequency a recording holds sound, whatever its sample rate claims.

Above the edge of an upsampled or coded recording there is nothing, or a floor that does not move with the sound. So each
band of 125 Hz is asked for its level in loud moments and in quiet ones: it is used when the two lie apart and the loud
one is not lost far under the clip's loudest band.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import fast_length, hann, quantiles
from pipeline.records import Floats
from pipeline.windows import Windows

WINDOWS_HZ, WINDOW_S = 10, 0.043
BAND_HZ = 125.0

MAX_WINDOWS = 1_200
"""Two minutes of windows, ten a second. In a longer clip every second one is dropped, as often as it takes."""

LOWEST_DB = -160.0
"""Levels of a band are kept in steps of 1 dB from here."""

LOUD, QUIET = 0.97, 0.10
"""Quantiles over windows: sibilants, which fill the upper bands, are in a twentieth of all windows."""

MOVING_DB = 9.0
"""How far the two lie apart in a band that is used; in a steady floor it is 4 to 6 dB."""

RANGE_DB = 78.0
"""Further under the loudest band is only what a resampler or a floor of 16 bits left there."""

AUDIBLE_DB = 50.0
"""Windows further under the loudest are silence, which a gate or an editor may have made, and tell of no floor."""

SPAN_BANDS, USED_OF_SPAN = 9, 5
"""Of nine neighbouring bands five must be used: a whistle alone is no bandwidth."""

MIN_WINDOWS = 15
MAX_CHANNELS = 8


class BandwidthMeter:
    """Keeps the levels of at most 1,200 windows, 230 kB at 48 kHz, whatever the length, and under 0.2 s of samples."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate = rate_hz
        self._size = fast_length(round(WINDOW_S * rate_hz))
        window = hann(self._size + 1)[:-1]
        self._window = (window / np.sqrt(np.square(window).sum() * self._size / 2)).astype(np.float32)
        self._firsts = np.searchsorted(np.fft.rfftfreq(self._size, 1 / rate_hz), np.arange(0, rate_hz / 2, BAND_HZ))
        self._levels = np.empty((MAX_WINDOWS, len(self._firsts)), np.uint8)
        self._kept, self._stride, self._next = 0, 1, 0
        self._windows = Windows(min(channels, MAX_CHANNELS), self._size)

    def feed(self, samples: Floats) -> None:
        """Take in samples (frames, channels)."""
        windows = self._windows.cut(samples.T[:MAX_CHANNELS], self._planned(self._windows.end + len(samples)))
        while len(windows):
            room = MAX_WINDOWS - self._kept
            self._keep(windows[:room])
            windows = windows[room:]

    def _planned(self, end: int) -> list[int]:
        """Where the windows that end until then begin. Whenever there are too many, they get twice as far apart."""
        starts, kept = [], self._kept
        while (start := self._next * self._rate // WINDOWS_HZ) + self._size <= end:
            starts.append(start)
            self._next, kept = self._next + self._stride, kept + 1
            if kept == MAX_WINDOWS:
                kept, self._stride = kept // 2, 2 * self._stride
                self._next = kept * self._stride
        return starts

    def bandwidth_hz(self) -> float | None:
        """Where the highest used band ends; `None` for less than 1.5 s of sound, or for sound that does not move."""
        levels = self._levels[: self._kept] + LOWEST_DB
        whole = 10 * np.log10(np.sum(10 ** (levels / 10), axis=1)) if len(levels) else np.empty(0)
        if not len(whole) or whole.max() <= LOWEST_DB + 10 * np.log10(len(self._firsts)):
            return None
        audible = levels[whole > whole.max() - AUDIBLE_DB]
        if len(audible) < MIN_WINDOWS:
            return None
        quiet, loud = quantiles(audible, QUIET, LOUD)
        used = (loud - quiet >= MOVING_DB) & (loud >= loud.max() - RANGE_DB)
        dense = np.convolve(used, np.ones(SPAN_BANDS), "same") >= USED_OF_SPAN
        top = np.flatnonzero(used & dense)
        return min((float(top[-1]) + 1) * BAND_HZ, self._rate / 2) if len(top) else None

    def _keep(self, windows: Floats) -> None:
        """Note the levels of windows (windows, channels, size), and drop every second one when there is no more room."""
        count, channels, size = windows.shape
        powers = kernels.power_spectra(windows.reshape(count * channels, size), self._window)
        power = np.add.reduce(powers.reshape(count, channels, powers.shape[1]), axis=1) / np.float32(channels)
        bands = np.add.reduceat(power, self._firsts, axis=1)
        level = 10 * np.log10(np.maximum(bands, 10 ** (LOWEST_DB / 10))) - LOWEST_DB
        self._levels[self._kept : self._kept + len(windows)] = np.minimum(np.round(level), 255)
        self._kept += len(windows)
        if self._kept == MAX_WINDOWS:
            self._kept = MAX_WINDOWS // 2
            self._levels[: self._kept] = self._levels[::2].copy()


def third_octaves(rate_hz: int) -> NDArray[np.float64]:
    """Edges of the third-octave bands from 100 Hz to 8 kHz (IEC 61260-1, base ten), as far as they fit under Nyquist."""
    edges = 10 ** (np.arange(20, 41) / 10 - 0.05)
    return edges[edges <= rate_hz / 2]
