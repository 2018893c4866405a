"""Duplicates: clips that are the same recording to the sample, which fake minutes and weigh twice in training."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.catalogue import Limits, Subject
from pipeline.corpus import preference
from pipeline.readings import Container
from pipeline.records import Clip, Evidence, Severity
from pipeline.set_readings import Duplicates


@dataclass(frozen=True, slots=True)
class DuplicatesLimits(Limits):
    """Nothing to set: the same samples are the same samples."""


class DuplicatesMeter:
    """Keeps two digests and a few facts a clip."""

    def __init__(self) -> None:
        self._clips: list[Clip] = []
        self._groups: dict[tuple[object, ...], list[int]] = {}

    def feed(self, clip: Clip) -> None:
        """Take in a clip with the findings that it has so far; one that does not decode is no copy of anything."""
        container = clip.readings.get(Container)
        if container is not None and container.decoded_s is None:
            return
        number = len(self._clips)
        self._clips.append(clip)
        if clip.sha256 is not None and clip.source.bytes:
            self._groups.setdefault(("bytes", clip.sha256), []).append(number)
        if container is not None and container.pcm is not None:
            key = ("pcm", container.pcm, container.sample_rate, container.channels)
            self._groups.setdefault(key, []).append(number)

    def read(self) -> Duplicates:
        """For each set of identical clips its best copy first, then the others by id."""
        parent = list(range(len(self._clips)))
        for numbers in self._groups.values():
            for number in numbers[1:]:
                parent[_root(parent, number)] = _root(parent, numbers[0])
        sets: dict[int, list[Clip]] = {}
        for number, clip in enumerate(self._clips):
            sets.setdefault(_root(parent, number), []).append(clip)
        ordered = [sorted(clips, key=preference) for clips in sets.values() if len(clips) > 1]
        return Duplicates(tuple(tuple(clip.source.id for clip in clips) for clips in ordered))


def _root(parent: list[int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


SUBJECT = Subject("duplicates", DuplicatesLimits, Duplicates, DuplicatesMeter, turn="copies")


@SUBJECT.check(
    "DUPLICATE",
    Severity.ERROR,
    says="is the same recording, to the sample, as {detail}",
    hint="Leave it out; the best copy is kept.",
    means="Two clips hold the same bytes or decode to the same samples. Copies fake the minutes that a provider asks "
    "for and weigh double in training, so all but the best copy stay out.",
)
def duplicate(duplicates: Duplicates, limits: DuplicatesLimits) -> Iterator[Evidence]:
    """Fires once for each copy that is not the best of its set."""
    for best, *others in duplicates.sets:
        for other in others:
            yield Evidence(clips=(other,), detail=best)
