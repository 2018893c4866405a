"""The ledger: what was begun and what came of it at a provider, a line before and a line after each step.

A run that was killed at any point leaves here what it may have done, so that the next one looks before it does anything twice.
Every line is on the disk before the step that it announces. Lines are never changed; one torn by a crash is passed over.
Entries say `where` they hold: what was sent to a sandbox is nothing about the provider. No key ever stands here.
"""

import json
import os
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

import filelock

from pipeline.errors import OutputError, RecordError, UsageError
from pipeline.inventory import content
from pipeline.storage import codec

SCHEMA = "voxgate.ledger/1"

STEPS: Mapping[str, tuple[str, ...]] = {
    "cleared": ("dataset",),  # the gate let these files through: manifest, consent, names with their bytes
    "creating": ("name", "mark"),  # a dataset is asked for, under a mark that stands in its description
    "dataset": ("name", "id"),  # it is there, with this id
    "sending": ("dataset", "name"),  # a file is on its way
    "answered": ("dataset", "name"),  # the provider said that it has it
    "broken": ("dataset", "name"),  # it did not get it whole
    "stored": ("dataset", "name", "id"),  # it was seen in a listing, with this id
    "removed": ("dataset", "name", "id"),  # it was taken out again
    "ordering": ("dataset", "mark"),  # a training is asked for, under a mark that stands in its description
    "training": ("dataset", "id"),  # it is there, with this id
    "told": ("dataset", "id"),  # somebody was told of one whose answer had been lost
    "ended": ("dataset", "status"),  # it came to an end
}
"""The steps, and the facts that each has as a word."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line: the step, when (ISO 8601, UTC), at which address, and its facts."""

    step: str
    at: str
    where: str
    facts: Mapping[str, Any]

    @property
    def age_s(self) -> float:
        """How long ago that was, by this machine's clock."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.at)).total_seconds()


class Ledger:
    """OUT/upload-PROVIDER.ledger.jsonl: read once, then appended to. Keeps every entry, some hundred bytes for each file sent."""

    def __init__(self, folder: Path, provider: str, where: str) -> None:
        self.path = folder / f"upload-{provider}.ledger.jsonl"
        self._where = where
        self._file: FileIO | None = None
        self._writing = threading.Lock()
        self._entries: list[Entry] = []
        self._torn = False
        self._load()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from working with this ledger. Raises UsageError where one does."""
        lock = filelock.FileLock(f"{self.path}.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise UsageError(f"another voxgate is at work with {self.path}; wait until it is done") from None
        except OSError as error:
            raise OutputError(f"{self.path}.lock cannot be made ({error.strerror})") from error
        try:
            self._entries.clear()
            self._load()
            yield
        finally:
            try:
                self.close()
            finally:
                lock.release()

    def write(self, step: str, **facts: Any) -> None:
        """Put a step down, on the disk when this returns. Raises OutputError."""
        assert step in STEPS, step
        entry = Entry(step, now(), self._where, facts)
        line = codec.text({"schema": SCHEMA, "step": step, "at": entry.at, "where": self._where, **facts})
        with self._writing:
            try:
                self._append(line)
            except OSError as error:
                self._torn = True
                told = (
                    f"{self.path} cannot be written ({error.strerror}); without it nothing is sent, so free some space"
                )
                raise OutputError(told) from error
            self._entries.append(entry)

    def close(self) -> None:
        """Close the file; every line is in it."""
        with self._writing:
            if self._file is not None:
                self._file.close()
                self._file = None

    def entries(self, *steps: str, **facts: Any) -> list[Entry]:
        """The entries of these steps at this address whose facts are the ones given, oldest first."""
        return [
            entry
            for entry in self._entries
            if entry.step in steps
            and entry.where == self._where
            and all(entry.facts.get(name) == value for name, value in facts.items())
        ]

    def last(self, *steps: str, **facts: Any) -> Entry | None:
        """The youngest such entry."""
        found = self.entries(*steps, **facts)
        return found[-1] if found else None

    def approved(self) -> set[tuple[str, int]]:
        """Contents, as names begin with them, and sizes of all that any manifest of this ledger approved, for any address."""
        return {
            (content(name), bytes_)
            for entry in self._entries
            if entry.step == "cleared"
            for name, bytes_ in entry.facts.get("files", {}).items()
        }

    def _append(self, line: str) -> None:
        if self._file is None:
            self._file = FileIO(self.path, "a")
        before = "\n" if self._torn else ""
        rest = memoryview(f"{before}{line}\n".encode("ascii"))
        while rest:
            rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())
        self._torn = False

    def _load(self) -> None:
        try:
            if not self.path.exists():
                return
            with self.path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._torn = not line.endswith("\n")  # by a crash; what follows begins on a line of its own
                    entry = _entry(line)
                    if entry is not None:
                        self._entries.append(entry)
        except OSError as error:
            raise RecordError(f"{self.path} cannot be read ({error.strerror}); nothing is sent without it") from error


def now() -> str:
    """The time, as it stands in ledgers and receipts."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def mark() -> str:
    """A word that nobody else will write, to know again what was made when no answer came."""
    return f"voxgate-{secrets.token_hex(6)}"


def _entry(line: str) -> Entry | None:
    """What stands in a line; `None` where that is no line of ours."""
    try:
        document = json.loads(line)
        step, at, where = document.pop("step"), document.pop("at"), document.pop("where")
        datetime.fromisoformat(at)
        files = document.get("files", {})
        known = document.pop("schema") == SCHEMA and isinstance(where, str)
        worded = all(isinstance(document.get(name), str) for name in STEPS[step])
        counted = isinstance(files, dict) and all(isinstance(bytes_, int) for bytes_ in files.values())
        return Entry(step, at, where, document) if known and worded and counted else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
