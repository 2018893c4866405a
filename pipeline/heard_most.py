"""The voice that a clip is mostly of, as far as it was heard, by looks and at a glance. Pure.

A look hears every frame of 1.6 s and tells people apart. A glance hears the means of three frames each, so a third as many, and lies
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

LIKE_AT_A_GLANCE = 0.9
"""The same for glances, chosen so that an insert with a look under the other has a glance under this; so have some of a reader's own.
How many inserts are found all the same is in what `make accuracy` tells of SECOND_SPEAKER."""

SURELY_OTHER = 0.7
"""A look that is less like the voice heard most is no part of it."""

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
        self._counts = [0, 0]

    @property
    def known(self) -> bool:
        """Whether anything was heard."""
        return self._counts[0] > 0

    def likeness(self, looks: Floats) -> NDArray[np.float64]:
        """The cosine of each look to the main voice; of the first ones to what most of them are."""
        return _cosines(looks, self._sums[0, 0] if self.known else _first_main(looks))

    def at_a_glance(self, glances: Floats) -> NDArray[np.float64]:
        """The cosine of each glance to those at the main voice; 0 before there was any."""
        return _cosines(glances, self._sums[0, 1])

    def take(self, steps: Steps) -> None:
        """Count steps in, after they were judged."""
        likeness = np.ones(len(steps.looked))
        likeness[steps.looked] = self.likeness(steps.looks)
        heard = np.zeros((len(likeness), *self._sums.shape[1:]))
        heard[steps.looked, 0], heard[steps.glanced, 1] = steps.looks, steps.glances
        for like, voices in zip(likeness.tolist(), heard, strict=True):
            if like >= LIKE_MAIN or like < SURELY_OTHER:  # what lies between would draw the voices together
                which = int(like < SURELY_OTHER)
                self._sums[which] += voices
                self._counts[which] += 1
        if self._counts[1] > MORE * self._counts[0]:
            self._sums, self._counts = self._sums[::-1].copy(), self._counts[::-1]


def _cosines(voices: Floats, main: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(voices @ (main / max(float(np.linalg.norm(main)), 1e-9)), np.float64)


def _first_main(looks: Floats) -> Floats:
    """What most of the first looks are of; zeros where there is none."""
    return main_voice(looks, np.ones(len(looks))) if len(looks) else np.zeros(looks.shape[1], np.float32)
