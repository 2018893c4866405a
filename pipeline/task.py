"""What workers are told to do, without what they need for it: the process that hands jobs out decodes nothing."""

from dataclasses import dataclass

from pipeline.records import Clip, Source


@dataclass(frozen=True, slots=True)
class Examination:
    """`examine.examine` with its settings, called with a source wherever that is examined."""

    activity: str
    unwanted: frozenset[str] = frozenset()

    def __call__(self, source: Source) -> Clip:
        """The clip with all readings."""
        from pipeline.examine import examine

        return examine(source, self.activity, self.unwanted)
