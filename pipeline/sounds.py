"""What is heard in a look besides whose voice it is: its pitch, and how fast the room falls silent. Pure."""

import numpy as np

from pipeline.dsp import quantiles
from pipeline.mel import BANDS
from pipeline.pitch import pitches
from pipeline.records import Floats

VOICED_BANDS = slice(4, 36)
"""Without the lowest and the highest, where there is hum, hiss and the edge of codecs."""

FALL_FRAMES, FALL_RATIO = 3, 0.1
"""By how much bands fall in 30 ms, in the tenth of the frames in which they fall fastest."""

AUDIBLE_DB = 25.0
"""What falls from further below a band's peak is noise and no voice."""


def heard(look: Floats) -> tuple[float, float, float]:
    """Frames with a pitch, its median in semitones, and how far bands fall in 30 ms where they fall fast, in dB."""
    pitched, over_100_hz = pitches(look[:, BANDS:]).T
    semitones = float(quantiles(over_100_hz[pitched > 0], 0.5)[0]) if pitched.any() else 0.0
    level_db = 10 * np.log10(look[:, VOICED_BANDS] + 1e-12)
    falls = level_db[FALL_FRAMES:] - level_db[:-FALL_FRAMES]
    falls = falls[level_db[:-FALL_FRAMES] > level_db.max(axis=0) - AUDIBLE_DB]
    fall_db = float(quantiles(falls, FALL_RATIO)[0]) if len(falls) else 0.0
    return float(pitched.sum()), semitones, fall_db
