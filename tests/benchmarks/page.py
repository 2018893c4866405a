"""RESULTS.md of the benchmark, from what was measured."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import bounds
import material
from costs import FILTERS, PEER, PEER_ROW, Cost, Measured, Shorts, Spent

import pipeline

LEAST_S = 1e-3
"""What takes less is lost in the noise."""

WHOLE = ("one process, all files", "processor time", "by the clock", "times real time", "to ffmpeg's", "memory")
PART = ("one part, one file of five minutes", "processor time", "by the clock", "times real time")


def written(measured: Measured, files: int) -> str:
    """The page, in Markdown."""
    one_s, two_s = measured.by_jobs_s
    jobs = f"With two jobs the first row takes {two_s:.1f} s by the clock, with one {one_s:.1f} s."
    return "\n\n".join(
        (
            "# Speed",
            _conditions(files),
            table(("what must be reached", "bound", "measured"), list(bounds.rows(_values(measured)))),
            table(WHOLE, _whole_rows(measured.whole, files * material.FILE_S)),
            f"ffmpeg's filters are `{FILTERS[1]}`. {jobs}",
            table(PART, _part_rows(measured.parts)),
            _chapter(measured),
            table(("short files, no neural models", ""), _short_rows(measured.shorts)),
            table(("upload of one file of 1 GB, on loopback", "bare httpx / voxgate", "ratio"), measured.uploads),
        )
    )


def _values(measured: Measured) -> dict[bounds.Bound, float | None]:
    one_s, two_s = measured.by_jobs_s
    base_s = measured.whole[PEER_ROW].cpu_s
    ratios = [cost.cpu_s / base_s if base_s else None for cost in measured.whole.values()]
    return {
        **dict(zip((bounds.PLAIN, bounds.NEURAL, bounds.ALL), ratios, strict=False)),
        bounds.CORES: one_s / two_s,
        bounds.SHORT: measured.shorts.each_ms,
        bounds.AGAIN: measured.shorts.again_s,
        bounds.SPEAKERS: material.FILE_S / measured.parts["speakers"].cpu_s,
    }


def _chapter(measured: Measured) -> str:
    took_s, five_s = measured.chapter.cpu_s, measured.parts["speakers"].cpu_s
    times = sorted(material.CHAPTER_S / each.cpu_s for each in measured.readers.values())
    real = ", ".join(f"{each:,.0f}" for each in times) if times else "not measured, for their recordings are not here"
    return (
        f"Half an hour of narration takes the speakers {took_s:.3f} s, {material.CHAPTER_S / took_s:,.0f} times real time, and five "
        f"minutes {five_s:.3f} s, {material.FILE_S / five_s:,.0f} times: the beginning of a clip is looked at more closely, and a few "
        "seconds of each voice are heard once more, to know it in other clips. The voice of these files is synthesised. Half an hour "
        f"of each of some real readers, their utterances in other orders, times real time: {real}. The more a reader's voice "
        "changes, the more of it is looked at."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a head, as Markdown."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def _conditions(files: int) -> str:
    hours = files * material.FILE_S / 3600
    names = ("av", "numpy", "scipy", "soxr", "onnxruntime")
    libraries = ", ".join((*(f"{name} {version(name)}" for name in names), _peer_version()))
    machine = f"{os.cpu_count()} processors ({_processor()}), Python {platform.python_version()}"
    return f"`make bench`: {files} files, {hours:.0f} hours of 44.1 kHz stereo MP3. {machine}; voxgate {pipeline.__version__}, {libraries}."


def _processor() -> str:
    """Its maker's name for it, where the system tells, or else its architecture."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _peer_version() -> str:
    if shutil.which(PEER[0]) is None:
        return "without ffmpeg"
    told = subprocess.run((PEER[0], "-version"), capture_output=True, text=True, check=True).stdout
    return "ffmpeg " + told.split()[2]


def _whole_rows(costs: Mapping[str, Cost], audio_s: float) -> list[tuple[str, ...]]:
    base_s = costs[PEER_ROW].cpu_s
    return [
        (
            name,
            f"{cost.cpu_s:.1f} s",
            f"{cost.wall_s:.1f} s",
            f"{audio_s / cost.cpu_s:.0f}",
            f"{cost.cpu_s / base_s:.2f}" if base_s else "–",
            f"{cost.peak_bytes >> 20} MB",
        )
        for name, cost in costs.items()
        if cost.cpu_s
    ]


def _part_rows(timed: Mapping[str, Spent]) -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{spent.cpu_s:.3f} s",
            f"{spent.wall_s:.3f} s",
            f"{material.FILE_S / spent.cpu_s:,.0f}" if spent.cpu_s >= LEAST_S else "–",
        )
        for name, spent in timed.items()
    ]


def _short_rows(shorts: Shorts) -> list[tuple[str, ...]]:
    minutes = shorts.files * material.SHORT_S / 60
    return [
        (f"{shorts.files:,} files of {material.SHORT_S} s, processor time", f"{shorts.short_s:.1f} s"),
        (f"the same {minutes:.0f} minutes in long files", f"{shorts.joined_s:.1f} s"),
        ("so a short file costs more by", f"{shorts.each_ms:.1f} ms"),
        ("a second run over them, nothing new, by the clock", f"{shorts.again_s:.2f} s"),
    ]
