"""What can be measured of the whole set: one record a subject of the dataset, in the manner of `pipeline.readings`."""

from dataclasses import dataclass

from pipeline.records import Reading, Span


@dataclass(frozen=True, slots=True)
class Duplicates(Reading):
    """Sets of clips that hold the same samples, each with its best copy first."""

    sets: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a clip, and when in another clip the same sound begins."""

    span: Span
    other_start_s: float


@dataclass(frozen=True, slots=True)
class Match:
    """A clip of which a part is in another: `ratio` is that part of its sound, in those pieces."""

    clip: str
    other: str
    ratio: float
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class NearDuplicates(Reading):
    """Which clips hold the same recording, told for either of a pair. `order` has the copy to keep before the others.

    `unfit` are those that do not pass for reasons of their own.
    """

    order: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far a clip is from the middle of its dataset; `None` where either is not known.

    `spectrum_db` is the distance of the voice's spectrum, less what the shortness of the clip explains; `low_db` and
    `high_db` how much stronger its lows and highs are, `bandwidth_octaves` how much wider its band is.
    """

    clip: str
    level_db: float | None = None
    spectrum_db: float | None = None
    low_db: float | None = None
    high_db: float | None = None
    bandwidth_octaves: float | None = None
    t60_s: float | None = None
    floor_db: float | None = None


@dataclass(frozen=True, slots=True)
class Consistency(Reading):
    """How far each clip is from the middle of the set, and in `usual` how far most of them are at most.

    Empty where there are too few clips for a middle.
    """

    deviations: tuple[Deviation, ...] = ()
    usual: Deviation | None = None


@dataclass(frozen=True, slots=True)
class Extent(Reading):
    """How much audio there is: all that decodes, the speech in it, and the part of both that is approved."""

    clips: int = 0
    decoded_s: float = 0.0
    speech_s: float = 0.0
    approved_s: float = 0.0
    approved_speech_s: float = 0.0
    undecided_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """Whether a clip's voice is surely the set's main one, and how likely it is another person's.

    `by_second`: the second encoder heard enough of both to tell. `across`: one of both came by telephone, and the other did not.
    `main_ratio` is the share of the clip's speech that the main voice has in it.
    """

    clip: str
    own: bool
    by_second: bool
    across: bool
    sure_ratio: float
    main_ratio: float


@dataclass(frozen=True, slots=True)
class Person:
    """A voice of the set: how long it speaks, in how many clips, and how likely it is another than the main one (`None`).

    `across`: as `Likeness` has it.
    """

    speech_s: float
    clips: tuple[str, ...]
    sure_ratio: float | None
    across: bool = False


@dataclass(frozen=True, slots=True)
class MainVoice(Reading):
    """Whose the set is: every clip against the main voice, which is the one with the most speech, or that of the reference.

    `people` are the voices of the set, the main one first, then by how long they speak.
    """

    likenesses: tuple[Likeness, ...] = ()
    people: tuple[Person, ...] = ()
    reference: str | None = None
