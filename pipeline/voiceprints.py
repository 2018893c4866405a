"""Voices as points: unit vectors whose cosine tells how alike two voices are. Pure.

GE2E's have 256 numbers: one person's voice over some seconds comes within 0.8 to 0.95 of all the rest of it, another person's to 0.3
to 0.7. CAM++'s, the second encoder's, have 192; `SECOND_ODDS` in `pipeline.turns` weighs their cosines.
"""

import base64
import functools
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import Doubles
from pipeline.records import Floats

ALIKE, CLOSE = 0.75, 0.78
"""Two looks at one voice are mostly over the first; a look at it and the mean of many, over the second."""

ROUNDS = 3
MOST_COMPARED = 1_000


def unit(voices: NDArray[np.floating]) -> Floats:
    """The same voices with length 1; none at all stays none."""
    length = np.linalg.norm(voices, axis=-1, keepdims=True)
    made: Floats = (voices / np.maximum(length, 1e-9)).astype(np.float32)
    return made


def main_voice(voices: Floats, weights: Doubles, alike: float = ALIKE, close: float = CLOSE) -> Floats:
    """The mean of the largest set of voices that are alike, by weight; of (voices, size) that there is at least one of.

    The voice that most others are like is the seed, looked for among up to a thousand; then it moves to the middle of its
    neighbours.
    """
    some = np.arange(0, len(voices), -(-len(voices) // MOST_COMPARED))
    near = voices[some] @ voices[some].T > alike
    seed = int(np.argmax(near @ weights[some]))
    middle = unit(weights[some][near[seed]] @ voices[some][near[seed]])
    for _ in range(ROUNDS):
        near = voices @ middle > close
        if not near.any():
            break
        middle = unit(weights[near] @ voices[near])
    return middle


def without_room(voices: Floats) -> Floats:
    """The same voices without what a room and a microphone change most, of length 1.

    Nuisance attribute projection (Solomonoff, Campbell and Boardman, ICASSP 2005) along the directions in `rooms.npy`, which
    `make rooms` finds.
    """
    directions = _rooms()
    return unit(voices - (voices @ directions.T) @ directions)


@functools.cache
def _rooms() -> Floats:
    directions: Floats = np.load(Path(__file__).parent / "rooms.npy").astype(np.float32)
    return directions


def written(voice: Floats) -> str:
    """A voice as text: a byte a number, from -127 to 127 for the largest there is."""
    scaled = np.round(voice / max(float(np.abs(voice).max()), 1e-9) * 127)
    return base64.b64encode(scaled.astype(np.int8).tobytes()).decode()


def read(text: str) -> Floats:
    """The voice that was written. Raises ValueError for other text."""
    return unit(np.frombuffer(base64.b64decode(text, validate=True), np.int8).astype(np.float32))
