"""A folder here, or anywhere that fsspec reaches: stages what was approved, and is an honest dry run of the whole way.

A dataset is a folder, its id the folder's path or URL. A file is written under another name, which listings pass over, and gets
its own only when it is whole, so that what lies there under its name is what was approved.
"""

import contextlib
import io
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec

from pipeline.errors import Declined, InDoubt, UsageError
from pipeline.patience import Patience
from pipeline.remote import Body, Cleared, Dataset, Facts, StoredFile
from pipeline.words import printable

CARD = "voxgate-dataset.json"
"""Holds a folder's name and description; a folder without one is a dataset all the same."""

PARTIAL = ".part"
RECEIPT = "voxgate-receipt.json"
OURS = (CARD, RECEIPT)
NOT_THERE = 404


class Folder:
    """Folders as datasets; fsspec finds credentials by itself."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.where = facts.name

    def _card(self, files: Any, root: str) -> tuple[str, str]:
        """A folder's name and description; its own path where it has no card."""
        card = f"{root}/{CARD}"
        try:
            document = json.loads(_guarded(files.cat_file, card)) if _guarded(files.exists, card) else {}
            return str(document["name"]), str(document["description"])
        except (ValueError, TypeError, KeyError):
            return root, ""

    def datasets(self) -> Iterator[Dataset]:
        """None: nobody keeps a list of all folders."""
        yield from ()

    def dataset(self, id_: str) -> Dataset | None:
        """The folder of that path or URL; `None` where there is none."""
        files, root = _opened(id_)
        if not _guarded(files.isdir, root):
            return None
        return Dataset(_located(id_), *self._card(files, root))

    def named(self, name: str) -> str:
        """The address as it is the same from everywhere. Raises UsageError for one that cannot be opened."""
        if not name.strip() or not name.isprintable():
            raise UsageError("a folder needs a name, in characters that can be printed")
        _opened(name)
        return _located(name)

    def datasets_named(self, name: str) -> Iterator[Dataset]:
        """The folder itself, if there is one that holds anything."""
        files, root = _opened(name)
        if _guarded(files.isdir, root) and _guarded(files.ls, root, detail=False):
            yield Dataset(_located(name), _located(name), self._card(files, root)[1])

    def create_dataset(self, name: str, description: str) -> Dataset:
        """Make the folder that `name` is the path or URL of."""
        files, root = _opened(name)
        _guarded(files.makedirs, root, exist_ok=True)
        made = Dataset(_located(name), _located(name), description)
        self.change_dataset(made)
        return made

    def change_dataset(self, dataset: Dataset) -> None:
        """Write another name and description onto the folder's card."""
        files, root = _opened(dataset.id)
        card = json.dumps({"name": dataset.name, "description": dataset.description}) + "\n"
        _guarded(files.pipe_file, f"{root}/{CARD}", card.encode())

    def delete_dataset(self, id_: str) -> None:
        """Delete the files that lie directly in the folder, and the folder if nothing else is in it."""
        files, root = _opened(id_)
        for stored in list(self.files(id_)):
            self.delete_file(id_, stored.id)
        for name in OURS:
            if _guarded(files.exists, f"{root}/{name}"):
                _guarded(files.rm_file, f"{root}/{name}")
        if not _guarded(files.ls, root, detail=False):
            _guarded(files.rmdir, root)

    def files(self, dataset_id: str) -> Iterator[StoredFile]:
        """The files directly in the folder."""
        files, root = _opened(dataset_id)
        if not _guarded(files.isdir, root):
            raise Declined(f"there is no folder {printable(dataset_id)}", NOT_THERE)
        files.invalidate_cache()
        for entry in sorted(_guarded(files.ls, root, detail=True), key=lambda entry: str(entry["name"])):
            name = str(entry["name"]).rstrip("/").rpartition("/")[2]
            if entry["type"] == "file" and name not in OURS and not name.endswith(PARTIAL):
                yield StoredFile(name, name, int(entry["size"]))

    def send(self, dataset_id: str, cleared: Cleared, body: Body) -> None:
        """Copy what `body` gives; what it raises leaves nothing behind."""
        files, root = _opened(dataset_id)
        partial = f"{root}/{cleared.name}.{secrets.token_hex(4)}{PARTIAL}"  # nobody else's
        try:
            copy = _guarded(files.open, partial, "wb")
            try:
                for chunk in body.chunks():
                    _guarded(copy.write, chunk)
                _guarded(_settled, copy)
            finally:
                _guarded(copy.close)
            _guarded(files.mv, partial, f"{root}/{cleared.name}")
        except BaseException:
            _dropped(files, partial)
            raise

    def delete_file(self, dataset_id: str, file_id: str) -> None:
        """Take a file out of the folder; one that is gone already is as good."""
        if "/" in file_id or file_id in OURS or not file_id.strip("."):
            raise UsageError(f"{file_id!r} is no file of a dataset")
        files, root = _opened(dataset_id)
        if _guarded(files.exists, f"{root}/{file_id}"):
            _guarded(files.rm_file, f"{root}/{file_id}")

    def keep_receipt(self, dataset_id: str, text: str) -> None:
        """Write it into the folder."""
        files, root = _opened(dataset_id)
        _guarded(files.pipe_file, f"{root}/{RECEIPT}", text.encode())

    def close(self) -> None:
        """Do nothing: a file system is open as long as it is used."""


def _opened(url: str) -> tuple[Any, str]:
    """A file system of fsspec's, and the path in it. Raises UsageError for an address that holds secrets or is none."""
    for part in url.split("::"):
        rest = part.partition("://")[2]
        if "@" in rest.partition("/")[0] or "?" in rest:
            raise UsageError(
                "the address holds a user, a password or a query; give credentials as its file system wants them"
            )
        if rest and any(c in rest for c in "*[]"):
            raise UsageError(f"{printable(url)} holds characters that stand for several names")
    try:
        files, root = fsspec.core.url_to_fs(url)
    except Exception as error:  # each file system raises its own
        raise UsageError(f"{printable(url)} cannot be opened: {error}") from error
    return files, str(root).rstrip("/")


def _located(url: str) -> str:
    """The address as it is the same from everywhere: a path here is made absolute."""
    return url.rstrip("/") if "://" in url else str(Path(url).absolute())


def _guarded(call: Any, *arguments: Any, **named: Any) -> Any:
    """What fsspec answers; what the file system raises is told as a provider's failure."""
    try:
        return call(*arguments, **named)
    except Exception as error:  # each file system raises its own
        raise InDoubt(f"the folder cannot be used: {error or type(error).__name__}", None) from error


def _settled(copy: Any) -> None:
    """Have a local file on the disk before it gets its name."""
    copy.flush()
    with contextlib.suppress(AttributeError, io.UnsupportedOperation):  # not everything written to is a file
        os.fsync(copy.fileno())


def _dropped(files: Any, path: str) -> None:
    try:
        if files.exists(path):
            files.rm_file(path)
    except Exception:  # noqa: BLE001 - each file system raises its own
        return  # what is left has a name that listings pass over


def provider(facts: Facts, environ: Mapping[str, str], patience: Patience) -> Folder:
    """Folders; neither the environment nor patience is needed for that."""
    return Folder(facts)
