"""Turns of another local voice: which are told of, and that blocks do not show in them."""

import numpy as np
import pytest

from pipeline.local_turns import FEWEST_FRAMES, JOIN_FRAMES, LocalTurns


def flags(*turns, frames=1_000):
    other = np.zeros(frames, bool)
    for start, end in turns:
        other[start:end] = True
    return other


def told(other, size=1_000, rest=0):
    """The turns, given in blocks of so many frames but for the last ones."""
    turns = LocalTurns()
    for first in range(0, len(other) - rest, size):
        turns.feed(other[first : min(first + size, len(other) - rest)])
    return turns.read(other[len(other) - rest :])


@pytest.mark.parametrize(
    ("heard", "turns"),
    [
        ((), ()),
        (((200, 200 + FEWEST_FRAMES),), ((200, 200 + FEWEST_FRAMES),)),
        (((200, 200 + FEWEST_FRAMES - 1),), ()),
        (((200, 260), (260 + JOIN_FRAMES, 320)), ((200, 320),)),
        (tuple((at, at + 1) for at in range(100, 900, JOIN_FRAMES)), ()),
        (((200, 260), (261 + JOIN_FRAMES, 340)), ()),
        (((0, 150), (850, 1_000)), ((0, 150), (850, 1_000))),
        (((100, 300), (500, 520), (700, 900)), ((100, 300), (700, 900))),
    ],
)
@pytest.mark.parametrize(("size", "rest"), [(1_000, 0), (7, 0), (1, 0), (150, 400), (1, 1_000)])
def test_turns_of_a_second_and_longer_are_told_of_whatever_the_blocks(heard, turns, size, rest):
    assert told(flags(*heard), size, rest) == turns


def test_asking_changes_nothing():
    turns = LocalTurns()
    turns.feed(flags((900, 1_000)))
    assert turns.read(flags((0, 50))) == ((900, 1_050),)
    assert turns.read(np.zeros(0, bool)) == ((900, 1_000),)
    turns.feed(flags((0, 30)))
    assert turns.read(np.zeros(0, bool)) == ((900, 1_030),)
