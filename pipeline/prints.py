"""Fingerprints: how the peaks of a clip are written as text, and where two clips hold the same sound.

After Wang, "An industrial-strength audio search algorithm", ISMIR 2003: peaks that follow each other make hashes, equal hashes
vote for a pair of clips and a shift between them, and a shift with enough votes is tried on the peaks themselves.
"""

import base64
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.kernels import Crowd, Flags, Peaks, Whole, crowds, meetings
from pipeline.records import Activity

NO_PEAK = LONGEST_GAP = 255
"""A peak is two bytes: frames since the one before, and its half bin. A gap of 255 frames and more is written by itself."""

BEHIND = 4
"""Each peak makes a hash with every two of the four that follow it: six hashes a peak."""

STEP_CELL, FRAME_CELL, MAX_FRAMES = 6, 3, 47
"""Three bins and three frames: wide enough that a shift by a part of a frame keeps a hash, in most cases. 0.8 s at most."""

MAX_SHARING = 32
"""Of hashes that more peaks share, each is held against so many neighbours: they tell the least."""

SHIFT_CELL = 4
MIN_VOTES = 6
MAX_SHIFTS = 24
"""The best shifts of a pair that are tried; more than one where pauses were cut out or takes stand in another order."""

AT_ONCE = 1 << 22

NEAR_STEPS = 2
"""Peaks are the same when they lie a bin apart, and at the shift or a frame later: a true shift lies between two frames."""

CROWD = Crowd(window=44, ratio=0.4)
"""Sound is shared where within 0.74 s either way so many of a clip's peaks stand in the other."""

MIN_PEAKS, MIN_RATIO = 12, 0.5
"""Of the peaks where it is shared, so many, and this part, must stand in the other: a second of speech has 18. Copies through
a codec, a telephone or noise at 20 dB have 56 to 100 %, other words by chance 10 % and up to 40 %."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a clip shares with another: a flag for each of its peaks, and the first and the last frame of each stretch.

    `starts` are the frames of the other clip in which the stretches begin.
    """

    peaks: Flags
    stretches: tuple[tuple[int, int], ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """Two clips that hold some of the same sound, by their numbers, and the part of either."""

    first: int
    second: int
    in_first: Part
    in_second: Part


def written(frames: Whole, steps: Whole) -> str:
    """Peaks as text: base64 of two bytes a peak."""
    gaps = np.diff(frames, prepend=0)
    long = gaps // LONGEST_GAP
    rows = np.full((len(frames) + int(long.sum()), 2), NO_PEAK, np.uint8)
    at = np.arange(len(frames)) + np.cumsum(long)
    rows[at, 0], rows[at, 1] = gaps % LONGEST_GAP, steps
    return base64.b64encode(rows.tobytes()).decode("ascii")


def peaks(text: str) -> Peaks:
    """The peaks that were written so. Raises ValueError for text that was not."""
    rows = np.frombuffer(base64.b64decode(text, validate=True), np.uint8).reshape(-1, 2).astype(np.int64)
    frames = np.cumsum(rows[:, 0])
    own = rows[:, 1] != NO_PEAK
    return Peaks.of(frames[own], rows[own, 1])


def seconds(frames: int) -> float:
    """Where a frame begins."""
    return frames * Activity.FRAME_S


def shared(clips: Sequence[Peaks]) -> Iterator[Shared]:
    """Every pair of clips that hold some of the same sound, the first before the second in `clips`."""
    for (first, second), shifts in _candidates(clips):
        found = _compared(clips[first], clips[second], shifts)
        if found is not None:
            yield Shared(first, second, *found)


def _candidates(clips: Sequence[Peaks]) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Pairs of clips with the shifts that most hashes vote for, the best first."""
    keys, votes = _votes(clips)
    few = keys[1:] == keys[:-1] + 1  # a shift on the edge of two cells votes for either
    votes[:-1] += np.where(few, votes[1:], 0)
    keys, votes = keys[votes >= MIN_VOTES], votes[votes >= MIN_VOTES]
    pairs = keys >> SHIFT_BITS
    order = np.lexsort((keys, -votes, pairs))
    edges = np.flatnonzero(np.diff(pairs[order], prepend=-1, append=-1))
    for start, end in itertools.pairwise(edges):
        best = keys[order[start : min(end, start + 2 * MAX_SHIFTS)]]
        shifts = ((best & SHIFT_MASK) - SHIFT_ZERO + 1) * SHIFT_CELL
        pair = int(best[0] >> SHIFT_BITS)
        yield divmod(pair, len(clips)), [int(shift) for shift in shifts]


SHIFT_BITS = 22
SHIFT_MASK, SHIFT_ZERO = (1 << SHIFT_BITS) - 1, 1 << (SHIFT_BITS - 1)
"""Of a vote's key the lower bits are the shift in cells: 39 hours either way."""


def _votes(clips: Sequence[Peaks]) -> tuple[Whole, Whole]:
    """How many equal hashes each pair of clips has at each shift: the keys in order, and their counts."""
    hashes, owners, frames = _hashes(clips)
    order = np.argsort(hashes, kind="stable")
    hashes, owners, frames = hashes[order], owners[order], frames[order]
    keys, votes = np.empty(0, np.int64), np.empty(0, np.int64)
    parts: list[Whole] = []
    waiting = 0
    at = np.arange(len(hashes))
    for apart in range(1, MAX_SHARING + 1):
        at = at[: np.searchsorted(at, len(hashes) - apart)]
        at = at[hashes[at] == hashes[at + apart]]
        one, other = at[owners[at] != owners[at + apart]], at[owners[at] != owners[at + apart]] + apart
        shift = (frames[other] - frames[one]) // SHIFT_CELL + SHIFT_ZERO
        parts.append(((owners[one] * len(clips) + owners[other]) << SHIFT_BITS) | shift)
        waiting += len(one)
        if waiting > AT_ONCE or apart == MAX_SHARING or not len(at):
            keys, votes = _counted(keys, votes, parts)
            parts, waiting = [], 0
        if not len(at):
            break
    return keys, votes


def _counted(keys: Whole, votes: Whole, parts: list[Whole]) -> tuple[Whole, Whole]:
    """Counts with more keys counted in."""
    more, counts = np.unique(np.concatenate(parts), return_counts=True)
    if not len(keys):
        return more, counts
    merged, place = np.unique(np.concatenate((keys, more)), return_inverse=True)
    total = np.bincount(place, np.concatenate((votes, counts)), len(merged))
    return merged, total.astype(np.int64)


def _hashes(clips: Sequence[Peaks]) -> tuple[Whole, Whole, Whole]:
    """Every hash with the clip and the frame that it begins in, in the order of the clips.

    All clips are gone through at once: of thousands of short ones each by itself would take longer than its hashes.
    """
    peaks_of = np.array([len(clip.frames) for clip in clips], np.int64)
    owner = np.repeat(np.arange(len(clips)), peaks_of)
    frame = np.concatenate([np.empty(0, np.int64), *(clip.frames for clip in clips)])
    step = np.concatenate([np.empty(0, np.int64), *(clip.steps for clip in clips)]) // STEP_CELL
    found: list[tuple[Whole, Whole]] = []
    for second in range(1, BEHIND):
        for third in range(second + 1, BEHIND + 1):
            at = np.arange(len(owner) - third)
            at = at[(owner[at] == owner[at + third]) & (frame[at + third] - frame[at] <= MAX_FRAMES)]
            code = np.zeros(len(at), np.int64)
            gaps = [(frame[at + behind] - frame[at]) // FRAME_CELL for behind in (second, third)]
            for part in (step[at], step[at + second], step[at + third], *gaps):
                code = code * 64 + part
            found.append((code, at))
    codes, at = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(owner[at], kind="stable")
    return codes[order], owner[at[order]], frame[at[order]]


def _compared(one: Peaks, other: Peaks, shifts: list[int]) -> tuple[Part, Part] | None:
    """What each of two clips shares with the other, at any of the shifts; `None` where none of them holds."""
    parts: tuple[list[Flags], ...] = ([], [])
    stretches: tuple[list[tuple[int, int, int]], ...] = ([], [])
    tried: list[int] = []
    for near in shifts:
        if len(tried) == MAX_SHIFTS or any(abs(near - shift) <= 2 * SHIFT_CELL for shift in tried):
            continue
        tried.append(near)
        shift = _exactly(one, other, near)
        if shift is None or (here := _same(one, other, shift)) is None:
            continue
        if (there := _same(other, one, -shift - 1)) is None:
            continue
        for side, (clip, (same, met), later) in enumerate(((one, here, shift), (other, there, -shift))):
            ends = clip.frames[met][[0, -1]]
            parts[side].append(same)
            stretches[side].append((int(ends[0]), int(ends[1]), int(ends[0]) + later))
    if not stretches[0]:
        return None
    first, second = (_part(flags, found) for flags, found in zip(parts, stretches, strict=True))
    return first, second


def _part(flags: list[Flags], stretches: list[tuple[int, int, int]]) -> Part:
    ordered = sorted(stretches)
    peaks_in = np.logical_or.reduce(flags)
    return Part(peaks_in, tuple((first, last) for first, last, _ in ordered), tuple(max(at, 0) for *_, at in ordered))


def _exactly(one: Peaks, other: Peaks, near: int) -> int | None:
    """The shift at which most peaks meet, within a cell and a half of a voted one; `None` where too few do."""
    reach = SHIFT_CELL * 3 // 2
    counts = meetings(one, other, near - reach, 2 * reach + 2, NEAR_STEPS)
    met = counts[:-1] + counts[1:]
    best = int(np.argmax(met))
    return near - reach + best if met[best] >= MIN_PEAKS else None


def _same(one: Peaks, other: Peaks, shift: int) -> tuple[Flags, Flags] | None:
    """Which peaks of one lie where enough of those around them stand in the other, and which of these do.

    `None` when all of it may be by chance.
    """
    same, each = crowds(one, other, shift, NEAR_STEPS, CROWD)
    certain = same & each
    return (same, certain) if certain.sum() >= max(MIN_PEAKS, MIN_RATIO * same.sum()) else None
