"""The voice that a clip is mostly of, as far as it was heard, by looks and at a glance. Pure.

A look hears every frame of 1.6 s and tells people apart. A glance hears the means of four frames each, so a quarter as many, and lies
elsewhere among voices: it tells whether the voice is still the same, but less well whose it is in another file.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Floats
from pipeline.voiceprints import main_voice

LIKE_MAIN = 0.8
"""Cosine of a look to the voice heard most so far. An insert of 2 to 5 s of another voice has a look under it; of most readers
few looks are, of one whose voice changes many."""

LIKE_AT_A_GLANCE, LIKE_BESIDE, SURELY_UNLIKE = 0.9, 0.93, 0.885
"""The same for glances: one under the first that has one under the second beside it, or one under the third by itself, for an insert
of 2 s is heard by two glances in part or by one in whole. They are chosen so that an insert with a look under the other has such a
glance; so have some of a reader's own. How many inserts are found is in what `make accuracy` tells of SECOND_SPEAKER."""

BELOW_USUAL = 0.015
"""By so much, too, such a glance is less like the voice heard most than its own glances are on average: some readers' voices change."""

PART, SURELY_OTHER = 0.74, 0.7
"""A look that is liker than the first to the voice heard most is a part of it, one that is less like it than the second is another's."""

MORE = 1.5
"""The other voices take the main one's place when there is so many times as much of them: in a talk of two equal ones neither does
all the time."""


class Steps(NamedTuple):
    """What was heard at some steps, at each of them one of the two or both.

    glanced, looked : bool (steps,), where there was a glance, and where a look
    glances, looks : float32 (glances, size) and (looks, size)
    """

    glanced: NDArray[np.bool_]
    glances: Floats
    looked: NDArray[np.bool_]
    looks: Floats


class HeardMost:
    """The sums of the voice heard most so far and of what is surely another; when that is far more, it takes the place.

    In a talk of two the mean of everything lies between them and near to both, so that neither would ever stand out. Where there
    is no look, the glance was like the voice heard most.
    """

    def __init__(self, size: int) -> None:
        self._sums = np.zeros((2, 2, size))  # the main voice and the others, by looks and by glances
        self._steps, self._glances = [0, 0], [0, 0]

    @property
    def known(self) -> bool:
        """Whether anything was heard."""
        return self._steps[0] > 0

    def likeness(self, looks: Floats) -> NDArray[np.float64]:
        """The cosine of each look to the main voice; of the first ones to what most of them are."""
        return _cosines(looks, self._sums[0, 0] if self.known else _first_main(looks))

    def at_a_glance(self, glances: Floats) -> NDArray[np.float64]:
        """The cosine of each glance to those at the main voice; 0 before there was any."""
        return _cosines(glances, self._sums[0, 1])

    def unlike_at_a_glance(self, glanced: NDArray[np.bool_], likeness: NDArray[np.float64]) -> NDArray[np.bool_]:
        """At which steps in a row a glance is unlike the main voice, by the cosines of those that there were.

        What was not glanced at may be another's; and so may what comes before and behind.
        """
        at_each = np.zeros(len(glanced) + 2)
        at_each[1:-1][glanced] = likeness
        beside = np.minimum(at_each[:-2], at_each[2:])[glanced]
        made = np.zeros(len(glanced), bool)
        made[glanced] = (likeness < SURELY_UNLIKE) | ((likeness < LIKE_AT_A_GLANCE) & (beside < LIKE_BESIDE))
        made[glanced] &= likeness < self._usual - BELOW_USUAL
        return made

    @property
    def _usual(self) -> float:
        """The mean cosine of glances at the main voice to their mean; 1 before there was any."""
        return float(np.linalg.norm(self._sums[0, 1])) / self._glances[0] if self._glances[0] else 1.0

    def take(self, steps: Steps) -> None:
        """Count steps in, after they were judged."""
        likeness = np.ones(len(steps.looked))
        likeness[steps.looked] = self.likeness(steps.looks)
        heard = np.zeros((len(likeness), *self._sums.shape[1:]))
        heard[steps.looked, 0], heard[steps.glanced, 1] = steps.looks, steps.glances
        for like, glanced, voices in zip(likeness.tolist(), steps.glanced.tolist(), heard, strict=True):
            if like >= PART or like < SURELY_OTHER:  # what lies between would draw the voices together
                which = int(like < SURELY_OTHER)
                self._sums[which] += voices
                self._steps[which] += 1
                self._glances[which] += glanced
        if self._steps[1] > MORE * self._steps[0]:
            self._sums = self._sums[::-1].copy()
            self._steps, self._glances = self._steps[::-1], self._glances[::-1]


def _cosines(voices: Floats, main: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(voices @ (main / max(float(np.linalg.norm(main)), 1e-9)), np.float64)


def _first_main(looks: Floats) -> Floats:
    """What most of the first looks are of; zeros where there is none."""
    return main_voice(looks, np.ones(len(looks))) if len(looks) else np.zeros(looks.shape[1], np.float32)
