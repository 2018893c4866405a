"""Who speaks when: from looks at 1.6 s of speech each to the stretches that are another voice than the main one. Pure.

One look errs too often to decide anything, so looks are pooled over 2.4 s, and a stretch of another voice is what lies nearer to
that voice than to the main one. Its edges are moved into the nearest gap of the speech, where turns change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import Doubles
from pipeline.partials import LOOK, Partials
from pipeline.records import Floats
from pipeline.voiceprints import CLOSE, main_voice, unit, without_room

REACH = 80
"""Looks that begin within that of each other are pooled: 2.4 s of speech together."""

UNLIKE = 0.78
"""Where pooled looks are less like the main voice there may be another; hardly any of one reader's are, and of those the second
encoder knows most again."""

APART = 120
"""Suspicious looks further apart than that are of two stretches."""

AROUND = 64
"""Looks on either side among which a stretch is looked for at first."""

AT_ONCE = 4_096
"""Looks pooled at a time, for memory."""

ROUNDS = 2
MIN_PITCHED = 40
"""Frames with a pitch that make one: 0.4 s."""

TRIM = 30
"""A look is already nearer to the other voice when a quarter of it is: that much is cut off at either end."""

ODDS = (10.6, -54.7, 41.0, 0.83, -0.5)
"""What the numbers of `tells` weigh: a logistic regression, fitted when they judged alone; `make odds` tells how it errs."""

SECOND_ODDS = (12.0, -32.9, 9.6, -3.5)
"""The same for those of `second_tells`: two clips are one person's from a cosine of 0.36 on, by telephone from 0.66, across from 0.26."""

MOST_SEMITONES, SAME_ROOM_DB, MOST_ROOM_DB = 6.0, 3.0, 8.0
WHISPERED_SEMITONES = -3.0
"""A voice with a pitch may whisper, and is then unlike itself: less is known than of two voices of the same pitch."""

EVEN = 0.5
"""From here on a voice is rather another person's than not."""

WORTH_TELLING = 0.1
"""Less likely than that, a voice that is unlike is left to what tells of rooms and microphones."""

SNAP, GAP, GAP_COST = 60, 10, 0.5
"""An edge moves by up to 0.6 s into a gap of 0.1 s or more; 0.1 s further on costs as much as 50 ms less of gap."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is heard of a voice: where it lies among voices, its pitch and, of the room around it, how fast it falls silent.

    voice : float32 (256,), of length 1
    pitch_semitones : median over 100 Hz; `None` where it has too little pitch
    decay_db : by how much bands fall in 30 ms where they fall fast, negative: about -14 close to the microphone, -8 in a hall
    second : the voice by the second encoder, float32 (192,), of length 1; `None` where that heard too little
    telephone : whether it came through a telephone
    """

    voice: Floats
    pitch_semitones: float | None
    decay_db: float
    second: Floats | None = None
    telephone: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech of what may be another voice: from which to which frame of speech, and how it sounds.

    `lowest` is the cosine to the main voice of the 2.4 s that are least like it, of a turn that PyanNet hears of one look.
    """

    start: int
    end: int
    sound: Sound
    lowest: float


def another(one: Sound, other: Sound) -> float:
    """How likely these are two people and not one in two rooms, 0 to 1: by the second encoder, or by the first alone."""
    seconds = second_tells(one, other)
    told = tells(one, other) @ ODDS if seconds is None else seconds @ SECOND_ODDS
    return float(1 / (1 + np.exp(-told)))


def across_telephone(one: Sound, other: Sound) -> bool:
    """Whether one of both came by telephone, and the other did not."""
    return one.telephone != other.telephone


def second_tells(one: Sound, other: Sound) -> Doubles | None:
    """To the second encoder: 1, the cosine, whether both came by telephone, whether one of both did; `None` where it lacks one."""
    if one.second is None or other.second is None:
        return None
    both = one.telephone and other.telephone
    return np.array((1.0, float(one.second @ other.second), float(both), float(across_telephone(one, other))))


def tells(one: Sound, other: Sound) -> Doubles:
    """What tells two people from one in two rooms: 1, likeness without rooms, likeness, semitones apart, decay apart in decibels.

    Another room moves a voice as far as another person's lies, but along few directions: what is far off without them, and of
    another pitch, is another person. One that whispers, or falls silent otherwise, may be the same.
    """
    apart = WHISPERED_SEMITONES if (one.pitch_semitones is None) != (other.pitch_semitones is None) else 0.0
    if one.pitch_semitones is not None and other.pitch_semitones is not None:
        apart = min(abs(one.pitch_semitones - other.pitch_semitones), MOST_SEMITONES)
    room_db = max(min(abs(one.decay_db - other.decay_db), MOST_ROOM_DB) - SAME_ROOM_DB, 0.0)
    itself = float(without_room(one.voice) @ without_room(other.voice))
    return np.array((1.0, itself, float(one.voice @ other.voice), apart, room_db))


def together(sounds: Sequence[Sound], weights: Doubles) -> Sound:
    """How several sound as one, each with its weight; those without a pitch say nothing of it."""
    pitches = [(s.pitch_semitones, w) for s, w in zip(sounds, weights, strict=True) if s.pitch_semitones is not None]
    pitch = sum(p * w for p, w in pitches) / sum(w for _, w in pitches) if pitches else None
    decay_db = float(weights @ [s.decay_db for s in sounds] / weights.sum())
    heard = [(s.second, w) for s, w in zip(sounds, weights, strict=True) if s.second is not None]
    second = unit(np.array([w for _, w in heard]) @ np.stack([voice for voice, _ in heard])) if heard else None
    telephone = bool(weights @ [s.telephone for s in sounds] > weights.sum() / 2)
    return Sound(unit(weights @ np.stack([s.voice for s in sounds])), pitch, decay_db, second, telephone)


def grouped(voices: Sequence[Floats], weights: Doubles, least: Doubles) -> list[NDArray[np.int64]]:
    """Which are one person's, by their numbers: each goes to the group that it is most like, in the order given.

    One that is not so like any of them as its own `least` begins another. Keeps a sum a group, so that thousands take no time.
    """
    sums = np.zeros((len(voices), voices[0].size if voices else 0))
    middles = np.zeros_like(sums, np.float32)
    members: list[list[int]] = []
    for number, voice in enumerate(voices):
        likeness = middles[: len(members)] @ voice
        best = int(np.argmax(likeness)) if members and likeness.max() >= least[number] else len(members)
        if best == len(members):
            members.append([])
        members[best].append(number)
        sums[best] += weights[number] * voice
        middles[best] = unit(sums[best])
    return [np.array(group) for group in members]


def foreign(partials: Partials, main: Floats, unlike: float = UNLIKE) -> list[Stretch]:
    """The stretches less like `main` than `unlike`, which may be another voice, in order, none inside another."""
    looks = _Looks(partials, main)
    found: list[Stretch] = []
    for stretch in looks.stretches(unlike):
        if found and stretch.start < found[-1].end:
            if stretch.lowest < found[-1].lowest:
                found[-1] = stretch
        elif stretch.end > stretch.start:
            found.append(stretch)
    return found


def main_of(partials: Partials) -> Sound:
    """The voice that most of the speech is of, and how it sounds; of one look or more."""
    voice = main_voice(partials.voices, shares(partials.at))
    own = np.flatnonzero(partials.voices @ voice > CLOSE)
    heard = sound_of(partials, own if len(own) else np.arange(len(partials.at)))
    return Sound(voice, heard.pitch_semitones, heard.decay_db)


def sound_of(partials: Partials, looks: NDArray[np.int64]) -> Sound:
    """How some looks sound together."""
    pitched, semitones, decay_db = partials.sounds[looks].T.astype(np.float64)
    order = np.argsort(semitones, kind="stable")
    so_far = np.cumsum(pitched[order])
    middle = float(semitones[order][np.searchsorted(so_far, so_far[-1] / 2)])
    known = so_far[-1] >= MIN_PITCHED
    return Sound(unit(partials.voices[looks].sum(axis=0)), middle if known else None, float(decay_db.mean()))


def shares(at: NDArray[np.int64]) -> Doubles:
    """How many frames of speech each look stands for: half of those to either neighbour."""
    middles = (at[1:] + at[:-1]) / 2
    return np.diff(np.concatenate((at[:1] - LOOK / 2, middles, at[-1:] + LOOK / 2)))


class _Looks:
    """Looks with how like the main voice they are, one by one and pooled."""

    def __init__(self, partials: Partials, main: Floats) -> None:
        self.partials, self.main = partials, main
        self.at, self.voices, self.spoken = partials.at, partials.voices, partials.spoken
        self.ends = np.searchsorted(self.at, self.at + REACH, side="right")
        self.own = self.voices @ main
        self.like = np.concatenate([self._pooled(at) for at in range(0, len(self.at), AT_ONCE)])

    def stretches(self, unlike: float) -> Iterator[Stretch]:
        suspicious = np.flatnonzero(self.like < unlike)
        for group in np.split(suspicious, np.flatnonzero(np.diff(self.at[suspicious]) > APART) + 1):
            if len(group):
                found = self._around(int(group[np.argmin(self.like[group])]))
                if found is not None:
                    yield found

    def _pooled(self, first: int) -> Doubles:
        """How like the main voice are looks pooled, those of a block from `first` on; 1 where there are too few to pool."""
        ends = self.ends[first : first + AT_ONCE]
        sums = np.cumsum(self.voices[first : ends[-1]], axis=0, dtype=np.float64)
        pooled = sums[ends - first - 1]
        pooled[1:] -= sums[: len(ends) - 1]
        full = self.at[ends - 1] - self.at[first : first + AT_ONCE] >= REACH / 2
        return np.where(full, unit(pooled) @ self.main, 1.0)

    def _around(self, seed: int) -> Stretch | None:
        """The stretch of the voice that the pooled looks from `seed` on are of."""
        first, last = seed, int(self.ends[seed]) - 1
        other = self._voice(first, last)
        look = first + int(np.argmin(self._nearer(other, first, last + 1)))
        for _ in range(ROUNDS):
            grown = self._grown(other, look)
            if grown is None:
                return None
            first, last = grown
            other = self._voice(first, last)
        return self._stretch(other, first, last)

    def _voice(self, first: int, last: int) -> Floats:
        return unit(self.voices[first : last + 1].sum(axis=0))

    def _nearer(self, other: Floats, first: int, end: int) -> NDArray[np.floating]:
        """How much nearer looks are to the main voice than to another."""
        nearer: NDArray[np.floating] = self.own[first:end] - self.voices[first:end] @ other
        return nearer

    def _grown(self, other: Floats, look: int) -> tuple[int, int] | None:
        """The first and the last of the looks around one that are nearer to the other voice; `None` where it is not itself."""
        reach = AROUND
        while True:
            low, end = max(look - reach, 0), min(look + reach + 1, len(self.at))
            own = np.flatnonzero(self._nearer(other, low, end) >= 0) + low
            at = int(np.searchsorted(own, look))
            if at < len(own) and own[at] == look:
                return None
            first = int(own[at - 1]) + 1 if at > 0 else low
            last = int(own[at]) - 1 if at < len(own) else end - 1
            if (at > 0 or low == 0) and (at < len(own) or end == len(self.at)):
                return first, last
            reach *= 4

    def _stretch(self, other: Floats, first: int, last: int) -> Stretch:
        start = 0 if first == 0 else self._gap(self._crossing(other, first - 1) + TRIM)
        whole = len(self.spoken)
        end = whole if last == len(self.at) - 1 else self._gap(self._crossing(other, last) - TRIM)
        looks = slice(first, last + 1)
        inside = (self.at[looks] >= start - TRIM) & (self.at[looks] + LOOK <= end + TRIM)
        chosen = np.arange(first, last + 1)[inside if inside.any() else slice(None)]
        lowest = float(self.like[max(first - 2, 0) : last + 1].min())
        return Stretch(start, end, sound_of(self.partials, chosen), lowest)

    def _crossing(self, other: Floats, look: int) -> float:
        """Where between the middles of a look and the next neither voice is nearer."""
        one, next_ = self._nearer(other, look, look + 2)
        part = one / (one - next_) if one != next_ else 0.5
        return float(self.at[look] + LOOK / 2 + part * (self.at[look + 1] - self.at[look]))

    def _gap(self, near: float) -> int:
        """The frame of speech behind the gap that an edge moves into, or the edge itself."""
        low, high = max(round(near) - SNAP, 1), min(round(near) + SNAP, len(self.spoken) - 1)
        frames = np.arange(low, high + 1)
        silent = self.spoken[frames] - self.spoken[frames - 1] - 1
        worth = np.where(silent >= GAP, np.minimum(silent, SNAP) - GAP_COST * np.abs(frames - near), -np.inf)
        if not len(frames) or worth.max() == -np.inf:
            return int(np.clip(round(near), 0, len(self.spoken)))
        return int(frames[np.argmax(worth)])
