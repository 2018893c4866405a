"""How fast each part is, on this machine: processor time as multiples of real time, written to RESULTS.md beside this.

The same recordings (sample_data/good) are decoded, derived and measured part by part in one process with one native
thread, and given to ffmpeg's loudness, silence and statistics filters where that program is installed.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pipeline import catalogue
from pipeline.examine import examine
from pipeline.records import Block, Source
from pipeline.stages import decode, derive

HERE = Path(__file__).parent
RECORDINGS = sorted((HERE.parents[1] / "sample_data" / "good").glob("*.opus"))
PEER = ("ffmpeg", "-v", "error", "-nostdin", "-threads", "1")
FILTERS = ("-af", "ebur128=peak=true,silencedetect,astats", "-f", "null", "-")


def cpu_s(work: Callable[[], None]) -> float:
    """Processor time of a piece of work in this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def peer_cpu_s() -> float:
    """Processor time of ffmpeg with its three filters over all recordings."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for path in RECORDINGS:
        subprocess.run((*PEER, "-i", str(path), *FILTERS), check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def decoded(path: Path) -> Iterator[Block]:
    """The blocks of a recording."""
    with decode.Stream(str(path)) as stream:
        yield from stream.blocks()


def derived(path: Path, engine: str | None) -> tuple[decode.Stream, list[Block]]:
    """The blocks of a recording with their derived signals, and the stream that they came from."""
    stream = decode.Stream(str(path))
    made = None if engine is None else derive.activity_engine(engine)
    return stream, list(derive.derive(stream.info, stream.blocks(), made))


def rows() -> Iterator[tuple[str, float]]:
    """Each part's name and its processor time over all recordings."""
    yield "decode", cpu_s(lambda: [list(decoded(path)) for path in RECORDINGS] and None)
    bare = cpu_s(lambda: [derived(path, None) for path in RECORDINGS] and None)
    yield "decode, 16 kHz mono", bare
    for engine in ("webrtcvad", "pyannet"):
        yield (
            f"decode, 16 kHz mono, {engine}",
            cpu_s(lambda engine=engine: [derived(p, engine) for p in RECORDINGS] and None),
        )
    prepared = [derived(path, "webrtcvad") for path in RECORDINGS]
    for subject in catalogue.clip_subjects():
        if subject.meter is not None:
            yield f"measure {subject.name}", cpu_s(lambda subject=subject: _fed(subject, prepared))
    for engine in ("webrtcvad", "pyannet"):
        yield f"everything, {engine}", cpu_s(partial(_examined, engine))
    if shutil.which(PEER[0]):
        yield f"ffmpeg {FILTERS[1]}", peer_cpu_s()


def _examined(engine: str) -> None:
    for path in RECORDINGS:
        clip = examine(Source(path.name, str(path), path.stat().st_size), engine)
        if clip.faults:
            raise SystemExit(f"{path}: {clip.faults[0].why}")


def _fed(subject: catalogue.Subject, prepared: list[tuple[decode.Stream, list[Block]]]) -> None:
    for stream, blocks in prepared:
        meter = subject.meter(stream.info)
        for block in blocks:
            meter.feed(block)
        meter.read()


def main() -> None:
    """Measure and write RESULTS.md."""
    audio_s = sum(sum(len(b.samples) / b.sample_rate for b in decoded(path)) for path in RECORDINGS)
    measured = dict(rows())
    names = ("av", "numpy", "scipy", "soxr", "onnxruntime")
    lines = [
        "# Speed",
        "",
        f"`make bench`, {len(RECORDINGS)} files, {audio_s / 60:.1f} minutes of 48 kHz mono Opus, one native thread.",
        f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} processors; "
        + ", ".join(f"{name} {version(name)}" for name in names)
        + ".",
        "",
        "| part | processor time | times real time |",
        "|---|---|---|",
        *(f"| {name} | {seconds:.2f} s | {audio_s / seconds:.0f} |" for name, seconds in measured.items()),
    ]
    (HERE / "RESULTS.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
