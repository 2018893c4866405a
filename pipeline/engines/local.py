"""Several processes on this machine: a worker that dies, hangs or eats memory costs its own clip."""

import multiprocessing
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from pebble import ProcessExpired, ProcessPool

from pipeline import threads
from pipeline.records import Clip, Source

BASE_TIMEOUT_S = 120.0
BYTES_PER_S = 20_000.0
"""What a worker is given may take two minutes and as long again as it would play at 160 kbit/s: far more than sound files need."""


BATCH_CLIPS, BATCH_BYTES, TURNS = 16, 4 << 20, 8
"""Short files go to a worker by so many at once, for handing over each by itself takes longer than some checks of it, as long as they are
together no longer than that, and there are some turns for every worker, so that all end at about the same time."""

MOST_BROKEN = 2
"""So often a job is given to another pool when its own broke: pebble gives a pool up whose worker dies without a job, or before it was
heard to have one."""

LOOK_S = 1.0
"""So often a pool in which nothing finishes is looked at."""

MEMORY_BYTES = 2 << 30
"""What a worker may take; `make bench` tells what one takes. Where the system has no such limit it has none."""


BROKEN = "its workers died before they could begin"

Batch = tuple[Source, ...]


class Local:
    """Hands batches of jobs to worker processes, two a worker in flight, and yields clips as they finish.

    A batch whose worker dies, hangs or eats memory is done again, job by job, so that only the one that did it is lost; where a pool
    broke and nobody knows by which, each in a pool of its own.
    """

    def __init__(self, workers: int, base_timeout_s: float = BASE_TIMEOUT_S, bytes_per_s: float = BYTES_PER_S) -> None:
        self._workers = workers
        self._base_timeout_s, self._bytes_per_s = base_timeout_s, bytes_per_s

    def map(
        self, task: Callable[[Source], Clip], jobs: list[Source], lost: Callable[[Source, str], Clip], /
    ) -> Iterator[Clip]:
        """Clips in any order. What the task raises is raised; leaving early stops the workers at once."""
        if not jobs:
            return
        waiting, broken = list(reversed(batches(jobs, self._workers))), Counter[str]()
        suspects: list[Batch] = []  # were in flight when a pool broke, and have one to themselves at the end
        with threads.limited():
            while waiting or suspects:  # once, but where a pool breaks under workers that die before they begin
                for batch, future in self._pooled(task, waiting or [suspects.pop()]):
                    why = _failure(future)
                    if why is None:
                        yield from future.result()
                    elif len(batch) > 1:
                        waiting.extend((job,) for job in reversed(batch))
                    elif why == BROKEN and broken[batch[0].id] < MOST_BROKEN:
                        broken[batch[0].id] += 1
                        suspects.append(batch)
                    else:
                        yield lost(batch[0], why)

    def _pooled(self, task: Callable[[Source], Clip], waiting: list[Batch]) -> Iterator[tuple[Batch, Any]]:
        """Batches with their futures as they finish, taken from the end of `waiting`, until none is left or the pool breaks."""
        pool = ProcessPool(
            max_workers=min(self._workers, len(waiting)),
            context=multiprocessing.get_context("spawn"),
            initializer=_limit_memory,
            initargs=(MEMORY_BYTES,),
        )
        running: dict[Any, Batch] = {}
        try:
            whole, ran = True, False
            while running or (waiting and whole):
                while waiting and whole and len(running) < 2 * self._workers:
                    batch = waiting.pop()
                    try:
                        future = self._scheduled(pool, task, batch)
                    except RuntimeError:
                        if not running and not ran:
                            raise
                        future = _broken()
                    whole = not future.done() or not isinstance(future.exception(), BrokenProcessPool)
                    running[future] = batch
                done, _ = wait(running, LOOK_S, return_when=FIRST_COMPLETED)
                if not done and not pool.active:
                    _give_up(running)
                for future in done:
                    ran = True
                    whole = whole and not isinstance(future.exception(), BrokenProcessPool)
                    yield running.pop(future), future
        finally:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates nothing here
            pool.join()

    def _scheduled(self, pool: ProcessPool, task: Callable[[Source], Clip], batch: Batch) -> "Future[list[Clip]]":
        """A batch's future. Raises RuntimeError where the pool is broken, or never ran at all."""
        timeout_s = self._base_timeout_s + sum(job.bytes for job in batch) / self._bytes_per_s
        with uninterrupted():
            future: Future[list[Clip]] = pool.schedule(_done, args=(task, batch), timeout=timeout_s)
        return future


def batches(jobs: Sequence[Source], workers: int) -> list[Batch]:
    """The jobs in their order, short files that follow one another together."""
    most = max(1, min(BATCH_CLIPS, len(jobs) // (TURNS * workers)))
    found: list[list[Source]] = [[]]
    size = 0
    for job in jobs:
        size += job.bytes
        if found[-1] and (len(found[-1]) == most or size > BATCH_BYTES):
            found.append([])
            size = job.bytes
        found[-1].append(job)
    return [tuple(batch) for batch in found]


def _done(task: Callable[[Source], Clip], batch: Batch) -> list[Clip]:
    return [task(job) for job in batch]


def _broken() -> "Future[list[Clip]]":
    """The future of a batch that was given to a pool that is no more."""
    future: Future[list[Clip]] = Future()
    future.set_exception(BrokenProcessPool())
    return future


def _give_up(running: Collection[Any]) -> None:
    """Have the futures of a pool that is no more count as broken, for nobody will finish them."""
    for future in running:
        if not future.done():
            future.set_exception(BrokenProcessPool())


def _failure(future: Any) -> str | None:
    """Why a batch has no clips; `None` where it has them, or where the task itself raised."""
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        return BROKEN
    if isinstance(error, TimeoutError):
        return "it took far longer than its size allows and was stopped"
    if isinstance(error, MemoryError):
        return f"it needed more than the {MEMORY_BYTES >> 30} GB of memory that a worker may take"
    if isinstance(error, ProcessExpired):
        return f"its worker died (exit status {error.exitcode})"
    return None


def _limit_memory(most_bytes: int) -> None:
    """Have what this process asks for beyond that refused, so that it fails alone and the machine does not."""
    if sys.platform.startswith("linux"):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, hard))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait until workers have been started, and leave them out of it.

    It goes to every process of the terminal. Workers inherit the mask and leave the answer to their parent; there any thread may
    take the signal, and Python would interrupt the main one between a worker's start and its being known.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which would lift the mask if it were started under it
    with _deferred():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _deferred() -> Iterator[None]:
    """Note an interrupt and raise it at the end; only the main thread is interrupted, and only it may say by what."""
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or handler is None:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def engine(jobs: int) -> Local:
    """An engine with that many worker processes."""
    return Local(jobs)
