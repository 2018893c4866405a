"""The voices of a clip: the main one, and the others with their stretches and how sure it is that they are another person's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from pipeline.confirmation import EDGE, FEWEST, OTHER_FRAMES, OWN_FRAMES, Confirmation
from pipeline.dsp import Doubles
from pipeline.graphs.campplus import FRAMES
from pipeline.kept_speech import Frames
from pipeline.local_turns import FEWEST_FRAMES as FEWEST_OF_TURN
from pipeline.mel import FRAME_S, HOP
from pipeline.network import Network
from pipeline.partials import LOOK, STEP, Partials
from pipeline.readings import Turn, Voice
from pipeline.records import Floats
from pipeline.telephone import by_telephone
from pipeline.turns import (
    EVEN,
    UNLIKE,
    WORTH_TELLING,
    Sound,
    Stretch,
    another,
    foreign,
    grouped,
    main_of,
    sound_of,
    together,
)

MIN_FRAMES = 120
"""1.2 s of speech: of what a clip's own voice does for less than that, such as laughing, nothing can be told."""

ONE_VOICE = 0.75
"""Stretches of foreign voices that are more alike than that are one person's."""

DOUBTFUL = 0.83
"""Where pooled looks are less like the main voice, it may still be the other one of a talk of two that are alike; there is enough
that is surely the main one's."""

PRINT_FRAMES, FEWEST_FRAMES = 2 * FRAMES + EDGE, 150
"""4 s of a voice are enough to know it in another clip; by less than 1.5 s it is not known. What was heard more of is known better."""

NOTHING = np.empty(0, np.float32)

MOST_ASKED = 8
"""Of the voices those that speak longest, of the doubtful stretches the least alike, of PyanNet's turns too: about more of each the
second encoder is not asked, so that a clip of many takes no time without end."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Which stretches the second encoder is asked about: by the cosine to the main voice of the 2.4 s least like it, and of all.

    fewest : frames that they have at least
    apart_unlike : by that cosine of all, too, about which of PyanNet's turns it is asked
    """

    unlike: float
    whole_unlike: float
    apart_unlike: float
    fewest: int = MIN_FRAMES

    def passes(self, stretch: Stretch, main: Sound) -> bool:
        """Whether a stretch is far enough from the main voice, and long enough, to be another."""
        whole = float(stretch.sound.voice @ main.voice)
        return stretch.lowest < self.unlike and whole < self.whole_unlike and stretch.end - stretch.start >= self.fewest


PLAIN = Gate(UNLIKE, 0.82, 0.9)
"""A stretch that is more like the main voice than the second has a moment in it and no other voice. A turn of PyanNet's that
is more like it than the third is the same voice to GE2E all along."""

TELEPHONE = Gate(0.86, 0.9, 1.0, FEWEST)
"""Two people of one sex come as near each other there as one does to himself elsewhere, so more is asked about, and of another's
stretch only a part may be found."""


@dataclass(frozen=True, slots=True)
class Role:
    """A voice of a clip, how it sounds, and its stretches; none for the main one, which has all the rest."""

    voice: Voice
    sound: Sound
    stretches: tuple[Stretch, ...] = ()


def cast(partials: Partials, network: Network) -> list[Role]:
    """The main voice, then the others by how long they speak.

    By GE2E's looks, by PyanNet's turns, and by what the second encoder's `network` says.
    """
    main = main_of(partials)
    own = partials.kept.own((), PRINT_FRAMES)
    telephone = by_telephone(own)
    gate = TELEPHONE if telephone else PLAIN
    found = suspects(partials, main, gate)
    apart = heard_apart(partials, main, found, gate)
    own = own_speech(partials, main, found, apart) if found else some_of_own(partials, apart)
    asked = Confirmation(network, own, telephone=telephone)
    if apart and not found:  # a little of the main voice tells of most that they are its own
        apart = _confirmed(partials, main, apart, asked, WORTH_TELLING)
        if apart:
            own = own_speech(partials, main, apart)
            asked = Confirmation(network, own, telephone=telephone)
    main = replace(main, second=asked.main if len(own) >= FEWEST_FRAMES * HOP else None, telephone=telephone)
    plain = [stretch for stretch in found if PLAIN.passes(stretch, main)]
    found = plain + _confirmed(partials, main, [each for each in found if not PLAIN.passes(each, main)], asked)
    found += _confirmed(partials, main, apart, asked)
    left_s = (len(partials.spoken) - sum(stretch.end - stretch.start for stretch in found)) * FRAME_S
    roles = [Role(Voice("A", left_s, 1.0, None, main.pitch_semitones, main.decay_db), main)]
    for number, stretches in enumerate(_of_one_voice(found)):
        kept = partials.kept.unlike(_ranges(stretches), OTHER_FRAMES) if number < MOST_ASKED else NOTHING
        roles.append(_role(_letter(number + 1), stretches, roles[0].sound, asked, kept))
    return roles


def suspects(partials: Partials, main: Sound, gate: Gate) -> list[Stretch]:
    """The stretches that may be another voice, in order."""
    return [stretch for stretch in foreign(partials, main.voice, gate.unlike) if gate.passes(stretch, main)]


def heard_apart(partials: Partials, main: Sound, found: Sequence[Stretch], gate: Gate) -> list[Stretch]:
    """What PyanNet hears as another voice outside of the stretches that were found, in order; it may be but another room."""
    middles = partials.at + LOOK / 2
    apart = []
    for start, end in _outside(partials.turns, found):
        inside = np.flatnonzero((middles >= start) & (middles < end))
        away = np.abs(middles - (start + end) / 2)
        if not len(inside) and away.min() > STEP / 2:  # at a glance it was the main voice
            continue
        looks = inside if len(inside) else away.argmin(keepdims=True)
        lowest = float((partials.voices[looks] @ main.voice).min())
        stretch = Stretch(start, end, sound_of(partials, looks), lowest)
        if float(stretch.sound.voice @ main.voice) < gate.apart_unlike:
            apart.append(stretch)
    return apart


def _outside(turns: Sequence[Frames], found: Sequence[Stretch]) -> Iterator[Frames]:
    """What is left of the turns without those stretches, where it is still as long as a turn must be."""
    for start, end in turns:
        at, taken = start, [each for each in sorted(_ranges(found)) if each[0] < end and start < each[1]]
        for first, last in (*taken, (end, end)):
            if first - at >= FEWEST_OF_TURN:
                yield at, first
            at = max(at, last)


def own_speech(partials: Partials, main: Sound, found: Sequence[Stretch], apart: Sequence[Stretch] = ()) -> Floats:
    """Samples of the main voice, (samples,): in none of the stretches that were found, are heard apart, or are `DOUBTFUL`."""
    doubtful = foreign(partials, main.voice, DOUBTFUL)
    return _own(partials, [*found, *apart, *doubtful], found, OWN_FRAMES)


def some_of_own(partials: Partials, apart: Sequence[Stretch]) -> Floats:
    """Samples of the main voice, (samples,), as few as know it, and outside of those turns where there is enough."""
    return _own(partials, apart, (), PRINT_FRAMES)


def _own(partials: Partials, without: Sequence[Stretch], otherwise: Sequence[Stretch], most: int) -> Floats:
    """Samples outside of the ones stretches, or of the others where that leaves too little, up to so many frames."""
    own = partials.kept.own(_ranges(without), most)
    return own if len(own) >= FEWEST_FRAMES * HOP else partials.kept.own(_ranges(otherwise), most)


def _confirmed(
    partials: Partials, main: Sound, doubtful: Sequence[Stretch], asked: Confirmation, least: float = EVEN
) -> list[Stretch]:
    """Of stretches of which looks do not tell enough, the least alike first, what is another's for the second encoder.

    It is asked about `MOST_ASKED` of them of which enough was kept.
    """
    answers = (
        (stretch, sure)
        for stretch in sorted(doubtful, key=lambda s: s.lowest)
        if (sure := _sure(partials, main, stretch, asked)) is not None
    )
    return [stretch for stretch, sure in islice(answers, MOST_ASKED) if sure >= least]


def _sure(partials: Partials, main: Sound, stretch: Stretch, asked: Confirmation) -> float | None:
    if asked.main is None:
        return None
    heard = asked.heard(partials.kept.unlike(_ranges([stretch]), OTHER_FRAMES))
    return asked.another(heard, float(stretch.sound.voice @ main.voice))


def _of_one_voice(found: Sequence[Stretch]) -> list[tuple[Stretch, ...]]:
    """The stretches of each voice, that of the most speech first."""
    ordered = sorted(found, key=lambda s: (s.start - s.end, s.start))
    lengths = _lengths(ordered)
    groups = grouped([s.sound.voice for s in ordered], lengths, np.full(len(ordered), ONE_VOICE))
    groups.sort(key=lambda group: -lengths[group].sum())
    return [tuple(ordered[i] for i in group) for group in groups]


def _role(name: str, stretches: tuple[Stretch, ...], main: Sound, asked: Confirmation, kept: Floats) -> Role:
    """Another voice, and how sure that is: by the second encoder, or by the first where too little is `kept` for that."""
    lengths = _lengths(stretches)
    sound = together([s.sound for s in stretches], lengths)
    likeness, heard = float(sound.voice @ main.voice), asked.heard(kept)
    sure = asked.another(heard, likeness)
    sure = another(main, sound) if sure is None else sure
    second = heard.voice if heard is not None and len(kept) >= FEWEST_FRAMES * HOP else None
    sound = replace(sound, second=second, telephone=by_telephone(kept))
    spoken_s = float(lengths.sum()) * FRAME_S
    return Role(Voice(name, spoken_s, likeness, sure, sound.pitch_semitones, sound.decay_db), sound, stretches)


def turns(partials: Partials, roles: Sequence[Role], total_s: float) -> Iterator[Turn]:
    """The turns of a clip of so many seconds in order: the other voices', and the main one's between them."""
    found = sorted((s.start, s.end, role.voice.speaker) for role in roles for s in role.stretches)
    at = 0
    for start, end, speaker in found:
        if start > at:
            yield Turn(*_times_s(partials, at, start, total_s), "A")
        yield Turn(*_times_s(partials, start, end, total_s), speaker)
        at = end
    if at < len(partials.spoken):
        yield Turn(*_times_s(partials, at, len(partials.spoken), total_s), "A")


def _times_s(partials: Partials, start: int, end: int, total_s: float) -> tuple[float, float]:
    """When a stretch of frames of speech begins and ends; the last frame may reach beyond the clip's end."""
    first, last = partials.spoken[start], partials.spoken[end - 1]
    return float(first) * FRAME_S, min(float(last + 1) * FRAME_S, total_s)


def _ranges(stretches: Sequence[Stretch]) -> list[Frames]:
    return [(stretch.start, stretch.end) for stretch in stretches]


def _lengths(stretches: Sequence[Stretch]) -> Doubles:
    return np.array([stretch.end - stretch.start for stretch in stretches], np.float64)


def _letter(number: int) -> str:
    """A, B … Z, then A1, B1 and so on."""
    round_, letter = divmod(number, 26)
    return f"{chr(ord('A') + letter)}{round_ or ''}"
