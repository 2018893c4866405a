"""Find the clips under folders, files and patterns, and the sidecar transcripts that belong to them.

Nothing is opened but regular files, and of those only the first kilobytes of files whose name says nothing. Hidden files,
results of voxgate and links that lead back into a folder already seen are passed over; whatever else is not examined is
named. Kept: a path and an id a file.
"""

import glob
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import formats
from pipeline.errors import NothingToCheck, UsageError
from pipeline.records import Source
from pipeline.words import printable

TRANSCRIPTS = (".txt", ".lab", ".srt", ".vtt")
"""In the order in which they are preferred when a clip has more than one."""

RESULTS = frozenset({"journal.jsonl", "report.json", "report.html", "manifest.json"})
"""What voxgate writes into OUT."""

JOURNAL_MARK = b'"voxgate.journal/'
"""Stands in the first line of every journal, of any version."""


@dataclass(frozen=True, slots=True)
class Found:
    """What lies under the inputs: sources by id, what was passed over, and the folder that all inputs lie in.

    `skipped` holds files in the form of ids, and with a "/" at the end folders that could not be read or hold results.
    """

    root: str
    sources: tuple[Source, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Input:
    """One argument: the folder that its ids are relative to, and the files and folders that it stands for."""

    name: str
    folder: Path
    tops: tuple[Path, ...]
    is_file: bool = False

    def id_of(self, path: Path, prefix: str | None) -> str:
        inner = path.relative_to(self.folder).as_posix()
        if prefix is None:
            return inner
        return prefix if self.is_file else f"{prefix}/{inner}"


def find(inputs: Sequence[str], out: Path) -> Found:
    """The clips under `inputs`, each once, without what lies in `out`.

    With several inputs ids begin with the input's name; those of a pattern are relative to the folder that stands before
    its first wildcard. Raises UsageError for an input that does not exist or cannot be read, NothingToCheck when there is
    no clip at all.
    """
    unique: dict[tuple[Path, ...], _Input] = {}
    for argument in map(_input, inputs):
        unique.setdefault(tuple(map(_identity, argument.tops)), argument)
    given = list(unique.values())
    search = _Search(out.resolve())
    for argument, prefix in zip(given, _prefixes(given), strict=True):
        search.through(argument, prefix)
    if not search.clips:
        raise NothingToCheck(
            f"no audio found under {', '.join(map(printable, inputs))}; name a folder that holds recordings"
        )
    sidecars = _Sidecars()
    sources = [Source(id_, str(path), _size(path), sidecars.of(path)) for id_, path in sorted(search.clips.items())]
    others = [id_ for id_, path in search.others.items() if path not in sidecars.all]
    return Found(str(_root(given)), tuple(sources), tuple(sorted(search.skipped + others)))


def _input(text: str) -> _Input:
    path = _absolute(text)
    if os.path.lexists(path):
        if path.is_dir():
            return _Input(path.name, path, (path,))
        return _Input(path.name, path.parent, (path,), is_file=True)
    before, pattern = _parted(Path(text))
    folder = _absolute(before)
    matches = sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207 - Path.glob finds hidden files
    if not matches:
        raise UsageError(f"there is no {printable(text)}; name a folder, a file, or a pattern that matches some")
    return _Input(folder.name, folder, tuple(folder / match for match in matches))


def _absolute(text: str) -> Path:
    path = Path(text)
    return path.resolve() if ".." in path.parts else path.absolute()


def _parted(pattern: Path) -> tuple[str, str]:
    """The folder before the first wildcard, and the rest."""
    parts = pattern.parts
    fixed = next((n for n, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return str(Path(*parts[:fixed])), str(Path(*parts[fixed:]))


def _prefixes(given: Sequence[_Input]) -> list[str | None]:
    """What ids begin with: nothing for a single input, else the inputs' names, numbered where they clash."""
    if len(given) == 1:
        return [None]
    taken: list[str | None] = []
    for argument in given:
        name, number = argument.name or "root", 1
        prefix = name
        while prefix in taken:
            number += 1
            prefix = f"{name}-{number}"
        taken.append(prefix)
    return taken


def _root(given: Sequence[_Input]) -> Path:
    """The folder that all inputs lie in; a single folder is its own root."""
    if len(given) == 1:
        return given[0].folder
    return Path(os.path.commonpath([i.folder if i.is_file else i.folder.parent for i in given]))


def _identity(path: Path) -> Path:
    """The same for every way to spell a path; a link to a file is a file of its own."""
    return path.parent.resolve() / path.name


@dataclass
class _Search:
    """What was seen so far: each folder and each file is taken once, however many links and inputs lead to it."""

    out: Path
    clips: dict[str, Path] = field(default_factory=dict)
    others: dict[str, Path] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    _folders: set[tuple[int, int]] = field(default_factory=set)
    _files: set[Path] = field(default_factory=set)

    def through(self, argument: _Input, prefix: str | None) -> None:
        """Take in everything that an input stands for. Raises UsageError if it cannot be read itself."""
        for top in argument.tops:
            pending = [top] if top.is_dir() else []
            if not pending:
                self._take(argument.id_of(top, prefix), top, _identity(top))
            while pending:
                folder = pending.pop()
                try:
                    folders, files = self._inside(folder)
                except OSError as error:
                    if folder == top:
                        raise UsageError(f"{printable(str(top))} cannot be read ({error.strerror})") from error
                    self.skipped.append(f"{argument.id_of(folder, prefix)}/")
                    continue
                own = self._is_result(folder)
                if own and folder != argument.folder:
                    if any(path.suffix.lower() in formats.EXTENSIONS for path in files):
                        self.skipped.append(f"{argument.id_of(folder, prefix)}/")
                    continue
                pending.extend(reversed(folders))
                real = folder.resolve()
                for path in files:
                    if not (own and path.name in RESULTS):
                        self._take(argument.id_of(path, prefix), path, real / path.name)

    def _inside(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """The folders and the files in a folder that was not seen before. Raises OSError."""
        status = folder.stat()
        if (status.st_dev, status.st_ino) in self._folders:
            return [], []
        folders: list[Path] = []
        files: list[Path] = []
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not entry.name.startswith("."):
                    (folders if _is_dir(entry) else files).append(Path(entry.path))
        self._folders.add((status.st_dev, status.st_ino))
        return folders, files

    def _take(self, id_: str, path: Path, identity: Path) -> None:
        if identity not in self._files:
            self._files.add(identity)
            (self.clips if is_clip(path) else self.others)[id_] = path

    def _is_result(self, folder: Path) -> bool:
        """Whether voxgate wrote its results there, or is about to."""
        journal = folder / "journal.jsonl"
        if folder.resolve() == self.out:
            return True
        if not _is_regular(journal):
            return False
        try:
            with journal.open("rb") as file:
                return JOURNAL_MARK in file.read(64)
        except OSError:
            return False


def _is_dir(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_regular(path: Path) -> bool:
    """A pipe or a device would block or never end."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def is_clip(path: Path) -> bool:
    """Whether it is a file that holds audio, or may; a link that leads nowhere counts by its name, as somebody takes it for one."""
    dangling = path.is_symlink() and not path.exists()
    if not dangling and not _is_regular(path):
        return False
    if path.suffix.lower() in formats.EXTENSIONS:
        return True
    try:
        with path.open("rb") as file:
            return formats.sniff(file) is not None
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


class _Sidecars:
    """Transcripts beside clips: `take1.wav.txt` before `take1.txt`; in `all` are those that were found, used or not."""

    def __init__(self) -> None:
        self.all: set[Path] = set()
        self._names: dict[Path, dict[str, str]] = {}

    def of(self, clip: Path) -> str | None:
        """The name of the clip's transcript, which lies in the same folder."""
        names = self._listed(clip.parent)
        wanted = [f"{start}{ending}" for start in (clip.name, clip.stem) for ending in TRANSCRIPTS]
        found = [name for want in wanted if (name := names.get(want) or names.get(want.lower())) is not None]
        found = [name for name in found if name != clip.name and _is_regular(clip.parent / name)]
        self.all.update(clip.parent / name for name in found)
        return found[0] if found else None

    def _listed(self, folder: Path) -> dict[str, str]:
        """Names in a folder by themselves and in lower case, the exact spelling first."""
        if folder not in self._names:
            try:
                names = sorted(path.name for path in folder.iterdir())
            except OSError:
                names = []
            self._names[folder] = {name.lower(): name for name in names} | {name: name for name in names}
        return self._names[folder]
