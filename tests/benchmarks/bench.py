"""How fast voxgate is on this machine, and against ffmpeg on the same files in the same run; written to RESULTS.md beside this.

The real command is run in processes of its own and their processor time is counted, start and report included. Rounds of
voxgate and of ffmpeg take turns, so that a machine that gets slower does so for both.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile every module, as it does nowhere else

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import material
import numpy as np
import page
import readers
import uploads
from costs import FILTERS, PEER, PEER_ROW, Cost, Measured, Shorts, Spent

from pipeline import catalogue
from pipeline.allocation import keep_freed_memory
from pipeline.records import Block, StreamInfo
from pipeline.stages import decode, derive

HERE = Path(__file__).parent
MAIN = (sys.executable, "-c", "from pipeline.cli import main; main()", "check")
PLAIN = ("--speakers", "off", "--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
NEURAL = ("--speakers", "off")
ENGINES = ("webrtcvad", "pyannet")
ROUNDS = 2
TIMES = 4
"""A part is timed so often, and the least counts."""


def cost_of(command: Sequence[str]) -> Cost:
    """What a command and its children take; an exit status of 0 or 1 is a verdict."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)  # of this child and its own alone
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        if process.returncode not in (0, 1):
            raise SystemExit(f"{' '.join(command)[:200]} ended with {process.returncode}: {told.read()[-500:]!r}")
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss * 1024)


def checked(files: Sequence[Path], options: Sequence[str], jobs: int = 1, out: Path | None = None) -> Cost:
    """voxgate on those files."""
    with tempfile.TemporaryDirectory() as room:
        where = room if out is None else str(out)
        return cost_of([*MAIN, *map(str, files), "-q", "-o", where, "--jobs", str(jobs), *options])


def peer(files: Sequence[Path]) -> Cost:
    """ffmpeg with its three filters on those files, one after the other."""
    whole = Cost()
    for path in files:
        whole.add(cost_of([*PEER, "-i", str(path), *FILTERS]))
    return whole


def whole_runs(files: list[Path]) -> dict[str, Cost]:
    """Everything without neural models, with two of them, all there is, and ffmpeg, in rounds that take turns."""
    costs = {
        "voxgate, no neural models": Cost(),
        "voxgate, PyanNet and DNSMOS": Cost(),
        "voxgate, all default checks": Cost(),
        PEER_ROW: Cost(),
    }
    each = len(files) // ROUNDS
    for number in range(ROUNDS):
        part = files[number * each : (number + 1) * each]
        ours = (checked(part, options) for options in (PLAIN, NEURAL, ()))
        runs = (*ours, peer(part) if shutil.which(PEER[0]) else Cost())
        for cost, run in zip(costs.values(), runs, strict=True):
            cost.add(run)
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
    return costs


def least(work: Mapping[str, Callable[[], object]]) -> dict[str, Spent]:
    """The least times of some tries of each, in rounds that take turns."""
    found = dict.fromkeys(work, Spent())
    for _ in range(TIMES):
        for name, each in work.items():
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            each()
            spent = Spent(time.process_time() - cpu_s, time.perf_counter() - wall_s)
            found[name] = Spent(min(found[name].cpu_s, spent.cpu_s), min(found[name].wall_s, spent.wall_s))
    return found


def blocks(path: Path, engine: str | None) -> Iterator[Block]:
    """The blocks of a file with their derived signals."""
    made = None if engine is None else derive.activity_engine(engine)
    with decode.Stream(str(path)) as stream:
        yield from derive.derive(stream.info, stream.blocks(), made)


def drained(path: Path, engine: str | None) -> None:
    """Decode and derive, and keep nothing."""
    for _ in blocks(path, engine):
        pass


def parts(path: Path) -> Iterator[tuple[str, Spent]]:
    """Each stage and subject by itself on one file."""
    keep_freed_memory()
    stages = {
        "decode": partial(_decoded, path),
        "derive": partial(drained, path, None),
        **{engine: partial(drained, path, engine) for engine in ENGINES},
    }
    decoded, derived, *active = least(stages).values()
    yield "decode", decoded
    yield "16 kHz mono and spectra", derived.less(decoded)
    for engine, spent in zip(ENGINES, active, strict=True):
        yield f"voice activity, {engine}", spent.less(derived)
    with decode.Stream(str(path)) as stream:
        info = stream.info
    kept = {engine: list(blocks(path, engine)) for engine in ENGINES}
    subjects = [each for each in catalogue.clip_subjects() if each.meter is not None]
    heard = (kept["pyannet" if "voices" in each.needs else "webrtcvad"] for each in subjects)
    yield from least(
        {each.name: partial(_fed, each, info, its) for each, its in zip(subjects, heard, strict=True)}
    ).items()


def speakers(path: Path) -> Spent:
    """Who speaks in a file, by itself: as `parts` has it, without the samples that speakers do not hear, for memory."""
    (subject,) = (each for each in catalogue.clip_subjects() if each.name == "speakers")
    with decode.Stream(str(path)) as stream:
        info = stream.info
    silence = np.zeros((), np.float32)
    kept = [replace(each, samples=np.broadcast_to(silence, each.samples.shape)) for each in blocks(path, "pyannet")]
    return least({"speakers": partial(_fed, subject, info, kept)})["speakers"]


def real_readers() -> dict[str, Spent]:
    """Who speaks, in half an hour of each real reader."""
    with tempfile.TemporaryDirectory() as room:
        return {name: speakers(path) for name, path in readers.chapters(Path(room))}


def _decoded(path: Path) -> None:
    with decode.Stream(str(path)) as stream:
        for _ in stream.blocks():
            pass


def _fed(subject: catalogue.Subject, info: StreamInfo, kept: list[Block]) -> None:
    meter = subject.meter(info)
    for block in kept:
        meter.feed(block)
    meter.read()


def short_runs() -> Shorts:
    """The least of some rounds."""
    files, joined = material.short_files(), material.joined_shorts()
    folders = ([files[0].parent], [joined[0].parent])
    with tempfile.TemporaryDirectory() as room:
        outs = [Path(room) / str(number) for number in range(ROUNDS)]
        rounds = [[checked(folder, PLAIN, out=out / folder[0].name).cpu_s for folder in folders] for out in outs]
        again_s = min(checked(folders[0], PLAIN, out=out / folders[0][0].name).wall_s for out in outs)
    short_s, joined_s = map(min, zip(*rounds, strict=True))
    return Shorts(len(files), short_s, joined_s, again_s)


def scaling(files: Sequence[Path]) -> tuple[float, float]:
    """Seconds by the clock with one job and with two; the least of each counts, in rounds that take turns."""
    rounds = [[checked(files, PLAIN, jobs=jobs).wall_s for jobs in (1, 2)] for _ in range(ROUNDS)]
    one_s, two_s = map(min, zip(*rounds, strict=True))
    return one_s, two_s


def main() -> None:
    """Measure and write RESULTS.md."""
    subprocess.run(
        (sys.executable, material.__file__), check=True
    )  # by itself, for its memory would count as its children's
    files = material.long_files()
    measured = Measured(
        whole_runs(files),
        scaling(files),
        dict(parts(files[0])),
        speakers(material.chapter()),
        real_readers(),
        short_runs(),
        list(uploads.rows()),
    )
    text = page.written(measured, len(files))
    (HERE / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
