"""Several processes on this machine: a worker that dies, hangs or eats memory costs its own clip."""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pipeline.records import Clip, Source

BASE_TIMEOUT_S = 120.0
BYTES_PER_S = 20_000.0
"""A job may take two minutes and as long again as its file would play at 160 kbit/s: far more than any sound file needs."""


MEMORY_BYTES = 2 << 30
"""What a worker may take; `make bench` tells what one takes. Where the system has no such limit it has none."""


class Local:
    """Hands jobs to worker processes, two a worker in flight, and yields clips as they finish."""

    def __init__(self, workers: int, base_timeout_s: float = BASE_TIMEOUT_S, bytes_per_s: float = BYTES_PER_S) -> None:
        self._workers = workers
        self._base_timeout_s, self._bytes_per_s = base_timeout_s, bytes_per_s

    def map(
        self, task: Callable[[Source], Clip], jobs: list[Source], lost: Callable[[Source, str], Clip], /
    ) -> Iterator[Clip]:
        """Clips in any order. What the task raises is raised; leaving early stops the workers at once."""
        if not jobs:
            return
        pool = ProcessPool(
            max_workers=min(self._workers, len(jobs)),
            context=multiprocessing.get_context("spawn"),
            initializer=_limit_memory,
            initargs=(MEMORY_BYTES,),
        )
        waiting = list(reversed(jobs))
        running: dict[Any, Source] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * self._workers:
                    job = waiting.pop()
                    timeout_s = self._base_timeout_s + job.bytes / self._bytes_per_s
                    with _uninterrupted():
                        running[pool.schedule(task, args=(job,), timeout=timeout_s)] = job
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield _outcome(future, running.pop(future), lost)
        finally:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates nothing here
            pool.join()


def _outcome(future: Any, job: Source, lost: Callable[[Source, str], Clip]) -> Clip:
    try:
        clip: Clip = future.result()
    except TimeoutError:
        return lost(job, "it took far longer than its size allows and was stopped")
    except MemoryError:
        return lost(job, f"it needed more than the {MEMORY_BYTES >> 30} GB of memory that a worker may take")
    except ProcessExpired as error:
        return lost(job, f"its worker died (exit status {error.exitcode})")
    return clip


def _limit_memory(most_bytes: int) -> None:
    """Have what this process asks for beyond that refused, so that it fails alone and the machine does not."""
    if sys.platform.startswith("linux"):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, hard))


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C goes to every process of the terminal; workers inherit this mask and leave the answer to their parent."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would lift the mask if it were started under it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def engine(jobs: int) -> Local:
    """An engine with that many worker processes."""
    return Local(jobs)
