"""Measure a clip: every meter is fed the same stream of blocks, in one pass, and read once at its end."""

from collections.abc import Iterable, Sequence

from pipeline.catalogue import Subject
from pipeline.records import Block, Reading, Readings, StreamInfo


def measure(info: StreamInfo, blocks: Iterable[Block], subjects: Sequence[Subject]) -> Readings:
    """The readings of those subjects that have a meter. Keeps what the meters keep, and one block."""
    meters = [subject.meter(info) for subject in subjects if subject.meter is not None]
    for block in blocks:
        for meter in meters:
            meter.feed(block)
    made: list[Reading] = [meter.read() for meter in meters]
    return Readings({type(reading): reading for reading in made})
