"""Find the clips under folders, files and patterns, and the sidecar transcripts that belong to them.

Nothing is opened but regular files, and of those only the first kilobytes of files whose name says nothing. Hidden files,
results of voxgate and links that lead back into a folder already seen are passed over.
"""

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import formats
from pipeline.errors import NothingToCheck, UsageError
from pipeline.records import Source
from pipeline.words import printable

TRANSCRIPTS = (".txt", ".lab", ".srt", ".vtt")
"""In the order in which they are preferred when a clip has more than one."""

OWN_FILES = ("journal.jsonl", "report.json")
"""A folder with all of these is a result of voxgate and is not searched."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies under the inputs: sources by id, ids of files that are no audio, and the folder that ids are relative to."""

    root: str
    sources: tuple[Source, ...]
    skipped: tuple[str, ...]


def find(inputs: Sequence[str], out: Path) -> Found:
    """The clips under `inputs`, without what lies in `out`.

    Raises UsageError for an input that does not exist, NothingToCheck when there is no clip at all.
    """
    paths = [path for given in inputs for path in _expanded(given)]
    prefixes = _prefixes(paths)
    files: list[tuple[str, Path]] = []
    seen: set[tuple[int, int]] = set()
    for path, prefix in zip(paths, prefixes, strict=True):
        files.extend(_listed(path, prefix, out.resolve(), seen))
    clips = [(id_, path) for id_, path in files if _is_clip(path)]
    if not clips:
        raise NothingToCheck(
            f"no audio found under {', '.join(map(printable, inputs))}; name a folder that holds recordings"
        )
    sources = {id_: Source(id_, str(path), path.stat().st_size) for id_, path in clips}
    transcripts = _sidecars(dict(files), sources)
    with_text = tuple(replace(source, transcript=transcripts.get(id_)) for id_, source in sorted(sources.items()))
    used = set(transcripts.values())
    skipped = sorted(id_ for id_, _ in files if id_ not in sources and id_ not in used)
    return Found(str(_root(paths)), with_text, tuple(skipped))


def _expanded(given: str) -> list[Path]:
    path = Path(given)
    if path.exists():
        return [path.absolute()]
    matches = sorted(glob.glob(given, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute patterns
    if not matches:
        raise UsageError(f"there is no {printable(given)}; name a folder, a file, or a pattern that matches some")
    return [Path(match).absolute() for match in matches]


def _prefixes(paths: Sequence[Path]) -> list[str]:
    """What ids begin with: nothing for a single input, else the inputs' names, numbered where they clash."""
    if len(paths) == 1:
        return [""]
    if all(path.is_file() for path in paths) and len({path.parent for path in paths}) == 1:
        return [""] * len(paths)
    taken: set[str] = set()
    prefixes = []
    for path in paths:
        name, number = path.name, 1
        while name in taken:
            number += 1
            name = f"{path.name}-{number}"
        taken.add(name)
        prefixes.append(name)
    return prefixes


def _root(paths: Sequence[Path]) -> Path:
    """The folder that all inputs lie in; a single folder is its own root."""
    if len(paths) == 1 and paths[0].is_dir():
        return paths[0]
    return Path(os.path.commonpath([path.parent for path in paths]))


def _listed(path: Path, prefix: str, out: Path, seen: set[tuple[int, int]]) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        id_ = prefix or path.name
        yield id_, path
    elif path.is_dir():
        for file in _walked(path, out, seen):
            inner = file.relative_to(path).as_posix()
            yield (f"{prefix}/{inner}" if prefix else inner), file


def _walked(folder: Path, out: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Regular files under a folder, each folder once, however many links lead to it."""
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            status = here.stat()
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if (status.st_dev, status.st_ino) in seen or here.resolve() == out or names.issuperset(OWN_FILES):
            continue
        seen.add((status.st_dev, status.st_ino))
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_dir(entry):
                folders.append(Path(entry.path))
            elif _is_regular(entry):
                yield Path(entry.path)
        pending.extend(reversed(folders))


def _is_dir(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_regular(entry: "os.DirEntry[str]") -> bool:
    """A pipe or a device would block or never end."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False


def _is_clip(path: Path) -> bool:
    if path.suffix.lower() in formats.EXTENSIONS:
        return True
    try:
        with path.open("rb") as file:
            return formats.sniff(file) is not None
    except OSError:
        return False


def _sidecars(files: dict[str, Path], sources: Iterable[str]) -> dict[str, str]:
    """For each source the id of a transcript of the same name: `take1.wav.txt` before `take1.txt`."""
    by_lower = {id_.lower(): id_ for id_ in files}
    found = {}
    for id_ in sources:
        stem = id_[: -len(Path(id_).suffix)] if Path(id_).suffix else id_
        names = [f"{base}{ending}".lower() for base in (id_, stem) for ending in TRANSCRIPTS]
        match = next((by_lower[name] for name in names if name in by_lower), None)
        if match is not None:
            found[id_] = match
    return found
