"""Reverberation time of the room that a voice was recorded in, from the voice alone: how fast its sound can fall at all.

A voice stops in many ways, most of them slower than the room. But nothing in a room falls faster than the room lets it, so
the steepest falls in a recording are the room's. This is the idea of the blind estimators of Ratnam et al. (J. Acoust.
Soc. Am. 114, 2003: the quick end of the distribution of decays) and of Prego et al. (WASPAA 2012: decays in subbands, at
free places, a statistic over them, a map). Here no decay is searched for: for each lag, the fall of an octave's level is taken
from every loud frame, and of those falls the steepest fiftieth. Over the lag that makes a curve of decay, as Schroeder's
integral does of an impulse response (ISO 3382-1), and its slope from -10 to -20 dB is extrapolated to 60 dB.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import FLOOR_DBFS, quantiles
from pipeline.records import Activity

Numbers = NDArray[np.floating]

FIRST_DB, LAST_DB = 10.0, 20.0
"""Above, the fall is the window's and the direct sound's; below, noise 20 dB under the voice would hide it. So a faint tail
that begins over 20 dB under the voice does not count, which the ear does not call reverberant either."""

STEEPEST_RATIO = 0.02
LOUD_DB = 20.0
"""Falls begin in frames within 20 dB of the band's loud ones (95th percentile)."""

CALM_RATIO, CALM_DB = 0.03, 2.0
"""The noise is at the 3rd percentile of a band's levels; a fall ends 2 dB over it."""

GATED_DBFS = FLOOR_DBFS + 10
"""What falls to digital silence was cut off and not left to ring; such an end says nothing of the room."""

MIN_STARTS, MIN_STARTS_RATIO = 60, 0.1
"""A second of loud frames in a band: with fewer the steepest fiftieth is a single frame. Where fewer than a tenth of the loud
frames stand so far over the noise, it is the noise that is loud and that falls."""

LAGS = np.unique(np.round(np.concatenate((np.arange(1, 9), np.geomspace(9, 72, 16)))).astype(int))
"""Up to 1.2 s, in which 20 dB fall at a T60 of 3.6 s."""

MAP_FACTOR, MAP_EXPONENT = 0.855, 0.88
"""T60 = 0.855 s (slope / 1 s) ^ 0.88, least squares of the logarithms over speech in 82 rooms of 0.2 to 1.5 s. Not even the
steepest fall is quite free of the voice, which does not stop at once, and the longer a room rings the sooner the next syllable
comes into it."""


def starts(level_db: Numbers) -> NDArray[np.bool_]:
    """From which frames of an octave (frames,) a fall may be followed: loud ones, 22 dB over the noise; none if they are few."""
    none = np.zeros(len(level_db), bool)
    sounding = level_db[level_db > GATED_DBFS]
    if not len(sounding):
        return none
    top, calm = quantiles(sounding, 0.95, CALM_RATIO)
    loud = level_db > top - LOUD_DB
    found: NDArray[np.bool_] = loud & (level_db > calm + CALM_DB + LAST_DB)
    enough = found.sum() >= max(MIN_STARTS, MIN_STARTS_RATIO * loud.sum())
    return found if enough else none


def steepest_falls_db(level_db: Numbers, start: NDArray[np.bool_]) -> Numbers:
    """By how much the octave's level falls within each of LAGS in the steepest fiftieth of the cases; 0 where there are too few.

    A fall into digital silence, or into a frame that touches it, is left out. Takes a few hundred bytes a frame.
    """
    at = np.flatnonzero(start)
    if not len(at):
        return np.zeros(len(LAGS))
    open_end = np.convolve(level_db <= GATED_DBFS, np.ones(3), "same") == 0
    later = LAGS[:, None] + at
    inside = np.minimum(later, len(level_db) - 1)
    counted = (later == inside) & open_end[inside]
    falls = np.where(counted, level_db[at] - level_db[inside], -np.inf)
    falls.sort(axis=1)
    counts = np.count_nonzero(counted, axis=1)
    ranks = len(at) - counts + ((1 - STEEPEST_RATIO) * (counts - 1)).astype(int)
    steepest = falls[np.arange(len(LAGS)), np.minimum(ranks, len(at) - 1)]
    return np.where(counts >= MIN_STARTS, steepest, 0.0)


def t60_s(levels_db: Numbers) -> float | None:
    """The reverberation time heard in octave levels (frames, octaves); `None` when no octave falls by 20 dB often enough."""
    slopes = [_slope_s(steepest_falls_db(level, starts(level))) for level in levels_db.T]
    known = [slope for slope in slopes if slope is not None]
    return MAP_FACTOR * float(np.mean(known)) ** MAP_EXPONENT if known else None


def _slope_s(falls_db: Numbers) -> float | None:
    """How long 60 dB take at the speed at which the curve goes from 10 to 20 dB; `None` when it does not get there."""
    reached = np.maximum.accumulate(np.concatenate(([0.0], falls_db)))
    if reached[-1] < LAST_DB:
        return None
    lags = np.concatenate(([0], LAGS))
    first, last = (_crossing(lags, reached, level) for level in (FIRST_DB, LAST_DB))
    return 60 / (LAST_DB - FIRST_DB) * (last - first) * Activity.FRAME_S


def _crossing(lags: Numbers, reached: Numbers, level_db: float) -> float:
    """The lag, between two of the grid, at which a rising curve first comes to a level."""
    after = int(np.argmax(reached >= level_db))
    below, above = reached[after - 1], reached[after]
    return float(lags[after - 1] + (level_db - below) / (above - below) * (lags[after] - lags[after - 1]))
