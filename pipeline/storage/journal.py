"""The journal: one line a clip as it is finished, so that a run can go on where it stopped and be judged again.

A line is kept under what its readings depend on: the file's bytes, its extension, the measuring settings and voxgate's
version. A line torn by a crash is passed over. A last line names the clips of the run, in order.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO

from pipeline.errors import OutputError, RecordError
from pipeline.readings import BY_SUBJECT
from pipeline.records import Clip, Fault, Readings, Source, StreamInfo
from pipeline.storage import codec
from pipeline.storage.files import write_atomic

SCHEMA = "voxgate.journal/1"
NAME = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells without reading that a file has not changed."""

    bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: str) -> "Stamp":
        """The stamp of a file as it is now. Raises OSError."""
        stat = Path(path).stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished clip without its findings, under the settings it was measured with."""

    clip: Clip
    stamp: Stamp | None
    measuring: str
    version: str

    @property
    def key(self) -> tuple[str | None, str, str, str]:
        """What its readings depend on."""
        return (self.clip.sha256, Path(self.clip.source.id).suffix.lower(), self.measuring, self.version)


@dataclass(frozen=True, slots=True)
class Roster:
    """The run as a whole: which clips it had, in which order, and what it passed over."""

    root: str
    ids: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    language: str | None = None
    measuring: str = ""
    profile: str = ""
    overrides: tuple[str, ...] = ()


class Journal:
    """Appends entries to OUT/journal.jsonl; earlier ones of the same version can be looked up by content or by stamp."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.entries: dict[tuple[str | None, str, str, str], Entry] = {}
        self.by_path: dict[tuple[str, str], Entry] = {}
        self.roster: Roster | None = None
        self._file: TextIO | None = None

    def load(self) -> None:
        """Take in what earlier runs wrote; what does not read as a line of ours is passed over."""
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    document = json.loads(line)
                except ValueError:
                    continue
                if isinstance(document, dict) and document.get("schema") == SCHEMA:
                    self._remember(document)

    def add(self, entry: Entry) -> None:
        """Write an entry down before anything else happens. Raises OutputError."""
        self._note(entry)
        self._write(_line(entry))

    def close(self, roster: Roster | None) -> None:
        """Rewrite the journal without what was superseded, ending with the run's roster; `None` only closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if roster is None:
            return
        self.roster = roster
        lines = [_line(entry) for _, entry in sorted(self.by_path.items(), key=lambda item: item[0])]
        lines.append(codec.text({"schema": SCHEMA, "roster": codec.plain(roster)}, indent=None))
        write_atomic(self.path, "\n".join(lines) + "\n")

    def reusable(self, source: Source, sha256: str, measuring: str, version: str) -> Clip | None:
        """What was measured earlier in the same bytes under the same settings, for this source; faults are no answer."""
        entry = self.entries.get((sha256, Path(source.id).suffix.lower(), measuring, version))
        if entry is None or entry.clip.faults:
            return None
        return replace(entry.clip, source=source)

    def sha256_by_stamp(self, source: Source) -> str | None:
        """The digest of a file that has not been touched since an earlier run."""
        try:
            stamp = Stamp.of(source.path)
        except OSError:
            return None
        entries = (entry for (path, _), entry in self.by_path.items() if path == source.path)
        return next((entry.clip.sha256 for entry in entries if entry.stamp == stamp), None)

    def _note(self, entry: Entry) -> None:
        self.entries[entry.key] = entry
        self.by_path[entry.clip.source.path, entry.measuring] = entry

    def _remember(self, document: dict[str, Any]) -> None:
        try:
            if "roster" in document:
                self.roster = codec.restored(Roster, document["roster"])
            else:
                self._note(_entry(document))
        except (RecordError, KeyError, TypeError):
            return

    def _write(self, line: str) -> None:
        try:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8")
                if self._file.tell():
                    self._file.write("\n")  # ends a line that a crash may have torn
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror}); free some space or use another -o"
            ) from error


def last_run(journal: Journal) -> tuple[Roster, list[Entry]]:
    """The last finished run and its entries. Raises RecordError when there was none or it lacks one of them."""
    roster = journal.roster
    if roster is None:
        raise RecordError(f"{journal.path} holds no finished run; run check first")
    entries = {(e.clip.source.id, e.measuring): e for e in journal.by_path.values()}
    missing = [id_ for id_ in roster.ids if (id_, roster.measuring) not in entries]
    if missing:
        raise RecordError(f"{journal.path} lacks {missing[0]!r}; run check again")
    return roster, [entries[id_, roster.measuring] for id_ in roster.ids]


def _line(entry: Entry) -> str:
    clip = entry.clip
    names = {kind: name for name, kind in BY_SUBJECT.items()}
    return codec.text(
        {
            "schema": SCHEMA,
            "measuring": entry.measuring,
            "version": entry.version,
            "stamp": codec.plain(entry.stamp),
            "source": codec.plain(clip.source),
            "sha256": clip.sha256,
            "info": codec.plain(clip.info),
            "faults": codec.plain(clip.faults),
            "readings": {names[type(reading)]: codec.plain(reading) for reading in clip.readings},
        },
        indent=None,
    )


def _entry(document: dict[str, Any]) -> Entry:
    read = document["readings"]
    readings = [codec.restored(kind, read[name]) for name, kind in BY_SUBJECT.items() if name in read]
    info, stamp = document["info"], document["stamp"]
    clip = Clip(
        source=codec.restored(Source, document["source"]),
        sha256=document["sha256"],
        info=None if info is None else codec.restored(StreamInfo, info),
        readings=Readings({type(reading): reading for reading in readings}),
        faults=tuple(codec.restored(Fault, fault) for fault in document["faults"]),
    )
    made = None if stamp is None else codec.restored(Stamp, stamp)
    return Entry(clip, made, document["measuring"], document["version"])
