"""Main voice: clips that belong to somebody else than the rest of the set, and sets of which nobody can say whose they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.corpus import is_copy
from pipeline.dsp import Doubles
from pipeline.readings import Reference, Speakers, Voice
from pipeline.records import Clip, Evidence, Floats, Severity
from pipeline.set_readings import Likeness, MainVoice, Person
from pipeline.turns import EVEN, WORTH_TELLING, Sound, across_telephone, another, grouped, second_tells, together
from pipeline.voiceprints import main_voice, read
from pipeline.words import clock

SECOND_ALIKE, BY_TELEPHONE = 0.45, 0.62
"""Cosine by the second encoder from which on a clip is one of a group of one person's, in whatever rooms, and where it came by
telephone. Elsewhere that is more than it takes to be rather the main voice than not, so that no group draws in another person."""

ALIKE = 0.8
"""Cosine by GE2E alone, of clips with too little speech for the second encoder: a reader's own clips lie over it, other readers' and
his own in another room under it."""

ALONE_SURE = 0.7
"""So sure must GE2E alone be at least: it is wrong more than ten times as often (`make odds`)."""

ACROSS_SURE = 0.95
"""So sure must it be where only one of both came by telephone: there CAM++ errs most (`make odds`), and one's own calls should not be
rejected."""

SHORT_ALIKE, SHORT_S, WHOLE_S = 0.62, 1.0, 5.0
"""A clip with only a second of speech is as little as that like the rest of its reader's; with 5 s it is as any other."""


@dataclass(frozen=True, slots=True)
class MainVoiceLimits(Limits):
    """How sure it must be that a clip is another person's, and how much of the set may be."""

    min_sure_ratio: float | None = limit(
        0.5,
        "of clips by other readers 7 in 1,000 are less sure, of those by one reader, in other rooms and by telephone, 7 in 1,000 "
        "as sure (`make odds`); less, or under 0.7 where a clip has too little speech for CAM++, or under 0.95 where only one "
        "came by telephone, is a warning: it may be the same person, recorded otherwise",
        looser="higher",
    )
    max_others_ratio: float | None = limit(
        0.4,
        "of the speech: with more of it by others nobody can tell whose voice is wanted; --reference says so",
    )


class MainVoiceMeter:
    """Keeps the voices of the clips, about 2 kB each."""

    def __init__(self, reference: Reference | None = None) -> None:
        self._reference = reference
        self._clips: list[tuple[str, Speakers]] = []
        self._copies: set[str] = set()

    def feed(self, clip: Clip) -> None:
        """Take in a clip with the findings that it has so far; one without a voice says nothing."""
        speakers = clip.readings.get(Speakers)
        if speakers is None or not speakers.voices:
            return
        self._clips.append((clip.source.id, speakers))
        if is_copy(clip):
            self._copies.add(clip.source.id)

    def read(self) -> MainVoice:
        """Every clip against the main voice, and all voices against each other; a copy has no say in whose set it is.

        A clip that is rejected has: of a narrator's noisy files and a guest's clean one the guest's is the odd one.
        """
        heard = [list(_voices(id_, speakers)) for id_, speakers in sorted(self._clips, key=lambda pair: pair[0])]
        whole = [each for clip in heard for each in clip]
        voices = [each for each in whole if each.clip not in self._copies] or whole
        reference = self._reference
        path = None if reference is None else reference.path
        if not voices:
            return MainVoice(reference=path)
        main = _main(voices) if reference is None else _referred(reference)
        others = [each for each in voices if not _own(each, main)]
        people = [_person([each for each in voices if _own(each, main)], None)]
        mains = frozenset(clip[0].clip for clip in heard if _own(clip[0], main))
        people += sorted(_grouped(others, main, mains), key=lambda person: (-person.speech_s, person.clips))
        return MainVoice(tuple(_likeness(clip, main) for clip in heard), tuple(people), path)


@dataclass(frozen=True, slots=True)
class _Heard:
    """One voice of one clip."""

    clip: str
    voice: Voice
    sound: Sound


def _voices(clip: str, speakers: Speakers) -> Iterator[_Heard]:
    for voice, print_, second in zip(speakers.voices, speakers.prints, speakers.second_prints, strict=True):
        yield _Heard(clip, voice, _sound(voice, print_, second, telephone=speakers.telephone is True))


def _likeness(heard: Sequence[_Heard], main: Sound) -> Likeness:
    """How like the main voice a clip's own is, which is the first of its voices."""
    first = heard[0]
    own_s = sum(each.voice.speech_s for each in heard if _own(each, main, WORTH_TELLING))
    return Likeness(
        clip=first.clip,
        own=_own(first, main, WORTH_TELLING),
        by_second=second_tells(first.sound, main) is not None,
        across=across_telephone(first.sound, main),
        sure_ratio=another(first.sound, main),
        main_ratio=own_s / sum(each.voice.speech_s for each in heard),
    )


def _sound(voice: Voice, print_: str, second: str | None, *, telephone: bool) -> Sound:
    heard = None if second is None else read(second)
    return Sound(read(print_), voice.pitch_semitones, voice.decay_db, heard, telephone)


def _referred(reference: Reference) -> Sound:
    return _sound(reference.voice, reference.print, reference.second_print, telephone=reference.telephone)


def _main(heard: Sequence[_Heard]) -> Sound:
    """The voice with the most speech, and how it sounds on the whole: by the second encoder where it heard most of the speech."""
    known = [each for each in heard if each.sound.second is not None]
    if _seconds(known).sum() > _seconds(heard).sum() / 2:
        telephone = together([each.sound for each in known], _seconds(known)).telephone
        near = _nearest(known, _second_voices(known), BY_TELEPHONE if telephone else SECOND_ALIKE)
    else:
        near = _nearest(heard, [each.sound.voice for each in heard], ALIKE)
    whole = together([each.sound for each in near], _seconds(near))
    if whole.telephone:
        return whole
    others = [each for each in near if not each.sound.telephone]  # lest all telephone calls be like it
    return together([each.sound for each in others], _seconds(others))


def _nearest(heard: Sequence[_Heard], voices: Sequence[Floats], close: float) -> list[_Heard]:
    """Those around the voice with the most speech; all where it is by itself."""
    voice = main_voice(np.stack(voices), _seconds(heard), close, close)
    return [each for each, its in zip(heard, voices, strict=True) if float(its @ voice) >= close] or list(heard)


def _second_voices(heard: Sequence[_Heard]) -> list[Floats]:
    return [each.sound.second for each in heard if each.sound.second is not None]


def _seconds(heard: Sequence[_Heard]) -> Doubles:
    return np.array([each.voice.speech_s for each in heard], np.float64)


def _own(each: _Heard, main: Sound, doubt: float = EVEN) -> bool:
    """Whether it is less likely than `doubt` that a voice is not the main one, or as near to it as the little of it can be."""
    if second_tells(each.sound, main) is not None:
        return another(each.sound, main) < doubt
    return float(each.sound.voice @ main.voice) >= alike(each.voice.speech_s)


def alike(speech_s: float) -> float:
    """The cosine that so much speech of the main voice has to all of it at least."""
    part = float(np.clip((speech_s - SHORT_S) / (WHOLE_S - SHORT_S), 0, 1))
    return SHORT_ALIKE + part * (ALIKE - SHORT_ALIKE)


def _grouped(others: Sequence[_Heard], main: Sound, mains: frozenset[str]) -> Iterator[Person]:
    """The voices that are not the main one's, those that are alike together; `mains` are the clips that are the main one's."""
    for heard in _people(others):
        whole = together([each.sound for each in heard], _seconds(heard))
        told = _told([each for each in heard if each.clip in mains])
        if told is None:
            yield _person(heard, another(whole, main), across=across_telephone(whole, main))
        else:
            yield _person(heard, told)


def _people(others: Sequence[_Heard]) -> Iterator[list[_Heard]]:
    """Voices that are alike together, those that the second encoder heard by themselves."""
    ordered = sorted(others, key=lambda e: (-e.voice.speech_s, e.clip))
    known = [each for each in ordered if each.sound.second is not None]
    rest = [each for each in ordered if each.sound.second is None]
    least = [BY_TELEPHONE if each.sound.telephone else SECOND_ALIKE for each in known]
    for group in grouped(_second_voices(known), _seconds(known), np.array(least)):
        yield [known[i] for i in group]
    least = [alike(each.voice.speech_s) for each in rest]
    for group in grouped([each.sound.voice for each in rest], _seconds(rest), np.array(least)):
        yield [rest[i] for i in group]


def _told(heard: Sequence[_Heard]) -> float | None:
    """How sure clips of the main voice are of these voices in them, for they were heard there with more than is kept of them."""
    known = [(each.voice.sure_ratio, each.voice.speech_s) for each in heard if each.voice.sure_ratio is not None]
    return sum(sure * s for sure, s in known) / sum(s for _, s in known) if known else None


def _person(heard: Sequence[_Heard], sure_ratio: float | None, *, across: bool = False) -> Person:
    clips = tuple(sorted({each.clip for each in heard}))
    return Person(sum(each.voice.speech_s for each in heard), clips, sure_ratio, across)


SUBJECT = Subject("main_voice", MainVoiceLimits, MainVoice, MainVoiceMeter, needs=("reference",), turn="compare")


@SUBJECT.check(
    "ODD_SPEAKER",
    Severity.ERROR,
    says="{detail}",
    hint="Listen to it beside the others. If it is another person, leave it out; if it is the same, it was recorded otherwise.",
    means="The file's voice is not the set's, as somebody else's recording is. How sure that is is told; where it is less sure, it is "
    "a warning, for it may be the same person, recorded quite otherwise.",
)
def odd_speaker(found: MainVoice, limits: MainVoiceLimits) -> Iterator[Evidence]:
    """Fires for a clip whose own main voice is unlike that of the set, or of the reference."""
    whose = "most of the set" if found.reference is None else f"the reference {found.reference}"
    for clip in found.likenesses:
        if clip.own or clip.main_ratio > 0.5:
            continue
        sure = limits.min_sure_ratio is not None and clip.sure_ratio >= max(limits.min_sure_ratio, _least(clip))
        share = f", which has {clip.main_ratio:.0%} of its speech" if clip.main_ratio > 0 else ""
        said = (
            "is another voice than"
            if sure
            else "is another voice, or the same in another room or on another microphone, than"
        )
        yield Evidence(
            clip.sure_ratio,
            clips=(clip.clip,),
            detail=f"{said} {whose}{share} ({clip.sure_ratio:.0%} sure)",
            severity=None if sure else Severity.WARNING,
        )


def _least(clip: Likeness) -> float:
    """How sure it must be at least, whatever the limit is."""
    return max(0.0 if clip.by_second else ALONE_SURE, ACROSS_SURE if clip.across else 0.0)


@SUBJECT.check(
    "UNSURE",
    Severity.WARNING,
    gravest=Severity.ERROR,
    says="{detail}",
    hint="Name a recording of the wanted voice with --reference, or check each person's files by themselves.",
    means="A question that the gate asks has no sure answer: here, whose voice this set is.",
)
def no_main_voice(found: MainVoice, limits: MainVoiceLimits) -> Iterator[Evidence]:
    """Fires where too much of the set is by others than the most frequent voice to know which one is wanted."""
    others, most = found.people[1:], limits.max_others_ratio
    if most is None or not others or found.reference is not None:
        return
    whole_s = sum(person.speech_s for person in found.people)
    ratio = sum(person.speech_s for person in others) / whole_s if whole_s else 0.0
    if ratio <= most:
        return
    sure_s = sum(
        person.speech_s for person in others if (person.sure_ratio or 0.0) >= (ACROSS_SURE if person.across else EVEN)
    )
    first, second = found.people[0].speech_s, others[0].speech_s
    yield Evidence(
        ratio,
        most,
        detail=f"has no clear main voice: {ratio:.0%} of its speech is by others than the likeliest one (up to {most:.0%} is let "
        f"pass), which speaks for {clock(first)}, the next for {clock(second)}",
        severity=Severity.ERROR if sure_s / whole_s > most else None,
    )
