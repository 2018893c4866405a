"""What this machine has of what voxgate needs: libraries, decoders, models, room to write. Looks, and mends nothing."""

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import models
from pipeline.errors import ModelError
from pipeline.formats import FORMATS

DISTRIBUTION = "voxgate"
FREE_BYTES = 100 << 20
"""A run of thousands of clips writes tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that was looked at: whether it is as it should be, and what to do when it is not."""

    name: str
    well: bool
    told: str


def examine(out: Path = Path()) -> Iterator[Symptom]:
    """Everything that a check needs, one after the other; `out` is where its results would go."""
    yield Symptom("python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.machine()}")
    yield from libraries()
    yield _kernels()
    yield _decoders()
    yield from map(_model, models.MODELS.values())
    yield _room(out)
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Symptom("processors", True, f"{processors}, so many files at once unless --jobs says otherwise")


def libraries() -> Iterator[Symptom]:
    """Each library that is always needed, in a version that voxgate is known to work with."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Symptom("packaging", False, f"is not installed; run: {sys.executable} -m pip install packaging")
        return
    for wanted in map(Requirement, importlib.metadata.requires(DISTRIBUTION) or ()):
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        install = f"run: {sys.executable} -m pip install '{wanted.name}{wanted.specifier}'"
        try:
            found = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            yield Symptom(wanted.name, False, f"is not installed; {install}")
            continue
        fits = wanted.specifier.contains(found, prereleases=True)
        yield Symptom(wanted.name, fits, found if fits else f"voxgate is not known to work with {found}; {install}")


def _kernels() -> Symptom:
    """NumPy computes the same, so that what is missing here costs time and nothing else."""
    from pipeline import kernels

    told = {
        "compiled": "compiled",
        "plain": "computed in NumPy, which is slower: there was no C compiler (GCC or Clang) when voxgate was installed",
    }
    return Symptom("kernels", True, told[kernels.name()])


def _decoders() -> Symptom:
    import av

    wanted = {"mp3float", "flac", "vorbis", "opus", "aac", "wmav2", "ac3", "pcm_s16le"}
    missing = sorted(wanted - set(av.codecs_available))
    formats = " ".join(row.extension for row in FORMATS)
    told = f"FFmpeg's libraries in PyAV decode {formats}" if not missing else f"PyAV lacks {', '.join(missing)}"
    return Symptom("decoders", not missing, told)


def _model(model: models.Model) -> Symptom:
    try:
        return Symptom(
            f"model {model.name}", True, f"{model.distribution} {model.version}, {models.locate(model.name)}"
        )
    except ModelError as error:
        return Symptom(f"model {model.name}", False, str(error))


def _room(out: Path) -> Symptom:
    """A file is made and taken away again, for permissions alone do not tell of full or read-only disks.

    Where the folder is not there yet, which a run would make, the nearest one that is.
    """
    told = out.absolute()
    try:
        folder = next((one for one in (told, *told.parents) if os.path.lexists(one)), told)
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"voxgate")
            file.flush()
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize if hasattr(os, "statvfs") else None
    except OSError as error:
        return Symptom("room", False, f"nothing can be written in {told} ({error.strerror}); use -o elsewhere")
    if free is not None and free < FREE_BYTES:
        return Symptom("room", False, f"{free >> 20} MB are free in {told}; make some room")
    return Symptom("room", True, str(told) if free is None else f"{free >> 30} GB free in {told}")
