"""One clip after the other, in this process."""

from collections.abc import Callable, Iterator

from pipeline.records import Clip, Source


class Serial:
    """Runs each job where it is called; a job that takes the process with it takes the run with it."""

    def map(
        self, task: Callable[[Source], Clip], jobs: list[Source], lost: Callable[[Source, str], Clip], /
    ) -> Iterator[Clip]:
        """Clips in the order of the jobs."""
        for job in jobs:
            yield task(job)


def engine(jobs: int) -> Serial:
    """An engine; the number of jobs at once is always one."""
    return Serial()
