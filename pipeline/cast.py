"""The voices of a clip: the main one, and the others with their stretches and how sure it is that they are another person's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.confirmation import EDGE, OWN_FRAMES, Confirmation
from pipeline.dsp import Doubles
from pipeline.graphs.campplus import FRAMES
from pipeline.kept_speech import Frames
from pipeline.mel import FRAME_S, HOP
from pipeline.network import Network
from pipeline.readings import Turn, Voice
from pipeline.records import Floats
from pipeline.telephone import by_telephone
from pipeline.turns import EVEN, UNLIKE, Partials, Sound, Stretch, another, foreign, grouped, main_of, together

MIN_FRAMES = 120
"""1.2 s of speech: of what a clip's own voice does for less than that, such as laughing, nothing can be told."""

ONE_VOICE = 0.75
"""Stretches of foreign voices that are more alike than that are one person's."""

DOUBTFUL = 0.83
"""Where pooled looks are less like the main voice, it may still be the other one of a talk of two that are alike; there is enough
that is surely the main one's."""

PRINT_FRAMES, FEWEST_FRAMES = 2 * FRAMES + EDGE, 150
"""4 s of a voice are enough to know it in another clip; by less than 1.5 s it is not known."""

MOST_ASKED = 8
"""The voices that speak longest; about more of them the second encoder is not asked, so that a clip of many takes no time without
end."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Which stretches the second encoder is asked about: by the cosine to the main voice of the 2.4 s least like it, and of all."""

    unlike: float
    whole_unlike: float

    def passes(self, stretch: Stretch, main: Sound) -> bool:
        """Whether a stretch is far enough from the main voice, and long enough, to be another."""
        whole = float(stretch.sound.voice @ main.voice)
        return stretch.lowest < self.unlike and whole < self.whole_unlike and stretch.end - stretch.start >= MIN_FRAMES


PLAIN = Gate(UNLIKE, 0.82)
TELEPHONE = Gate(0.86, 0.9)
"""Two people of one sex come as near each other as one does to himself elsewhere, so nearly every minute has a stretch to ask
about."""


@dataclass(frozen=True, slots=True)
class Role:
    """A voice of a clip, how it sounds, and its stretches; none for the main one, which has all the rest."""

    voice: Voice
    sound: Sound
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Cast:
    """The voices of a clip, the main one first and then the others by how long they speak."""

    roles: tuple[Role, ...]
    telephone: bool


def cast(partials: Partials, network: Network) -> Cast:
    """Who speaks, by what GE2E has looked at and by what the second encoder's `network` says of what was kept of it."""
    main = main_of(partials)
    own = partials.kept.own((), PRINT_FRAMES)
    telephone = by_telephone(own)
    gate = TELEPHONE if telephone else PLAIN
    found = [stretch for stretch in foreign(partials, main.voice, gate.unlike) if gate.passes(stretch, main)]
    own = own_speech(partials, main, found) if found else own
    asked = Confirmation(network, partials.kept, own, telephone=telephone)
    sure = [stretch for stretch in found if PLAIN.passes(stretch, main)]
    found = [*sure, *_confirmed([stretch for stretch in found if stretch not in sure], main, asked)]
    left_s = (len(partials.spoken) - sum(stretch.end - stretch.start for stretch in found)) * FRAME_S
    main = replace(main, second=asked.main if len(own) >= FEWEST_FRAMES * HOP else None, telephone=telephone)
    roles = [Role(Voice("A", left_s, 1.0, None, main.pitch_semitones, main.decay_db), main)]
    for number, stretches in enumerate(_of_one_voice(found)):
        roles.append(_role(_letter(number + 1), stretches, main, asked if number < MOST_ASKED else None))
    return Cast(tuple(roles), telephone)


def own_speech(partials: Partials, main: Sound, found: Sequence[Stretch]) -> Floats:
    """Samples of the main voice, (samples,): what is in none of the stretches that were found or that are `DOUBTFUL`."""
    doubtful = foreign(partials, main.voice, DOUBTFUL)
    own = partials.kept.own(_ranges([*found, *doubtful]), OWN_FRAMES)
    return own if len(own) else partials.kept.own(_ranges(found), OWN_FRAMES)


def _confirmed(stretches: Sequence[Stretch], main: Sound, asked: Confirmation) -> Iterator[Stretch]:
    """Of those that are more like the main voice than others are elsewhere the ones that the second encoder says are another's."""
    for stretch in sorted(stretches, key=lambda s: s.lowest)[:MOST_ASKED]:
        sure = asked.another(asked.voice(_ranges([stretch])), float(stretch.sound.voice @ main.voice))
        if sure is not None and sure >= EVEN:
            yield stretch


def _of_one_voice(found: Sequence[Stretch]) -> list[tuple[Stretch, ...]]:
    """The stretches of each voice, that of the most speech first."""
    ordered = sorted(found, key=lambda s: (s.start - s.end, s.start))
    lengths = _lengths(ordered)
    groups = grouped([s.sound.voice for s in ordered], lengths, np.full(len(ordered), ONE_VOICE))
    groups.sort(key=lambda group: -lengths[group].sum())
    return [tuple(ordered[i] for i in group) for group in groups]


def _role(name: str, stretches: tuple[Stretch, ...], main: Sound, asked: Confirmation | None) -> Role:
    """Another voice, and how sure that is: by the second encoder, or by the first where that was not asked or cannot tell."""
    lengths = _lengths(stretches)
    sound = together([s.sound for s in stretches], lengths)
    likeness = float(sound.voice @ main.voice)
    second = None if asked is None else asked.voice(_ranges(stretches))
    sure = None if asked is None else asked.another(second, likeness)
    sure = another(main, sound) if sure is None else sure
    known = second if lengths.sum() >= FEWEST_FRAMES else None
    sound = replace(sound, second=known, telephone=main.telephone)
    spoken_s = float(lengths.sum()) * FRAME_S
    return Role(Voice(name, spoken_s, likeness, sure, sound.pitch_semitones, sound.decay_db), sound, stretches)


def turns(partials: Partials, roles: Sequence[Role]) -> Iterator[Turn]:
    """The turns in order: the other voices', and the main one's between them."""
    found = sorted((s.start, s.end, role.voice.speaker) for role in roles for s in role.stretches)
    at = 0
    for start, end, speaker in found:
        if start > at:
            yield _turn(partials, at, start, "A")
        yield _turn(partials, start, end, speaker)
        at = end
    if at < len(partials.spoken):
        yield _turn(partials, at, len(partials.spoken), "A")


def _turn(partials: Partials, start: int, end: int, speaker: str) -> Turn:
    first, last = partials.spoken[start], partials.spoken[end - 1]
    return Turn(float(first) * FRAME_S, float(last + 1) * FRAME_S, speaker)


def _ranges(stretches: Sequence[Stretch]) -> list[Frames]:
    return [(stretch.start, stretch.end) for stretch in stretches]


def _lengths(stretches: Sequence[Stretch]) -> Doubles:
    return np.array([stretch.end - stretch.start for stretch in stretches], np.float64)


def _letter(number: int) -> str:
    """A, B … Z, then A1, B1 and so on."""
    round_, letter = divmod(number, 26)
    return f"{chr(ord('A') + letter)}{round_ or ''}"
