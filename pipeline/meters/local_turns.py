"""Turns of another voice as PyanNet hears them: who is whose it tells for 5 s only, but where one begins it hears best."""

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import runs
from pipeline.kept_speech import Frames

FEWEST = 100
"""A second: of less the second encoder tells too little."""

JOIN = 20
"""Turns within 0.2 s of each other are one."""


class LocalTurns:
    """Keeps the ends of each turn of a second and longer."""

    def __init__(self) -> None:
        self._frames = 0
        self._turns: list[Frames] = []
        self._last: Frames | None = None  # it may go on

    def feed(self, other: NDArray[np.bool_]) -> None:
        """Take in whether another voice than the window's first speaks, for the next frames of speech."""
        done, self._last = self._joined(other)
        self._turns += done
        self._frames += len(other)

    def read(self, rest: NDArray[np.bool_]) -> tuple[Frames, ...]:
        """From which to which frame of speech each turn is, with those in a rest that is not taken in."""
        done, last = self._joined(rest)
        return (*self._turns, *done, *([last] if last is not None and _long(last) else ()))

    def _joined(self, other: NDArray[np.bool_]) -> tuple[list[Frames], Frames | None]:
        """The turns that end in these frames, without the short ones, and the one that may go on."""
        done, last = [], self._last
        for first, end in (runs(other) + self._frames).tolist():
            if last is not None and first - last[1] <= JOIN:
                last = (last[0], end)
                continue
            if last is not None and _long(last):
                done.append(last)
            last = (first, end)
        return done, last


def _long(turn: Frames) -> bool:
    return turn[1] - turn[0] >= FEWEST
