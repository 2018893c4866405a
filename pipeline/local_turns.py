"""Turns of another voice as PyanNet hears them: who is whose it tells for 5 s only, but where one begins it hears best."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import runs
from pipeline.kept_speech import Frames

FEWEST_FRAMES = 100
"""A second: of less the second encoder tells too little."""

JOIN_FRAMES = 20
"""Turns with no more than 0.2 s of other speech between them are one."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """From which to which frame of speech, and in how many of them the voice was heard."""

    start: int
    end: int
    heard: int


class LocalTurns:
    """Keeps the ends of each turn of a second and longer."""

    def __init__(self) -> None:
        self._frames = 0
        self._turns: list[Frames] = []
        self._last: _Turn | None = None  # it may go on

    def feed(self, other: NDArray[np.bool_]) -> None:
        """Take in whether another voice than the window's first speaks, for the next frames of speech."""
        done, self._last = self._joined(other)
        self._turns += _long(done)
        self._frames += len(other)

    def read(self, rest: NDArray[np.bool_]) -> tuple[Frames, ...]:
        """From which to which frame of speech each turn is, with those in a rest that is not taken in."""
        done, last = self._joined(rest)
        return (*self._turns, *_long(done if last is None else [*done, last]))

    def _joined(self, other: NDArray[np.bool_]) -> tuple[list[_Turn], _Turn | None]:
        """The turns that end in these frames, and the one that may go on."""
        done, last = [], self._last
        for first, end in (runs(other) + self._frames).tolist():
            if last is not None and first - last.end <= JOIN_FRAMES:
                last = _Turn(last.start, end, last.heard + end - first)
                continue
            if last is not None:
                done.append(last)
            last = _Turn(first, end, end - first)
        return done, last


def _long(turns: Iterable[_Turn]) -> list[Frames]:
    return [(turn.start, turn.end) for turn in turns if turn.heard >= FEWEST_FRAMES]
