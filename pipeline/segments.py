"""Where speech begins and ends: from a probability and a level per frame to stretches of speech. Pure.

A detector says reliably that somebody speaks and only roughly when: its edges are off by up to half a second. The level
says when, to a frame, and not what. So the detector finds the stretches, and each edge is then put where the two together
change: from the middle of the gap outwards every frame gives evidence, plus for speech and minus for the pause, and
speech begins where evidence began that does not go away again (Page's cumulative sum, Biometrika 41, 1954). What the
level of a pause is, the pause itself tells: any fixed threshold would cut word ends that are still well audible.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import FLOOR_DBFS, quantiles, runs

Stretches = NDArray[np.int64]
Numbers = NDArray[np.floating]

ON, OFF = 0.5, 0.45
"""Speech begins over ON and lasts while over OFF: without the lower threshold soft syllables tear a word apart."""

MIN_SPEECH_FRAMES = 6
"""100 ms: shorter bursts are clicks, lips and breath, and must not split a long pause in two."""

MIN_PAUSE_FRAMES = 15
"""250 ms: shorter gaps are part of fluent speech (stops, breath groups)."""

REACH_FRAMES = 150
"""2.5 s: how far an edge may move; in street noise the network carries speech on for a second or two."""

INSIDE_FRAMES = 18
"""300 ms at either end of a pause are left out of its level, as they may still hold the word."""

SILENT_DBFS = FLOOR_DBFS + 1
"""Up to here a frame is digital silence, which is no speech, whatever the detector makes of its neighbours."""

ALARM = 10.0
"""How much evidence makes speech: 80 ms of all there can be, 170 ms of what only one of the two is sure of."""

SHALLOW_FRAMES = 8
"""A gap that is shorter has too few frames to tell its level; the detector's word stands."""

SPEECH_RANGE_DB = 40.0
"""Levels further below the voice are all the same: there is no speech in them, only the recording's last bits."""

CALM_RATIO = 0.95
"""So much of a pause counts as its own level."""

LOUD_RATIO = 0.8
"""So much of speech is no louder than the voice."""

NARROW_DB = 0.4
"""The least width of a pause's level, for digital silence, which has none."""


def stretches(speech: Numbers, level_dbfs: Numbers) -> Stretches:
    """Speech as frames (n, 2), each from its first to behind its last, at least 250 ms apart and 100 ms long.

    `speech` is the probability per frame and `level_dbfs` its level, of equal length, with digital silence at the floor
    of -120.
    """
    return _stretches(*(np.asarray(numbers, np.float32).tobytes() for numbers in (speech, level_dbfs)))


@lru_cache(maxsize=1)
def _stretches(speech: bytes, level_dbfs: bytes) -> Stretches:
    """The last clip's are kept, with 8 bytes a frame, for two subjects ask for the same ones."""
    likely, level = np.frombuffer(speech, np.float32), np.frombuffer(level_dbfs, np.float32)
    found = joined(_candidates(likely, level))
    found = joined(_edged(found, likely, level)) if len(found) else found
    found.flags.writeable = False
    return found


def joined(found: Stretches) -> Stretches:
    """Stretches with short gaps closed, and then short ones dropped."""
    if not len(found):
        return found
    split = np.flatnonzero(found[1:, 0] - found[:-1, 1] >= MIN_PAUSE_FRAMES)
    firsts = found[np.concatenate(([0], split + 1)), 0]
    ends = found[np.concatenate((split, [len(found) - 1])), 1]
    whole: Stretches = np.stack((firsts, ends), axis=1)
    return whole[whole[:, 1] - whole[:, 0] >= MIN_SPEECH_FRAMES]


def _candidates(speech: Numbers, level: Numbers) -> Stretches:
    """Runs over OFF that come over ON somewhere, and are no digital silence."""
    audible = np.where(level > SILENT_DBFS, speech, 0.0)
    found = runs(audible >= OFF)
    if not len(found):
        return found
    return found[np.maximum.reduceat(audible, found[:, 0]) >= ON]


def _edged(found: Stretches, speech: Numbers, level: Numbers) -> Stretches:
    """Both edges of every gap moved to where the evidence changes, none beyond the gap's middle."""
    spoken = np.concatenate([level[first:end] for first, end in found])
    heard = np.maximum(level, quantiles(spoken, LOUD_RATIO)[0] - SPEECH_RANGE_DB)
    detector = np.where(level > SILENT_DBFS, _odds(speech), -1.0)
    edged = found.copy()
    gap_starts, gap_ends = np.append(0, found[:, 1]), np.append(found[:, 0], len(level))
    for i, (start, end) in enumerate(zip(gap_starts, gap_ends, strict=True)):
        if end - start < SHALLOW_FRAMES:
            continue
        middle = (start + end) // 2
        bound, width = _calm(heard[start:end])
        if i > 0:
            near = slice(max(start - REACH_FRAMES, found[i - 1, 0]), min(middle, start + REACH_FRAMES))
            edged[i - 1, 1] = near.stop - _change((_evidence(heard[near], bound, width) + detector[near])[::-1])
        if i < len(found):
            near = slice(max(middle, end - REACH_FRAMES), min(end + REACH_FRAMES, found[i, 1]))
            edged[i, 0] = near.start + _change(_evidence(heard[near], bound, width) + detector[near])
    edged[:, 1] = np.maximum(edged[:, 0], edged[:, 1])
    return edged


def _calm(gap: Numbers) -> tuple[float, float]:
    """Up to where a gap's level belongs to the gap, and how wide it spreads, in dB."""
    margin = min(INSIDE_FRAMES, len(gap) // 4)
    middle, top = quantiles(gap[margin : len(gap) - margin], 0.5, CALM_RATIO)
    return float(top), max(float(top - middle), NARROW_DB)


def _evidence(level: Numbers, bound: float, width: float) -> Numbers:
    """-1 for a frame within the gap's own level to 1 for one well over it; half a width over it is neither."""
    evidence: Numbers = np.clip((level - bound) / width - 0.5, -1.0, 1.0)
    return evidence


def _odds(speech: Numbers) -> Numbers:
    """The detector's evidence, -1 to 1: half the logarithm of the odds. From 7 to 1 it outweighs any level alone."""
    likely = np.clip(speech, 1e-3, 1 - 1e-3)
    odds: Numbers = np.clip(np.log(likely / (1 - likely)) / 2, -1.0, 1.0)
    return odds


def _change(evidence: Numbers) -> int:
    """How many frames belong to the gap that comes first, before evidence of speech adds up (Page's cumulative sum).

    Without enough of it, as many as leave behind them the most of what there is.
    """
    sums = np.concatenate(([0.0], np.cumsum(evidence)))
    alarms = np.flatnonzero(sums - np.minimum.accumulate(sums) > ALARM)
    until = int(alarms[0]) if len(alarms) else len(sums)
    return int(np.argmin(sums[:until]))
