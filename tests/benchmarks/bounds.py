"""What the speed must reach, and whether it does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """A sentence and the least or most that its number may be, with so many decimals."""

    says: str
    number: float
    at_least: bool = False
    decimals: int = 3

    def met(self, value: float) -> bool:
        """Whether it is good enough, as measured and not as rounded for the table."""
        return value >= self.number if self.at_least else value <= self.number


PLAIN = Bound("no neural models: processor time to that of ffmpeg's three filters", 0.45)
NEURAL = Bound("PyanNet and DNSMOS: the same", 0.85)
ALL = Bound("all default checks: the same", 1.2)
CORES = Bound("two jobs: times as fast as one, by the clock", 1.85, at_least=True)
SHORT = Bound("a file of 3 s: processor time beside its seconds, ms", 3, decimals=2)
AGAIN = Bound("a second run over 2,000 files, s", 2)
SPEAKERS = Bound("speakers beyond PyanNet: times real time", 800, at_least=True, decimals=0)

BOUNDS = (PLAIN, NEURAL, ALL, CORES, SHORT, AGAIN, SPEAKERS)


def rows(values: Mapping[Bound, float | None]) -> Iterator[tuple[str, str, str]]:
    """A row a bound: what it says, its number, and what was measured."""
    for bound in BOUNDS:
        value = values.get(bound)
        told = "not measured" if value is None else f"{value:,.{bound.decimals}f}"
        if value is not None and not bound.met(value):
            told += " (not met)"
        yield bound.says, f"at {'least' if bound.at_least else 'most'} {bound.number:g}", told
