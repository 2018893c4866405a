"""Mains hum: lines at 50 or 60 Hz and its multiples that stand still while everything else comes and goes.

Each window of two seconds is weighted towards its quiet moments, so that a voice counts for little wherever it pauses or
closes its lips, and the spectra of all windows are averaged as logarithms, in which a line lasts and a voice, an engine or
a melody is smeared. What then stands over its neighbours at a multiple of the mains frequency is hum.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from pipeline.dsp import Doubles, extended, hann, power_db
from pipeline.records import Activity, Floats

FACTOR, TAPS, AT_ONCE = 8, 97, 16
RATE_HZ = Activity.RATE_HZ // FACTOR
SIZE, HOP = 4096, 2048
BIN_HZ = RATE_HZ / SIZE
"""Windows of 2.05 s, each a second after the other: lines half a hertz apart, as G1 (49.0 Hz) and B1 (61.7 Hz) are not
mains, and neither is an engine that changes its speed."""

MAINS_HZ, DRIFT_HZ = (50.0, 60.0), 0.2
"""Grids keep within 0.2 Hz of these (ENTSO-E's and NERC's standard range)."""

HARMONICS = 15
"""Up to 750 and 900 Hz; what a dimmer buzzes above that is weaker by far."""

QUIET_PERCENTILE, SMOOTH = 15, RATE_HZ // 10
"""Moments are 100 ms long, whole periods of 50 and of 60 Hz, so that hum does not sway its own weights; those up to this
percentile of a window's power keep half of their weight and more."""

SILENT_POWER, MIN_SOUND_RATIO = 1e-12, 0.2
"""Digital silence between gated words tells nothing of hum; a window must hold a fifth of sound."""

MIN_WINDOWS = 2
FIRST_WINDOWS, EVERY = 60, 4
"""After a minute every fourth window is taken: a line that lasts is in those too."""

BESIDE, NEAR = 7, 40
"""Neighbours are 3.4 to 20 Hz away: outside of what the weights smear a line over, inside of the next harmonic."""

STANDS_DB, SURE_DB, MOST_DB = 8.0, 14.0, 12.0
"""A line counts from 8 dB over its neighbours on, with what is over 6 dB, up to 12 of it; the lines of hum count 14 in all."""


@dataclass(frozen=True, slots=True)
class Hum:
    """Mains frequency, 50 or 60 Hz, and the power of its harmonics together, as recorded."""

    hz: float
    dbfs: float


class HumMeter:
    """Keeps three seconds at 2 kHz and one sum of spectra."""

    def __init__(self) -> None:
        self._filters = _filters()
        self._hann = hann(SIZE)
        self._held = np.zeros(TAPS // 2, np.float32)
        self._low = np.empty(0)
        self._sum = np.zeros(SIZE // 2 + 1)
        self._windows = self._seen = 0

    def feed(self, mono16k: Floats) -> None:
        """Take in 16 kHz mono samples (frames,)."""
        self._held = np.concatenate((self._held, mono16k))
        step = AT_ONCE * FACTOR
        count = (len(self._held) - TAPS + FACTOR) // step
        if count <= 0:
            return
        windows = np.lib.stride_tricks.sliding_window_view(self._held, len(self._filters))[::step][:count]
        self._low = np.concatenate((self._low, (np.ascontiguousarray(windows) @ self._filters).ravel()))
        self._held = self._held[count * step :]
        while len(self._low) >= SIZE + (0 if self._seen else HOP):  # one window alone would not count
            if self._seen < FIRST_WINDOWS or self._seen % EVERY == 0:
                self._take(self._low[:SIZE])
            self._seen += 1
            self._low = self._low[HOP:]

    def hum(self) -> Hum | None:
        """The hum in everything fed so far, `None` where no mains frequency stands out."""
        if self._windows < MIN_WINDOWS:
            return None
        level_db = self._sum / self._windows
        found = [hum for mains_hz in MAINS_HZ if (hum := _hum(level_db, mains_hz)) is not None]
        return max(found, key=lambda hum: hum.dbfs, default=None)

    def _take(self, window: Doubles) -> None:
        """Add a window's power spectrum in dB, a sine reading its mean power."""
        window = window - window.mean()
        power = _smoothed(window * window)
        sound = power > SILENT_POWER
        if sound.mean() < MIN_SOUND_RATIO:
            return
        heard = power[sound]
        rank = len(heard) * QUIET_PERCENTILE // 100
        quiet = np.partition(heard, rank)[rank]
        weights = np.where(sound, quiet / (power + quiet), 0.0) * self._hann
        total = weights.sum()
        bins = np.fft.rfft((window - (window * weights).sum() / total) * weights)
        self._sum += 10 * np.log10(2 * (np.square(bins.real) + np.square(bins.imag)) / total**2 + 1e-20)
        self._windows += 1


def _smoothed(power: Doubles) -> Doubles:
    """The mean of 100 ms around each sample, of which the first and the last go on beyond the ends."""
    sums = np.cumsum(extended(power, SMOOTH // 2 + 1, SMOOTH - SMOOTH // 2 - 1))
    mean: Doubles = (sums[SMOOTH:] - sums[:-SMOOTH]) / SMOOTH
    return mean


@cache
def _filters() -> Floats:
    """The low-pass for every eighth sample, as a matrix that makes 16 of them from the samples they need."""
    taps = np.sinc((np.arange(TAPS) - TAPS // 2) / FACTOR) * np.hamming(TAPS)
    taps /= taps.sum()
    filters = np.zeros((TAPS + (AT_ONCE - 1) * FACTOR, AT_ONCE), np.float32)
    for number in range(AT_ONCE):
        filters[number * FACTOR : number * FACTOR + TAPS, number] = taps
    return filters


def _hum(level_db: Doubles, mains_hz: float) -> Hum | None:
    """The hum of one mains frequency in a mean spectrum: the strongest line sets the pitch, the others must fit it."""
    anchors = [_line(level_db, k * mains_hz, k * DRIFT_HZ) for k in range(1, HARMONICS + 1)]
    strongest = int(np.argmax([over_db for _, over_db, _ in anchors[:8]]))
    hz = anchors[strongest][0] / (strongest + 1)
    lines = [_line(level_db, k * hz, BIN_HZ / 2) for k in range(1, HARMONICS + 1)]
    standing = [k for k, (_, over_db, _) in enumerate(lines, 1) if over_db >= STANDS_DB]
    counted = sum(min(lines[k - 1][1] - 6.0, MOST_DB) for k in standing)
    alone = len(standing) < 2
    if not standing or min(standing) > 3 or counted < (MOST_DB if alone and standing[0] < 3 else SURE_DB):
        return None
    dbfs = power_db(sum(lines[k - 1][2] for k in standing))
    return None if dbfs is None else Hum(mains_hz, dbfs)


def _line(level_db: Doubles, hz: float, reach_hz: float) -> tuple[float, float, float]:
    """Frequency, height over the neighbours in dB (0 where no peak is) and power of the line nearest to a frequency."""
    first, last = round((hz - reach_hz) / BIN_HZ), round((hz + reach_hz) / BIN_HZ)
    at = first + int(np.argmax(level_db[first : last + 1]))
    near = np.concatenate((level_db[at - NEAR : at - BESIDE + 1], level_db[at + BESIDE : at + NEAR + 1]))
    floor_db = float(np.median(near))
    if level_db[at] < level_db[at - 4 : at + 5].max():
        return hz, 0.0, 0.0
    before, top, after = (float(value) for value in level_db[at - 1 : at + 2])
    curve = before - 2 * top + after
    shift = 0.5 * (before - after) / curve if curve < 0 else 0.0
    peak_db = top - 0.25 * (before - after) * shift
    return (at + shift) * BIN_HZ, top - floor_db, max(10 ** (peak_db / 10) - 10 ** (floor_db / 10), 0.0)
