"""What every engine keeps: one clip a job in any order, whatever becomes of the others; and what processes can do more."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import pytest

from pipeline import run, threads
from pipeline.engines import local
from pipeline.engines.local import batches
from pipeline.records import Clip, Fault, Source

TASKS = """
import os, signal, sys, time
from pipeline.records import Clip, Fault

def task(source):
    words = source.id.split()
    if words[0] == "exit":
        os._exit(7)
    if words[0] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if words[0] == "hang":
        time.sleep(60)
    if words[0] == "raise":
        raise ValueError("a bug of ours")
    if words[0] == "eat":
        eaten = [bytearray(1 << 28) for _ in range(64)]
    if words[0] == "threads":
        return Clip(source, sha256=" ".join(os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL")))
    if words[0] == "wait":
        time.sleep(0.05)
    return Clip(source, sha256=f"{os.getpid():064d}")
"""


@pytest.fixture
def task(tmp_path, monkeypatch):
    """A task that does what a source's id says; importable by workers."""
    (tmp_path / "engine_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sys.modules.pop("engine_tasks", None)
    yield importlib.import_module("engine_tasks").task
    sys.modules.pop("engine_tasks", None)


@pytest.fixture(params=run.engine_names())
def engine(request):
    """Every engine that there is, with two workers where it has workers."""
    return importlib.import_module(f"pipeline.engines.{request.param}").engine(2)


def jobs(*ids):
    return [Source(id_, "/nowhere", 0) for id_ in ids]


def lost(source, why):
    return Clip(source, faults=(Fault(None, why),))


def test_every_job_gives_one_clip(engine, task):
    wanted = [f"wait {number}" for number in range(9)]
    clips = list(engine.map(task, jobs(*wanted), lost))
    assert sorted(clip.source.id for clip in clips) == wanted
    assert all(clip.sha256 is not None and not clip.faults for clip in clips)


def test_no_job_gives_no_clip(engine, task):
    assert list(engine.map(task, [], lost)) == []


def test_what_a_task_raises_is_raised(engine, task):
    with pytest.raises(ValueError, match="a bug of ours"):
        list(engine.map(task, jobs("raise"), lost))


def test_clips_come_as_they_finish_and_the_rest_may_be_left(engine, task):
    clips = engine.map(task, jobs("wait 1", "wait 2", "wait 3", "wait 4"), lost)
    assert next(clips).source.id.startswith("wait")
    clips.close()
    assert list(clips) == []


def test_workers_start_no_threads_that_nobody_asked_for(task, monkeypatch):
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    (told,) = local.engine(2).map(task, jobs("threads"), lost)
    assert told.sha256 == "3 1 1"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_processes_share_the_work(task):
    clips = list(local.engine(2).map(task, jobs(*(f"wait {n}" for n in range(12))), lost))
    assert len({clip.sha256 for clip in clips}) == 2
    assert f"{os.getpid():064d}" not in {clip.sha256 for clip in clips}


@pytest.mark.parametrize(("how", "status"), [("exit", "7"), ("killed", "-9")])
def test_a_worker_that_dies_costs_its_own_clip(task, how, status):
    wanted = ["wait 1", f"{how} now", "wait 2", "wait 3", "wait 4"]
    clips = {clip.source.id: clip for clip in local.engine(2).map(task, jobs(*wanted), lost)}
    assert sorted(clips) == sorted(wanted)
    assert [id_ for id_, clip in clips.items() if clip.faults] == [f"{how} now"]
    assert clips[f"{how} now"].faults[0].why == f"its worker died (exit status {status})"


def test_workers_that_die_one_after_the_other_cost_a_clip_each(task):
    wanted = [f"{'exit' if number % 2 else 'wait'} {number}" for number in range(8)]
    clips = list(local.engine(2).map(task, jobs(*wanted), lost))
    assert sorted(clip.source.id for clip in clips if clip.faults) == [f"exit {number}" for number in (1, 3, 5, 7)]


@pytest.mark.parametrize(("how", "why"), [("exit", "died"), ("hang", "far longer"), ("eat", "of memory")])
def test_of_short_files_that_go_to_a_worker_together_only_the_one_that_costs_it_is_lost(task, how, why):
    if how == "eat" and not sys.platform.startswith("linux"):
        pytest.skip("only Linux limits the memory of a process")
    bad = {20, 21, 47}
    wanted = [f"{how if number in bad else 'pass'} {number}" for number in range(64)]
    engine = local.Local(2, 1.0) if how == "hang" else local.engine(2)
    clips = list(engine.map(task, jobs(*wanted), lost))
    assert sorted(clip.source.id for clip in clips) == sorted(wanted)
    assert {clip.source.id for clip in clips if clip.faults} == {f"{how} {number}" for number in bad}
    assert all(why in clip.faults[0].why for clip in clips if clip.faults)


def sizes(made):
    return [len(batch) for batch in made]


def test_long_files_go_to_a_worker_one_by_one_and_short_ones_by_many():
    short, long = (Source("short", "/nowhere", 100_000), Source("long", "/nowhere", 50_000_000))
    assert set(sizes(batches([long] * 500, 2))) == {1}
    assert sizes(batches([short] * 500, 2)) == [local.BATCH_CLIPS] * 31 + [4]
    assert sizes(batches([short] * 3 + [long] + [short] * 497, 2))[:3] == [3, 1, 16]


def test_few_files_are_left_for_every_worker():
    short = Source("short", "/nowhere", 100_000)
    assert set(sizes(batches([short] * 20, 2))) == {1}
    assert set(sizes(batches([short] * 64, 2))) == {4}


class Breaking(local.ProcessPool):
    """A pool that is given up behind its first jobs, as pebble does with one whose worker dies before it has a job."""

    pools, broken_pools, good_jobs = 0, 0, 0

    def __init__(self, **how):
        super().__init__(**how)
        Breaking.pools += 1
        self._left = self.good_jobs if Breaking.pools <= self.broken_pools else 1_000

    def schedule(self, *job, **how):
        self._left -= 1
        if self._left < 0 and self.good_jobs:
            raise RuntimeError("Unexpected error within the Pool")
        if self._left < 0:
            future = Future()
            future.set_exception(BrokenProcessPool("All workers expired"))
            return future
        return super().schedule(*job, **how)


@pytest.mark.parametrize(("broken_pools", "good_jobs", "faults"), [(1, 1, 0), (100, 1, 0), (100, 0, 4)])
def test_a_pool_that_breaks_is_replaced_and_what_breaks_every_pool_is_lost(
    task, monkeypatch, broken_pools, good_jobs, faults
):
    monkeypatch.setattr(local, "ProcessPool", Breaking)
    monkeypatch.setattr(Breaking, "pools", 0)
    monkeypatch.setattr(Breaking, "broken_pools", broken_pools)
    monkeypatch.setattr(Breaking, "good_jobs", good_jobs)
    clips = list(local.engine(2).map(task, jobs("wait 1", "wait 2", "wait 3", "wait 4"), lost))
    assert sorted(clip.source.id for clip in clips) == ["wait 1", "wait 2", "wait 3", "wait 4"]
    assert sum(bool(clip.faults) for clip in clips) == faults
    assert Breaking.pools > 1


class Contagious:
    """A pool in which a job that dies at once takes all that are in flight with it, as pebble's does where it has not heard yet whose
    job that was.
    """

    active = True

    def __init__(self, max_workers, **_how):
        self._alone, self._futures = max_workers == 1, []

    def schedule(self, function, args, **_how):
        _, (job,) = args
        self._futures.append(Future())
        if job.id.startswith("exit"):
            for future in self._futures:
                future.set_exception(BrokenProcessPool("All workers expired"))
        elif self._alone:
            self._futures[-1].set_result(function(*args))
        return self._futures[-1]

    def stop(self):
        pass

    def join(self):
        pass


def test_of_those_in_flight_when_a_pool_breaks_only_the_one_that_breaks_it_alone_is_lost(task, monkeypatch):
    monkeypatch.setattr(local, "ProcessPool", Contagious)
    wanted = ["pass 1", "exit 2", "pass 3", "exit 4"]
    clips = list(local.engine(2).map(task, jobs(*wanted), lost))
    assert sorted(clip.source.id for clip in clips) == sorted(wanted)
    assert sorted(clip.source.id for clip in clips if clip.faults) == ["exit 2", "exit 4"]


class Aging(local.ProcessPool):
    """A pool that is given up when its first batch has failed, as by idle workers that are killed meanwhile."""

    pools = 0

    def __init__(self, **how):
        super().__init__(**how)
        Aging.pools += 1
        self._number, self._futures = Aging.pools, []

    def schedule(self, *job, **how):
        if self._number == 1 and any(future.done() and future.exception() for future in self._futures):
            raise RuntimeError("Unexpected error within the Pool")
        self._futures.append(super().schedule(*job, **how))
        return self._futures[-1]


def test_a_pool_that_breaks_before_a_failed_batch_is_done_again_is_replaced(task, monkeypatch):
    """Then nothing is running, as in a pool that never ran."""
    monkeypatch.setattr(local, "ProcessPool", Aging)
    monkeypatch.setattr(Aging, "pools", 0)
    wanted = [*(f"pass {number}" for number in range(30)), "exit 30", "pass 31"]
    clips = list(local.engine(2).map(task, jobs(*wanted), lost))
    assert sorted(clip.source.id for clip in clips) == sorted(wanted)
    assert [clip.source.id for clip in clips if clip.faults] == ["exit 30"]
    assert Aging.pools == 3, "the one for the rest, and the one for what was given to the first too late"


def test_what_a_pool_raises_before_it_ever_ran_is_raised(task, monkeypatch):
    """As in a script without a main guard, whose workers would otherwise begin it all anew."""
    monkeypatch.setattr(local, "ProcessPool", Breaking)
    monkeypatch.setattr(Breaking, "broken_pools", 1_000_000)
    monkeypatch.setattr(Breaking, "good_jobs", -1)
    with pytest.raises(RuntimeError, match="within the Pool"):
        list(local.engine(2).map(task, jobs("wait 1"), lost))


def test_a_worker_that_hangs_costs_its_own_clip(task):
    clips = {c.source.id: c for c in local.Local(2, 1.0).map(task, jobs("hang", "wait 1", "wait 2", "wait 3"), lost)}
    assert len(clips) == 4
    assert [id_ for id_, clip in clips.items() if clip.faults] == ["hang"]
    assert "far longer than its size allows" in clips["hang"].faults[0].why


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory of a process")
def test_a_worker_that_eats_memory_costs_its_own_clip(task):
    clips = {c.source.id: c for c in local.engine(2).map(task, jobs("wait 1", "eat", "wait 2", "wait 3"), lost)}
    assert len(clips) == 4
    assert [id_ for id_, clip in clips.items() if clip.faults] == ["eat"]
    assert "2 GB of memory" in clips["eat"].faults[0].why


def test_a_longer_file_has_more_time(task):
    slow = [Source("hang", "/nowhere", 10)]
    began = time.monotonic()
    (clip,) = local.Local(1, base_timeout_s=0.2, bytes_per_s=10.0).map(task, slow, lost)
    assert clip.faults
    assert time.monotonic() - began > 1.2


def test_an_interrupt_waits_whichever_thread_takes_it():
    """NumPy's threads take signals, too, and would have Python interrupt the start of a worker that nobody stops then."""
    before, done = signal.signal(signal.SIGINT, signal.default_int_handler), threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    reached = []

    def start():
        with local.uninterrupted():
            signal.pthread_kill(other.ident, signal.SIGINT)
            time.sleep(0.05)
            reached.append(True)

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
    finally:
        done.set()
        other.join()
        signal.signal(signal.SIGINT, before)
    assert reached


def test_in_another_thread_than_the_main_one_no_handler_is_touched():
    handlers = []

    def look():
        with local.uninterrupted():
            handlers.append(signal.getsignal(signal.SIGINT))

    other = threading.Thread(target=look)
    other.start()
    other.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]


INTERRUPTED = """
import signal, sys
from engine_tasks import task
from pipeline.engines import local
from pipeline.records import Source

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs ignore
    try:
        print("ready", flush=True)  # in here, for the interrupt may come before this is done
        list(local.engine(2).map(task, [Source("hang", "/nowhere", 0)] * 4, None))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def gone(group, within_s=5.0):
    """Whether every process of a group has ended; the last ones notice only that the others did."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.1, 1.0])
def test_an_interrupt_stops_the_workers_without_a_word_from_them(task, tmp_path, after_s):
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    told, complaints = process.communicate(timeout=10)
    assert (told, complaints, process.returncode) == ("interrupted\n", "", 0)
    assert gone(process.pid)
