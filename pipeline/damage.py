"""Where a stream did not decode, and how much of it is missing there."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import runs
from pipeline.records import Span

MAX_PLACES = 100

GAP_S = 0.03
"""A jump of the time stamps that is no rounding: the finest containers count in milliseconds, a frame lasts 20 and more."""


class Damage:
    """Counts damaged places: packets in a row that do not decode are one place, and so is a leap of the time stamps.

    `stamped` says that time stamps are the file's own and no count of FFmpeg's. Kept: the first 100 places, as instants on
    the clock of what did decode. `lost_s` sums the time that the container gives to what is missing; 0 where it gives none.
    """

    def __init__(self, *, stamped: bool) -> None:
        self.count = 0
        self.places: list[Span] = []
        self.lost_s = 0.0
        self._stamped = stamped
        self._open = self._junk = False
        self._pending_s = 0.0
        self._expected_s: float | None = None

    def fail(self, at_s: float, length_s: float = 0.0, *, junk: bool = False) -> None:
        """A packet that should have lasted `length_s` did not decode; `junk` when it is not even shaped like a frame."""
        self._pending_s += length_s
        self._junk = junk and (self._junk or not self._open)
        if self._open:
            return
        self._open = True
        self.count += 1
        if len(self.places) < MAX_PLACES:
            self.places.append(Span(at_s, at_s))

    def passed(self, frame: Any, at_s: float) -> None:
        """A frame decoded; its time stamp tells whether something was left out before it."""
        if not frame.sample_rate:
            return
        length_s = frame.samples / frame.sample_rate
        if not self._stamped or frame.time is None:
            self._close(self._pending_s)
            self._expected_s = None if self._expected_s is None else self._expected_s + length_s
            return
        stamp_s = frame.time
        leap_s = stamp_s - self._expected_s if self._expected_s is not None else self._pending_s
        if leap_s > GAP_S:
            self.fail(at_s)
        self._close(max(leap_s, 0.0))
        self._expected_s = stamp_s + length_s

    def part(self) -> None:
        """Another part of the file begins, with time stamps of its own."""
        self._expected_s = None

    def end(self) -> None:
        """No frame follows. What failed last stays missing, but tags or junk behind the last frame are no loss."""
        if self._open and self._junk:
            self.count -= 1
            del self.places[self.count :]
            self._pending_s = 0.0
        self._close(self._pending_s)

    def _close(self, lost_s: float) -> None:
        self.lost_s += lost_s if self._open else 0.0
        self._open = self._junk = False
        self._pending_s = 0.0


class Spoilt:
    """Counts places whose samples are no numbers, or far over full scale; with `GAP_S` or less between them they are one.

    Kept: the first 100 places. `lost_s` sums the time of those samples.
    """

    def __init__(self, rate_hz: int) -> None:
        self.count = 0
        self.places: list[Span] = []
        self.lost_s = 0.0
        self._rate_hz = rate_hz
        self._end = -rate_hz  # of the last place, in samples

    def take(self, spoilt: NDArray[np.bool_], first: int) -> None:
        """Which of the frames are spoilt, one at least, that begin with that number of the stream."""
        self.lost_s += int(np.count_nonzero(spoilt)) / self._rate_hz
        starts, ends = (runs(spoilt) + first).T
        apart = np.flatnonzero(starts[1:] - ends[:-1] > GAP_S * self._rate_hz) + 1
        for first_of, last_of in zip(np.append(0, apart), np.append(apart, len(starts)) - 1, strict=True):
            self._add(int(starts[first_of]), int(ends[last_of]))

    def _add(self, start: int, end: int) -> None:
        """A place, or more of the last one."""
        more = start - self._end <= GAP_S * self._rate_hz
        self._end = end
        self.count += not more
        if self.count <= MAX_PLACES:
            begin_s = self.places.pop().start_s if more else start / self._rate_hz
            self.places.append(Span(begin_s, end / self._rate_hz))


def cut_short(counted_s: float, decoded_s: float) -> str:
    """That a file decodes to less than its structure counts, in words."""
    return f"it should last {counted_s:.3f} s by its own count and decodes to {decoded_s:.3f} s"
