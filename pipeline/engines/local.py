"""Several processes on this machine (pebble): a worker that dies, hangs or eats memory costs its own clip."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pipeline.records import Clip, Source

BASE_TIMEOUT_S = 120.0
BYTES_PER_S = 20_000.0
"""A job may take two minutes and as long again as its file would play at 160 kbit/s: far more than any sound file needs."""


class Local:
    """Hands jobs to worker processes, two a worker in flight, and yields clips as they finish."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def map(
        self, task: Callable[[Source], Clip], jobs: list[Source], lost: Callable[[Source, str], Clip], /
    ) -> Iterator[Clip]:
        """Clips in any order."""
        context = multiprocessing.get_context("spawn")
        with ProcessPool(max_workers=self._workers, context=context) as pool:
            waiting: list[Source] = list(reversed(jobs))
            running: dict[Any, Source] = {}
            try:
                while waiting or running:
                    while waiting and len(running) < 2 * self._workers:
                        job = waiting.pop()
                        timeout = BASE_TIMEOUT_S + job.bytes / BYTES_PER_S
                        running[pool.schedule(task, args=(job,), timeout=timeout)] = job
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        job = running.pop(future)
                        try:
                            clip = future.result()
                        except TimeoutError:
                            clip = lost(job, "it took far longer than its size allows and was stopped")
                        except ProcessExpired as error:
                            clip = lost(job, f"its worker died (exit status {error.exitcode})")
                        yield clip
            except BaseException:
                pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates nothing here
                raise


def engine(jobs: int) -> Local:
    """An engine with that many worker processes."""
    return Local(jobs)
