"""How evenly loud a voice is through a clip: whether its level drifts, and whether it jumps and stays there.

Only frames in which someone speaks count, a second of them at a time, so that pauses and their noise have no say. What
is louder for a word or a sentence is emphasis and no step: a step is between the medians of several seconds on either side.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import FLOOR_DBFS, Doubles, runs
from pipeline.records import Activity, Span
from pipeline.segments import ON
from pipeline.series import Series

SECTION_FRAMES = 59
"""A second of speech: about four syllables."""

SIDE_SECTIONS, LEAST_SECTIONS, NEAR_SECTIONS = 10, 5, 3
"""How many sections on either side make a level, and how few may, at the ends of a clip; and how
many tell its place."""

DRIFT_SECTIONS = 16
"""With less speech, how a sentence falls in level looks like a drift."""

STEP_DB = 4.0
"""From here on a step's place is told."""

MAX_POINTS = 240
"""A slope is taken through so many points; of a longer clip each is the median of several sections."""

MAX_STEPS = 1_000


class EvennessMeter:
    """Keeps three numbers a second of speech, 86 kB an hour."""

    def __init__(self) -> None:
        self._power, self._count = 0.0, 0
        self._begun = 0
        self._sections = Series(np.float64, 3)

    def feed(self, activity: Activity) -> None:
        """Take in the frames of a block."""
        spoken = np.flatnonzero((activity.speech >= ON) & (activity.level_dbfs > FLOOR_DBFS + 1))
        powers = 10 ** (activity.level_dbfs[spoken].astype(np.float64) / 10)
        frames = spoken + activity.first
        while len(frames):
            if self._count == 0:
                self._begun = int(frames[0])
            taken = min(SECTION_FRAMES - self._count, len(frames))
            self._power += float(powers[:taken].sum())
            self._count += taken
            if self._count == SECTION_FRAMES:
                level = 10 * np.log10(self._power / SECTION_FRAMES)
                self._sections.extend(np.array([[self._begun, frames[taken - 1] + 1, level]]))
                self._power, self._count = 0.0, 0
            frames, powers = frames[taken:], powers[taken:]

    def drift_db(self) -> float | None:
        """By how much the level rises from the clip's start to its end; `None` with under 16 s of speech."""
        sections = self._sections.array()
        if len(sections) < DRIFT_SECTIONS:
            return None
        each = -(-len(sections) // MAX_POINTS)
        whole = len(sections) // each * each
        times, levels = np.median(sections[:whole, [0, 2]].reshape(-1, each, 2), axis=1).T
        first, second = np.triu_indices(len(times), 1)
        slopes = (levels[second] - levels[first]) / (times[second] - times[first])
        return float(np.median(slopes) * (sections[-1, 1] - sections[0, 0]))

    def step_db(self) -> float | None:
        """The largest lasting change of level, negative for a fall; `None` with under 10 s of speech."""
        found = changes(self._sections.array()[:, 2])
        return float(found[np.abs(found).argmax()]) if len(found) else None

    def steps(self) -> tuple[Span, ...]:
        """Where the level changes lastingly by 4 dB or more: the seconds of speech right before and behind."""
        sections = self._sections.array()
        lasting = np.abs(changes(sections[:, 2])) >= STEP_DB
        found = []
        for first, end in runs(lasting)[:MAX_STEPS]:
            at = LEAST_SECTIONS + int(first) + self._sharpest(LEAST_SECTIONS + np.arange(first, end))
            begin, until = float(sections[at - 1, 0]), float(sections[at, 1])
            found.append(Span(begin * Activity.FRAME_S, until * Activity.FRAME_S))
        return tuple(found)

    def _sharpest(self, boundaries: NDArray[np.int64]) -> int:
        """Which of the boundaries differs most in the sections right beside it: medians stay the same a little further off."""
        levels = self._sections.array()[:, 2]
        beside = np.arange(NEAR_SECTIONS)
        ahead = levels[boundaries[:, None] + beside].mean(axis=1)
        return int(np.abs(ahead - levels[boundaries[:, None] - 1 - beside].mean(axis=1)).argmax())


def changes(levels: Doubles) -> Doubles:
    """For every boundary of two sections with enough of them on either side: the level behind it minus that before."""
    return _before(levels[::-1])[::-1] - _before(levels)


def _before(levels: Doubles) -> Doubles:
    """The median of the up to ten sections before each boundary of two that has enough of them on either side."""
    known = levels[: max(len(levels) - LEAST_SECTIONS, 0)]
    made = [float(np.median(known[:at])) for at in range(LEAST_SECTIONS, min(SIDE_SECTIONS, len(known) + 1))]
    if len(known) < SIDE_SECTIONS:
        return np.array(made)
    whole = np.lib.stride_tricks.sliding_window_view(known, SIDE_SECTIONS)
    return np.concatenate((made, np.median(whole, axis=1)))
