"""The voice heard most: what it is by looks and at a glance, and when another takes its place."""

import numpy as np
import pytest

from pipeline.heard_most import LIKE_MAIN, MORE, SURELY_OTHER, HeardMost, Steps
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


@pytest.mark.parametrize(
    ("like", "moves"), [(SURELY_OTHER + 0.02, False), (LIKE_MAIN - 0.02, False), (LIKE_MAIN + 0.02, True)]
)
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
