"""Near duplicates: clips whose sound is in another clip, in whatever codec, at whatever level, whole or cut."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.corpus import is_copy, preference
from pipeline.kernels import Peaks
from pipeline.prints import MIN_PEAKS, Shared, peaks, seconds, shared
from pipeline.readings import Fingerprint
from pipeline.records import Clip, Evidence, Severity, Span
from pipeline.set_readings import Match, NearDuplicates, Piece
from pipeline.words import count, moment

MAX_TOLD = 3


@dataclass(frozen=True, slots=True)
class NearDuplicatesLimits(Limits):
    """How much of a clip may be in others."""

    max_copied_ratio: float | None = limit(
        0.5, "a clip that is mostly new is worth more than the minutes it repeats, as an episode with its jingle"
    )


class NearDuplicatesMeter:
    """Keeps the fingerprints, about 50 bytes a second of audio; when asked makes 0.8 kB a second of them, and six hashes a peak."""

    def __init__(self) -> None:
        self._clips: list[Clip] = []

    def feed(self, clip: Clip) -> None:
        """Take in a clip with the findings that it has so far; of identical ones only the best is compared."""
        print_ = clip.readings.get(Fingerprint)
        if print_ is None or print_.peaks is None or is_copy(clip):
            return
        self._clips.append(clip)

    def read(self) -> NearDuplicates:
        """Every pair that holds some of the same sound."""
        known = []
        for clip in sorted(self._clips, key=preference):
            found = peaks(clip.readings[Fingerprint].peaks or "")
            if len(found.frames) >= MIN_PEAKS:
                known.append((clip, found))
        matches = [match for pair in shared([found for _, found in known]) for match in _either(pair, known)]
        told = {match.clip for match in matches}
        clips = [clip for clip, _ in known if clip.source.id in told]
        return NearDuplicates(
            order=tuple(clip.source.id for clip in clips),
            unfit=tuple(clip.source.id for clip in clips if not clip.verdict.counts),
            matches=tuple(sorted(matches, key=lambda match: (match.clip, match.other))),
        )


def _either(pair: Shared, known: list[tuple[Clip, Peaks]]) -> Iterator[Match]:
    """The match told for either clip of a pair."""
    (one, _), (other, _) = known[pair.first], known[pair.second]
    for clip, of, part in ((one, other, pair.in_first), (other, one, pair.in_second)):
        yield Match(
            clip=clip.source.id,
            other=of.source.id,
            ratio=float(np.mean(part.peaks)),
            pieces=tuple(
                Piece(Span(seconds(first), seconds(last + 1)), seconds(start))
                for (first, last), start in zip(part.stretches, part.starts, strict=True)
            ),
        )


SUBJECT = Subject("near_duplicates", NearDuplicatesLimits, NearDuplicates, NearDuplicatesMeter, turn="copies")


@SUBJECT.check(
    "NEAR_DUPLICATE",
    Severity.ERROR,
    says="is in other clips already: {detail}",
    hint="Leave it out; the better copy, or the clip that holds more besides, is kept.",
    means="The same recording is there twice, in another codec, at another level, cut, or as a part of a longer file. "
    "Copies fake the minutes that a provider asks for and weigh double in training.",
)
def near_duplicate(found: NearDuplicates, limits: NearDuplicatesLimits) -> Iterator[Evidence]:
    """Fires for each clip of which too much is in clips that are kept, best copies first."""
    if limits.max_copied_ratio is None:
        return
    for clip, matches in sorted(_given_up(found, limits.max_copied_ratio).items()):
        most = max(matches, key=lambda match: match.ratio)
        spans = tuple(piece.span for piece in most.pieces)
        yield Evidence(_copied(matches), limits.max_copied_ratio, spans, clips=(clip,), detail=_told(matches))


def _given_up(found: NearDuplicates, most: float) -> dict[str, list[Match]]:
    """The clips to leave out, each with where its sound is kept.

    The best copy comes first and is kept. Each other is left out when more than `most` of it is in what is kept so
    far; a long file of which less is there is kept for the rest, and then the takes inside it, better or not, give way to it.
    What was left out for one of those is looked at again. For a clip that does not pass by itself nothing gives way.
    """
    choice = _Choice(found, most)
    for clip in found.order:
        choice.look_at(clip)
    for clip in [clip for clip in found.order if clip in choice.given_up]:
        choice.look_at(clip)
    return choice.given_up


class _Choice:
    """Which clips are kept, and which are given up for them."""

    def __init__(self, found: NearDuplicates, most: float) -> None:
        self.given_up: dict[str, list[Match]] = {}
        self._unfit, self._most = frozenset(found.unfit), most
        self._kept: set[str] = set()
        self._inside: dict[str, list[Match]] = {}
        self._holding: dict[str, list[Match]] = {}
        for match in found.matches:
            self._inside.setdefault(match.clip, []).append(match)
            self._holding.setdefault(match.other, []).append(match)

    def look_at(self, clip: str) -> None:
        """Give a clip up, or keep it and give up what is in it."""
        held = [match for match in self._inside.get(clip, ()) if match.other in self._kept]
        if held and _copied(held) > self._most:
            self.given_up[clip] = held
            return
        self.given_up.pop(clip, None)
        if clip in self._unfit:
            return
        for match in self._holding.get(clip, ()):
            if match.clip in self._kept and match.ratio > self._most:
                self._kept.remove(match.clip)
                self.given_up[match.clip] = [match]
        self._kept.add(clip)


def _copied(matches: list[Match]) -> float:
    """How much of a clip is in others, all taken together: what two of them hold, as a jingle, counts once."""
    length_s = sum(_union_s(match.pieces) for match in matches)
    union_s = _union_s([piece for match in matches for piece in match.pieces])
    return min(sum(match.ratio for match in matches) * union_s / length_s, 1.0) if length_s > 0 else 0.0


def _union_s(pieces: Sequence[Piece]) -> float:
    """How long pieces are together; what stands in another clip several times counts once."""
    union_s = reached_s = 0.0
    for span in sorted(piece.span for piece in pieces):
        union_s += max(span.end_s - max(span.start_s, reached_s), 0.0)
        reached_s = max(reached_s, span.end_s)
    return union_s


def _told(matches: list[Match]) -> str:
    """Where the sound is kept, the largest part first: "its 0:12.0-1:03.5 is in talk.mp3 from 3:10.0"."""
    ordered = sorted(matches, key=lambda match: (-match.ratio, match.other))
    told = []
    for match in ordered[:MAX_TOLD]:
        longest = max(match.pieces, key=lambda piece: (piece.span.length_s, -piece.span.start_s), default=None)
        if longest is None:
            continue
        span, start_s = longest.span, longest.other_start_s
        more = f" and {count(len(match.pieces) - 1, 'other piece')}" if len(match.pieces) > 1 else ""
        told.append(f"its {moment(span.start_s)}–{moment(span.end_s)}{more} is in {match.other} from {moment(start_s)}")
    rest = len(ordered) - len(told)
    return ", ".join(told) + (f", and more in {count(rest, 'other')}" if rest else "")
