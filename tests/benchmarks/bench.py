"""How fast voxgate is on this machine, and against ffmpeg on the same files in the same run; written to RESULTS.md beside this.

The real command is run in processes of its own and their processor time is counted, start and report included. Rounds of
voxgate and of ffmpeg take turns, so that a machine that gets slower does so for both.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start would compile every module, as it does nowhere else

import math
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import material
import uploads

from pipeline import catalogue
from pipeline.allocation import keep_freed_memory
from pipeline.records import Block, StreamInfo
from pipeline.stages import decode, derive

HERE = Path(__file__).parent
PEER = ("ffmpeg", "-v", "error", "-nostdin", "-threads", "1")
FILTERS = ("-af", "ebur128=peak=true,silencedetect,astats", "-f", "null", "-")
MAIN = (sys.executable, "-c", "from pipeline.cli import main; main()", "check")
PLAIN = ("--speakers", "off", "--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
NEURAL = ("--speakers", "off")
ENGINES = ("webrtcvad", "pyannet")
ROUNDS = 2
TIMES = 4
"""A part is timed so often, and the least counts."""

LEAST_S = 1e-3
"""What takes less is lost in the noise."""


@dataclass
class Cost:
    """Processor and wall time in seconds, and the most memory that one process took."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0

    def add(self, other: "Cost") -> None:
        """Another run of the same."""
        self.cpu_s += other.cpu_s
        self.wall_s += other.wall_s
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)


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
        "ffmpeg, three filters": Cost(),
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


def least(work: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """The least processor time of some tries of each, in rounds that take turns."""
    found = dict.fromkeys(work, math.inf)
    for _ in range(TIMES):
        for name, each in work.items():
            began = time.process_time()
            each()
            found[name] = min(found[name], time.process_time() - began)
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


def parts(path: Path) -> Iterator[tuple[str, float]]:
    """Each stage and subject by itself on one file."""
    keep_freed_memory()
    stages = {
        "decode": partial(_decoded, path),
        "derive": partial(drained, path, None),
        **{engine: partial(drained, path, engine) for engine in ENGINES},
    }
    decoded_s, derived_s, *active_s = least(stages).values()
    yield "decode", decoded_s
    yield "16 kHz mono and spectra", derived_s - decoded_s
    for engine, spent_s in zip(ENGINES, active_s, strict=True):
        yield f"voice activity, {engine}", spent_s - derived_s
    with decode.Stream(str(path)) as stream:
        info = stream.info
    kept = {engine: list(blocks(path, engine)) for engine in ENGINES}
    subjects = [each for each in catalogue.clip_subjects() if each.meter is not None]
    heard = (kept["pyannet" if "voices" in each.needs else "webrtcvad"] for each in subjects)
    yield from least(
        {each.name: partial(_fed, each, info, its) for each, its in zip(subjects, heard, strict=True)}
    ).items()


def _decoded(path: Path) -> None:
    with decode.Stream(str(path)) as stream:
        for _ in stream.blocks():
            pass


def _fed(subject: catalogue.Subject, info: StreamInfo, kept: list[Block]) -> None:
    meter = subject.meter(info)
    for block in kept:
        meter.feed(block)
    meter.read()


def short_runs() -> Iterator[tuple[str, str]]:
    """What 2,000 short files cost beyond the same audio in long ones, and a second run over them; the least of some rounds."""
    files, joined, audio_s = material.short_files(), material.joined_shorts(), material.SHORTS * material.SHORT_S
    folders = ([files[0].parent], [joined[0].parent])
    with tempfile.TemporaryDirectory() as room:
        outs = [Path(room) / str(number) for number in range(ROUNDS)]
        rounds = [[checked(folder, PLAIN, out=out / folder[0].name).cpu_s for folder in folders] for out in outs]
        again_s = min(checked(folders[0], PLAIN, out=out / folders[0][0].name).wall_s for out in outs)
    short_s, joined_s = map(min, zip(*rounds, strict=True))
    yield f"{len(files):,} files of {material.SHORT_S} s, processor time", f"{short_s:.1f} s"
    yield f"the same {audio_s / 60:.0f} minutes in {len(joined)} files", f"{joined_s:.1f} s"
    yield "so a short file costs more by", f"{(short_s - joined_s) / len(files) * 1000:.1f} ms"
    yield "a second run over them, nothing new", f"{again_s:.2f} s"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a head, as Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def _conditions(files: Sequence[Path]) -> str:
    hours = len(files) * material.FILE_S / 3600
    libraries = ", ".join(f"{name} {version(name)}" for name in ("av", "numpy", "scipy", "soxr", "onnxruntime"))
    machine = f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} processors"
    return f"`make bench`: {len(files)} files, {hours:.0f} hours of 44.1 kHz stereo MP3. {machine}; {libraries}."


def scaling(files: Sequence[Path]) -> str:
    """How much sooner two jobs end than one, in words; the least of each counts, in rounds that take turns."""
    rounds = [[checked(files, PLAIN, jobs=jobs).wall_s for jobs in (1, 2)] for _ in range(ROUNDS)]
    one_s, two_s = map(min, zip(*rounds, strict=True))
    return (
        f"ffmpeg's filters are `{FILTERS[1]}`. With two jobs the first row takes {two_s:.1f} s by the clock, with one "
        f"{one_s:.1f} s: {one_s / two_s:.2f} times as fast."
    )


def main() -> None:
    """Measure and write RESULTS.md."""
    subprocess.run(
        (sys.executable, material.__file__), check=True
    )  # by itself, for its memory would count as its children's
    files = material.long_files()
    audio_s = len(files) * material.FILE_S
    costs = whole_runs(files)
    base = costs["ffmpeg, three filters"].cpu_s
    runs = [
        (
            name,
            f"{cost.cpu_s:.1f} s",
            f"{audio_s / cost.cpu_s:.0f}",
            f"{cost.cpu_s / base:.2f}" if base else "–",
            f"{cost.peak_bytes >> 20} MB",
        )
        for name, cost in costs.items()
        if cost.cpu_s
    ]
    timed = [
        (name, f"{spent_s:.3f} s", f"{material.FILE_S / spent_s:,.0f}" if spent_s >= LEAST_S else "–")
        for name, spent_s in parts(files[0])
    ]
    text = "\n\n".join(
        (
            "# Speed",
            _conditions(files),
            table(("one process, all files", "processor time", "times real time", "to ffmpeg's", "memory"), runs),
            scaling(files),
            table(("one part, one file of five minutes", "processor time", "times real time"), timed),
            table(("short files, no neural models", ""), list(short_runs())),
            table(("upload of one file of 1 GB, on loopback", "bare httpx / voxgate", "ratio"), list(uploads.rows())),
        )
    )
    (HERE / "RESULTS.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
