"""Speakers: who else speaks in a clip, when, how sure that is, and where two speak at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cast import cast, turns
from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import runs
from pipeline.mel import FRAME_S
from pipeline.meters.at_once import MAYBE, SURELY, AtOnceMeter
from pipeline.meters.partials import PartialsMeter
from pipeline.models import session
from pipeline.readings import Speakers, Voice
from pipeline.records import Activity, Block, Evidence, Severity, Span, StreamInfo
from pipeline.turns import EVEN, WORTH_TELLING
from pipeline.voiceprints import written
from pipeline.words import moment

ENGINE = "embedded"
MIN_OVERLAP_FRAMES = 24
"""0.4 s: a word's worth. Shorter ones are often plosives, breath, clipped vowels, and where takes are joined."""


@dataclass(frozen=True, slots=True)
class SpeakersLimits(Limits):
    """How much of a second voice is let pass, and how sure it must be that it is one."""

    engine: str = limit(
        "embedded",
        "PyanNet's voices, GE2E's embeddings, CAM++'s second opinion and segmentation 3.0's of two at once, on this machine; off "
        "leaves second voices unexamined",
        choices=("embedded", "off"),
    )
    min_sure_ratio: float | None = limit(
        0.5,
        "rather another person than the same one in another room; of the stretches of one draw of cases, 2 of 321 by "
        "others and none of 547 by the same reader are on the wrong side (`make odds`)",
        looser="higher",
    )
    max_second_s: float | None = limit(10.0, "a slip that can be cut out; more of it is another recording")
    max_second_ratio: float | None = limit(0.02, "of the speech: more of it teaches a second voice")
    max_overlap_ratio: float | None = limit(0.02, "of the speech: interjections of a listener stay under it")


class SpeakersMeter:
    """Keeps what `PartialsMeter` and `AtOnceMeter` keep."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate, self._samples = info.sample_rate, 0
        self._partials: PartialsMeter | None = None
        self._at_once = AtOnceMeter(lambda: session("segmentation"))
        self._why: str | None = "no samples"

    def feed(self, block: Block) -> None:
        """Take in a block with its 16 kHz mono and its activity."""
        self._samples += len(block.samples)
        if block.mono16k is None or block.activity is None:
            self._why = "voice activity was not measured"
            return
        self._why = None
        if block.activity.overlap is None:
            self._why = f"{block.activity.engine} hears no voices"
            return
        if self._partials is None:
            self._partials = PartialsMeter(session("ge2e"))
        self._partials.feed(block)
        self._at_once.feed(block, self._partials.unlike())

    def read(self) -> Speakers:
        """The voices of everything fed so far."""
        if self._partials is None or self._why is not None:
            return Speakers(why=self._why)
        partials = self._partials.read()
        if not len(partials.at):
            return Speakers(engine=ENGINE, why="there is under 1 s of speech")
        roles = cast(partials, session("campplus"))
        total_s = self._samples / self._rate
        at_once = tuple(_overlaps(self._at_once.read(partials.unlike), total_s))
        return Speakers(
            count=1 + sum((role.voice.sure_ratio or 0.0) >= EVEN for role in roles[1:]),
            speech_s=len(partials.spoken) * FRAME_S,
            turns=tuple(turns(partials, roles, total_s)),
            voices=tuple(role.voice for role in roles),
            prints=tuple(written(role.sound.voice) for role in roles),
            second_prints=tuple(None if r.sound.second is None else written(r.sound.second) for r in roles),
            telephone=roles[0].sound.telephone,
            overlaps=at_once,
            overlap_s=float(sum(span.length_s for span in at_once)),
            engine=ENGINE,
        )


def _overlaps(marks: NDArray[np.uint8], total_s: float) -> Iterator[Span]:
    """Where two speak at once, surely so for a word or longer, given the mark of every frame of so many seconds."""
    for first, end in runs(marks >= MAYBE):
        if (marks[first:end] == SURELY).sum() >= MIN_OVERLAP_FRAMES:
            yield Span(float(first) * Activity.FRAME_S, min(float(end) * Activity.FRAME_S, total_s))


SUBJECT = Subject(
    "speakers",
    SpeakersLimits,
    Speakers,
    SpeakersMeter,
    needs=("mono16k", "activity", "voices"),
    models=("ge2e", "campplus", "segmentation"),
)


@SUBJECT.check(
    "SECOND_SPEAKER",
    Severity.WARNING,
    gravest=Severity.ERROR,
    says="holds another voice {detail}",
    hint="Listen at the times given. Cut the other voice out, or leave the clip out.",
    means="Somebody else speaks: an interviewer, a guest, an advertisement. A clone made from two people is neither.",
)
def second_speaker(speakers: Speakers, limits: SpeakersLimits) -> Iterator[Evidence]:
    """Fires for voices that are surely enough another person's; an error when they say too much."""
    others = [voice for voice in speakers.voices if _sure(voice, limits) is True]
    if not others:
        return
    spoken_s = sum(voice.speech_s for voice in others)
    ratio = spoken_s / speakers.speech_s if speakers.speech_s else 1.0
    sure = max(voice.sure_ratio or 0.0 for voice in others)
    people = "" if len(others) == 1 else f", of {len(others)} people"
    told = f"for {spoken_s:.1f} s{people}, {ratio:.1%} of its speech ({sure:.0%} sure)"
    spans = _spans(speakers, others)
    if _over(spoken_s, limits.max_second_s):
        told += f"; up to {limits.max_second_s:g} s is only warned of"
        yield Evidence(spoken_s, limits.max_second_s, spans, detail=told, severity=Severity.ERROR)
    elif _over(ratio, limits.max_second_ratio):
        told += f"; up to {limits.max_second_ratio:.0%} is only warned of"
        yield Evidence(ratio, limits.max_second_ratio, spans, detail=told, severity=Severity.ERROR)
    else:
        yield Evidence(spoken_s, None, spans, detail=told)


@SUBJECT.check(
    "UNSURE",
    Severity.WARNING,
    says="{detail}",
    hint="Listen at the times given: is it the same person? If so, the takes differ in room or microphone; keep to one.",
    means="A question that the gate asks has no sure answer for this clip.",
)
def maybe_another(speakers: Speakers, limits: SpeakersLimits) -> Iterator[Evidence]:
    """Fires for voices that may be another person's or the same one's in another room."""
    unsure = [voice for voice in speakers.voices if _sure(voice, limits) is False]
    doubtful = [voice for voice in unsure if (voice.sure_ratio or 0.0) >= WORTH_TELLING]
    spans = _spans(speakers, doubtful)
    if spans:
        least, most = (pick(v.sure_ratio or 0.0 for v in doubtful) for pick in (min, max))
        sure = f"{most:.0%}" if len(doubtful) == 1 else f"{least:.0%} to {most:.0%}"
        told = f"may hold another voice, or the same in another room, as from {moment(spans[0].start_s)} ({sure} sure)"
        yield Evidence(sum(v.speech_s for v in doubtful), None, spans, detail=told)


@SUBJECT.check(
    "OVERLAP",
    Severity.WARNING,
    gravest=Severity.ERROR,
    says="has two voices at once for {detail}",
    hint="Cut those places out, or leave the clip out: two voices at once cannot be taken apart again.",
    means="Two people speak at the same time. What is learned from it is neither of them.",
)
def overlap(speakers: Speakers, limits: SpeakersLimits) -> Iterator[Evidence]:
    """Fires for any overlap; an error when it is too much of the speech."""
    if not speakers.overlaps or not speakers.overlap_s:
        return
    ratio = min(speakers.overlap_s / speakers.speech_s, 1.0) if speakers.speech_s else 1.0
    if _over(ratio, limits.max_overlap_ratio):
        told = f"{ratio:.1%} of its speech; up to {limits.max_overlap_ratio:.0%} is only warned of"
        yield Evidence(ratio, limits.max_overlap_ratio, speakers.overlaps, detail=told, severity=Severity.ERROR)
    else:
        yield Evidence(speakers.overlap_s, None, speakers.overlaps, detail=f"{ratio:.1%} of its speech")


def _sure(voice: Voice, limits: SpeakersLimits) -> bool | None:
    """Whether a voice is surely enough another person's; `None` for the main one."""
    if voice.sure_ratio is None or limits.min_sure_ratio is None:
        return None if voice.sure_ratio is None else False
    return voice.sure_ratio >= limits.min_sure_ratio


def _over(value: float, most: float | None) -> bool:
    return most is not None and value > most


def _spans(speakers: Speakers, voices: Sequence[Voice]) -> tuple[Span, ...]:
    names = {voice.speaker for voice in voices}
    return tuple(Span(turn.start_s, turn.end_s) for turn in speakers.turns if turn.speaker in names)
