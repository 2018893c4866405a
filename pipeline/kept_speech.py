"""Some of a clip's speech, kept for a second look: what may be another voice is known only when all of it was heard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.mel import HOP
from pipeline.records import Floats

MOST_FRAMES = 12_000
"""Two minutes of what is unlike the main voice, 4 MB."""

PIECE = 500
"""Frames that are kept or passed over together, 5 s: as much as a stretch is known by."""

MOST_OWN = 16
"""Looks at the main voice."""

Frames = tuple[int, int]
"""From which to which frame of speech."""


class _Piece(NamedTuple):
    """What came at once of 5 s, or of a look, of that number."""

    number: int
    start: int
    hops: NDArray[np.float16]


@dataclass
class KeptSpeech:
    """Keeps up to two minutes of what is unlike the main voice, and sixteen looks of what is like it, spread over the clip.

    When there is more, every second piece is given up, and from then on every second one passed over.
    """

    _unlike: list[_Piece] = field(default_factory=list)
    _own: list[_Piece] = field(default_factory=list)
    _looks: int = 0
    _every: int = 1
    _every_own: int = 1
    _until: int = 0

    def copied(self) -> "KeptSpeech":
        """One that can go on by itself."""
        return replace(self, _unlike=list(self._unlike), _own=list(self._own))

    def keep_unlike(self, start: int, hops: Floats) -> None:
        """Frames of speech (frames, 160) from `start` on that may be another voice; those that were given before are known."""
        at, end = max(self._until, start), start + len(hops)
        while at < end:
            number, next_ = at // PIECE, min((at // PIECE + 1) * PIECE, end)
            if number % self._every == 0:
                self._unlike.append(_Piece(number, at, hops[at - start : next_ - start].astype(np.float16)))
            at = next_
        self._until = max(self._until, end)
        while sum(len(piece.hops) for piece in self._unlike) > MOST_FRAMES:
            self._every *= 2
            self._unlike = [piece for piece in self._unlike if piece.number % self._every == 0]

    def keep_own(self, start: int, hops: Floats) -> None:
        """A look (frames, 160) that is like the main voice."""
        if self._looks % self._every_own == 0:
            self._own.append(_Piece(self._looks, start, hops.astype(np.float16)))
        self._looks += 1
        if len(self._own) > MOST_OWN:
            self._every_own *= 2
            self._own = [piece for piece in self._own if piece.number % self._every_own == 0]

    def unlike(self, ranges: Sequence[Frames], most: int) -> Floats:
        """Samples of what is kept of these ranges, of the longest ones first, up to so many frames."""
        return _joined((self._within(*each) for each in sorted(ranges, key=lambda r: (r[0] - r[1], r[0]))), most)

    def own(self, without: Sequence[Frames], most: int) -> Floats:
        """Samples of what is the main voice, since none of these ranges holds it, up to so many frames; first what is like it."""
        looks = [piece for piece in self._own if not any(_meet(piece, start, end) for start, end in without)]
        taken = [*without, *((look.start, look.start + len(look.hops)) for look in looks)]
        return _joined(chain((look.hops for look in looks), (_free(piece, taken) for piece in self._unlike)), most)

    def _within(self, start: int, end: int) -> NDArray[np.float16]:
        parts = [piece.hops[max(start - piece.start, 0) : max(end - piece.start, 0)] for piece in self._unlike]
        return np.concatenate([np.empty((0, HOP), np.float16), *parts])


def _meet(piece: _Piece, start: int, end: int) -> bool:
    return piece.start < end and start < piece.start + len(piece.hops)


def _free(piece: _Piece, taken: Sequence[Frames]) -> NDArray[np.float16]:
    """The frames of a piece that none of the ranges holds."""
    numbers = np.arange(piece.start, piece.start + len(piece.hops))
    free = np.ones(len(numbers), bool)
    for start, end in taken:
        free &= (numbers < start) | (numbers >= end)
    return piece.hops[free]


def _joined(parts: Iterable[NDArray[np.float16]], most: int) -> Floats:
    taken, left = [np.empty((0, HOP), np.float16)], most
    for part in parts:
        taken.append(part[:left])
        left -= len(taken[-1])
        if not left:
            break
    return np.concatenate(taken).astype(np.float32).ravel()
