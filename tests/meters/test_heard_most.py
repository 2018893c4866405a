"""The voice heard most: what it is by looks and at a glance, and when another takes its place."""

import numpy as np
import pytest

from pipeline.heard_most import (
    BELOW_USUAL,
    LIKE_AT_A_GLANCE,
    LIKE_BESIDE,
    MORE,
    PART,
    SURELY_OTHER,
    SURELY_UNLIKE,
    HeardMost,
    Steps,
)
from pipeline.voiceprints import unit

SIZE = 8
ONE, OTHER = np.eye(SIZE, dtype=np.float32)[:2]
AT_A_GLANCE = {0: np.eye(SIZE, dtype=np.float32)[4], 1: np.eye(SIZE, dtype=np.float32)[5]}
"""Glances lie elsewhere than looks."""


def steps(which):
    """Looks and glances at the first voice or the other."""
    every = np.ones(len(which), bool)
    return Steps(every, np.stack([AT_A_GLANCE[i] for i in which]), every, np.stack([(ONE, OTHER)[i] for i in which]))


def glance(voice):
    """A step that was only glanced at."""
    return Steps(np.ones(1, bool), voice[None], np.zeros(1, bool), np.empty((0, SIZE), np.float32))


def look(voice):
    """A step that was only looked at."""
    return Steps(np.zeros(1, bool), np.empty((0, SIZE), np.float32), np.ones(1, bool), voice[None])


def test_before_anything_was_heard_the_first_looks_are_held_against_most_of_themselves():
    heard = HeardMost(SIZE)
    assert not heard.known
    assert heard.likeness(np.stack([OTHER, ONE, ONE])).tolist() == pytest.approx([0, 1, 1])
    assert heard.at_a_glance(AT_A_GLANCE[0][None]).tolist() == [0]
    assert heard.likeness(np.empty((0, SIZE), np.float32)).shape == (0,)


def test_looks_are_held_against_looks_and_glances_against_glances():
    heard = HeardMost(SIZE)
    heard.take(steps([0, 0, 1]))
    assert heard.known
    assert heard.likeness(np.stack([ONE, OTHER])).tolist() == pytest.approx([1, 0])
    assert heard.at_a_glance(np.stack([AT_A_GLANCE[0], AT_A_GLANCE[1], ONE])).tolist() == pytest.approx([1, 0, 0])


def test_what_is_only_glanced_at_counts_as_the_main_voice():
    heard = HeardMost(SIZE)
    heard.take(steps([0]))
    between = unit(AT_A_GLANCE[0] + 0.3 * AT_A_GLANCE[1])
    for _ in range(50):
        heard.take(glance(between))
    assert heard.at_a_glance(between[None])[0] == pytest.approx(1, abs=1e-3)
    assert heard.likeness(ONE[None])[0] == pytest.approx(1)


@pytest.mark.parametrize(("like", "moves"), [(SURELY_OTHER + 0.01, False), (PART - 0.01, False), (PART + 0.01, True)])
def test_what_lies_between_two_voices_draws_neither(like, moves):
    heard = HeardMost(SIZE)
    heard.take(steps([0]))
    between = np.zeros(SIZE, np.float32)
    between[:2] = like, np.sqrt(1 - like**2)
    heard.take(look(between))
    assert (heard.likeness(ONE[None])[0] < 0.99) is np.bool_(moves)


def test_another_voice_takes_the_place_when_there_is_half_as_much_again_of_it():
    heard, first = HeardMost(SIZE), 20
    heard.take(steps([0] * first))
    heard.take(steps([1] * round(MORE * first)))
    assert heard.likeness(ONE[None])[0] == pytest.approx(1)
    heard.take(look(OTHER))
    assert heard.likeness(OTHER[None])[0] == pytest.approx(1)
    assert heard.at_a_glance(AT_A_GLANCE[1][None])[0] == pytest.approx(1)


def unlike_at_a_glance(heard, likeness):
    """At which steps; `None` where there is no glance."""
    glanced = np.array([like is not None for like in likeness], bool)
    return heard.unlike_at_a_glance(glanced, np.array([like for like in likeness if like is not None])).tolist()


JUST_UNDER, OVER = LIKE_AT_A_GLANCE - 0.005, LIKE_BESIDE + 0.01


@pytest.mark.parametrize(
    ("likeness", "unlike"),
    [
        ([OVER, JUST_UNDER, OVER], [False, False, False]),
        ([OVER, JUST_UNDER, LIKE_BESIDE - 0.01], [False, True, False]),
        ([LIKE_BESIDE - 0.01, JUST_UNDER, OVER], [False, True, False]),
        ([OVER, SURELY_UNLIKE - 0.005, OVER], [False, True, False]),
        ([OVER, OVER, JUST_UNDER], [False, False, True]),  # what comes then is not known
        ([JUST_UNDER, OVER, OVER], [True, False, False]),  # nor what came before
        ([OVER, JUST_UNDER, None, OVER], [False, True, False, False]),  # nor what was not glanced at
        ([None], [False]),
        ([], []),
    ],
)
def test_a_glance_alone_that_is_just_unlike_is_not_doubted_and_two_are(likeness, unlike):
    heard = HeardMost(SIZE)
    heard.take(steps([0]))
    assert unlike_at_a_glance(heard, likeness) == unlike


@pytest.mark.parametrize("usual", [0.89, 0.99])
def test_of_a_voice_that_changes_more_a_glance_must_be_further_off(usual):
    """Glances to either side of their mean, that much like it."""
    heard, every = HeardMost(SIZE), np.ones(1, bool)
    for side in (1, -1) * 20:
        changed = usual * AT_A_GLANCE[0] + side * np.sqrt(1 - usual**2) * AT_A_GLANCE[1]
        heard.take(Steps(every, changed[None], every, ONE[None]))
    least = min(SURELY_UNLIKE, usual - BELOW_USUAL)
    assert unlike_at_a_glance(heard, [least - 0.002, least + 0.002]) == [True, usual > 0.9]
    heard.take(look(ONE))  # at which nobody glanced
    assert unlike_at_a_glance(heard, [least - 0.002, least + 0.002]) == [True, usual > 0.9]


def test_of_a_voice_that_took_the_place_and_was_never_glanced_at_every_glance_is_unlike():
    heard = HeardMost(SIZE)
    heard.take(steps([0]))
    for _ in range(2):
        heard.take(look(OTHER))
    assert heard.likeness(OTHER[None])[0] == pytest.approx(1)
    likeness = heard.at_a_glance(np.stack(list(AT_A_GLANCE.values())))
    assert unlike_at_a_glance(heard, likeness.tolist()) == [True, True]


def test_how_much_a_voice_changes_goes_with_it_when_another_takes_its_place():
    """Of the first one's glances the mean is at 0.89, of the other's at 0.99."""
    heard, every = HeardMost(SIZE), np.ones(1, bool)
    for usual, voice, count in ((0.89, ONE, 4), (0.99, OTHER, 8)):
        for side in (1, -1) * (count // 2):
            changed = usual * AT_A_GLANCE[0] + side * np.sqrt(1 - usual**2) * AT_A_GLANCE[1]
            heard.take(Steps(every, changed[None], every, voice[None]))
    assert heard.likeness(OTHER[None])[0] == pytest.approx(1)
    assert unlike_at_a_glance(heard, [0.88]) == [True]
