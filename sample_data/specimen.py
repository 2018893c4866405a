"""What a maker of flawed clips hands back, and the clean reading that it starts from."""

from dataclasses import dataclass

from sound import Samples, level, with_room
from voice import Span, reading


@dataclass(frozen=True)
class Specimen:
    """The bytes of a file, and when in it the fault is to be heard, in seconds."""

    data: bytes
    spans: tuple[Span, ...] = ()


def clean(passage: str, seconds: float, voice: str = "rms") -> Samples:
    """A passage without any fault: level, quiet, evenly paced."""
    return with_room(level(reading(passage, seconds, voice)), passage)
