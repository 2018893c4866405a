"""The journal: one line a clip as it is finished, so that a run can go on where it stopped and be judged again.

A line is kept under what its readings depend on: the file's bytes, its extension, the measuring settings and voxgate's
version. A line torn by a crash is passed over. A last line tells of the run as a whole, and behind it may stand by what it was judged
again since; where clips stand behind it, a later run was begun and not finished.
"""

import json
import os
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Any

from pipeline.errors import OutputError, RecordError
from pipeline.readings import BY_SUBJECT, Reference
from pipeline.records import Absence, Clip, Fault, Readings, Source, StreamInfo
from pipeline.storage import codec
from pipeline.storage.files import Stamp, sha256_of, write_atomic

SCHEMA = "voxgate.journal/1"
NAME = "journal.jsonl"

Key = tuple[str | None, str, str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished clip without its findings, under the settings it was measured with.

    `stamp` is the file's from before it was measured, so that a change since then shows.
    """

    clip: Clip
    stamp: Stamp | None
    measuring: str
    version: str

    @property
    def key(self) -> Key:
        """What its readings depend on."""
        return (self.clip.sha256, _extension(self.clip.source), self.measuring, self.version)


@dataclass(frozen=True, slots=True)
class Roster:
    """The run as a whole: its clips in order, what it passed over, and what was asked of it."""

    root: str
    sources: tuple[Source, ...]
    measuring: str
    version: str
    profile: str
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    switched_off: tuple[Absence, ...] = ()
    overrides: tuple[str, ...] = ()
    language: str | None = None
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """By what a run was last decided: the run's own terms, or those of a later `judge`."""

    profile: str
    overrides: tuple[str, ...] = ()
    reference: Reference | None = None
    strict: bool = False


class Journal:
    """Appends entries to OUT/journal.jsonl and finds earlier ones. Keeps every entry, and the lines it added: kilobytes a clip."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.roster: Roster | None = None
        self.terms: Terms | None = None
        self._by_key: dict[Key, Entry] = {}
        self._by_path: dict[tuple[str, str], Entry] = {}
        self._digests: dict[tuple[str, Stamp], str] = {}
        self._sizes: set[int] = set()
        self._added: dict[tuple[str, str], tuple[Entry, str]] = {}
        self._file: FileIO | None = None
        self._lines = 0

    def load(self) -> None:
        """Take in what earlier runs wrote; what does not read as a line of ours is passed over. Raises RecordError."""
        try:
            if not self.path.exists():
                return
            with self.path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._lines += 1
                    self._remember(line)
        except OSError as error:
            raise RecordError(f"{self.path} cannot be read ({error.strerror}); name another folder") from error

    def known(self, source: Source, stamp: Stamp | None, measuring: str, version: str) -> Clip | None:
        """What an earlier run measured in these very bytes under the same settings, as a clip of this source.

        A file that was not touched since is not opened; one that is as long as an earlier one is hashed, so that a moved or
        renamed file is known again. What we failed to measure is no answer.
        """
        if stamp is None:
            return None
        sha256 = self._digests.get((source.path, stamp))
        moved = sha256 is None
        if moved and stamp.bytes in self._sizes:
            try:
                sha256 = sha256_of(source.path)
            except OSError:
                return None
        entry = self._by_key.get((sha256, _extension(source), measuring, version))
        if sha256 is None or entry is None or entry.clip.faults:
            return None
        if (entry.clip.source, entry.stamp) == (source, stamp):
            self._by_path[source.path, measuring] = entry
            return entry.clip
        found = replace(entry, clip=replace(entry.clip, source=source), stamp=stamp)
        if moved:
            self.add(found)
        else:
            self._note(found)
        return found.clip

    def add(self, entry: Entry) -> None:
        """Write an entry down before anything else happens. Raises OutputError."""
        self._note(entry)
        self._lines += 1
        line = _line(entry)
        self._added[entry.clip.source.path, entry.measuring] = entry, line
        self._write(line)

    def finish(self, roster: Roster) -> None:
        """Rewrite the journal without what was superseded, ending with the run's roster. Raises OutputError.

        Where it holds that already, word for word, nothing is written.
        """
        self.close()
        if self.roster == roster and self._lines == len(self._by_path) + 1:
            return
        self.roster, self.terms = roster, None
        lines = [self._line_of(entry) for _, entry in sorted(self._by_path.items(), key=lambda item: item[0])]
        lines.append(codec.text({"schema": SCHEMA, "roster": codec.plain(roster)}))
        write_atomic(self.path, "\n".join(lines) + "\n")

    def judged(self, terms: Terms) -> None:
        """Note by what the run was decided again, so that it can be decided so once more. Raises OutputError."""
        if terms != self.terms:
            self.terms = terms
            self._lines += 1
            self._write(codec.text({"schema": SCHEMA, "terms": codec.plain(terms)}))
            self.close()

    def stamps(self) -> dict[str, Stamp | None]:
        """By path, what told the files of the last run from others when they were measured."""
        assert self.roster is not None
        return {path: entry.stamp for (path, of), entry in self._by_path.items() if of == self.roster.measuring}

    def close(self) -> None:
        """Close the file; what was added is in it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def last_run(self, version: str) -> tuple[Roster, list[Clip]]:
        """The last run and its clips. Raises RecordError when there was none, or it was not finished, or not by us."""
        roster = self.roster
        if roster is None and self._by_path:
            raise RecordError(
                f"the last run in {self.path.parent} was not finished; run check again, it goes on from there"
            )
        if roster is None:
            raise RecordError(f"{self.path.parent} holds no finished run; run check first")
        if roster.version != version:
            told = f"the run in {self.path.parent} was made by voxgate {roster.version}, this is {version}"
            raise RecordError(f"{told}; run check again")
        clips = []
        for source in roster.sources:
            entry = self._by_path.get((source.path, roster.measuring))
            if entry is None:
                raise RecordError(f"{self.path} lacks {source.id!r}; run check again")
            clips.append(replace(entry.clip, source=source))
        return roster, clips

    def _note(self, entry: Entry) -> None:
        clip, key = entry.clip, entry.key
        self._by_path[clip.source.path, entry.measuring] = entry
        if not clip.faults or key not in self._by_key:
            self._by_key[key] = entry
        if clip.sha256 is not None and entry.stamp is not None:
            self._digests[clip.source.path, entry.stamp] = clip.sha256
            self._sizes.add(entry.stamp.bytes)

    def _line_of(self, entry: Entry) -> str:
        """The line that was written when it was added, or it is made now."""
        added, line = self._added.get((entry.clip.source.path, entry.measuring), (None, ""))
        return line if added is entry else _line(entry)

    def _remember(self, line: str) -> None:
        try:
            document = json.loads(line)
            if document["schema"] != SCHEMA:
                return
            if "roster" in document:
                self.roster, self.terms = codec.restored(Roster, document["roster"]), None
            elif "terms" in document:
                self.terms = codec.restored(Terms, document["terms"])
            else:
                self._note(_entry(document))
                self.roster = self.terms = None
        except (RecordError, KeyError, TypeError, ValueError, RecursionError):
            return

    def _write(self, line: str) -> None:
        try:
            if self._file is None:
                self._file = FileIO(self.path, "a")
                if self._file.tell():
                    line = "\n" + line  # ends a line that a crash may have torn
            rest = memoryview(f"{line}\n".encode())
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({error.strerror}); free some space or use another -o"
            ) from error


def _extension(source: Source) -> str:
    return os.path.splitext(source.path)[1].lower()  # noqa: PTH122 - a Path takes longer than all else of a key


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
        }
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """The parts of an entry's line that are restored by their types; the readings follow by their names."""

    measuring: str
    version: str
    source: Source
    stamp: Stamp | None
    sha256: str | None
    info: StreamInfo | None
    faults: tuple[Fault, ...]


def _entry(document: dict[str, Any]) -> Entry:
    line, read = codec.restored(_Line, document), document["readings"]
    readings = [codec.restored(kind, read[name]) for name, kind in BY_SUBJECT.items() if name in read]
    by_type = Readings({type(reading): reading for reading in readings})
    clip = Clip(line.source, line.sha256, line.info, by_type, line.faults)
    return Entry(clip, line.stamp, line.measuring, line.version)
