"""Local files: hashing, whether one has changed, and writing whole or not at all."""

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import OutputError


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells without reading that a file has not changed: `ctime_ns` too, for many a tool sets the other time back."""

    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: str) -> "Stamp":
        """The stamp of a file as it is now. Raises OSError."""
        stat = os.stat(path)  # noqa: PTH116 - making a Path takes several times as long, and short files come by the thousand
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)

    @classmethod
    def found(cls, path: str) -> "Stamp | None":
        """The same, or `None` where there is no file."""
        try:
            return cls.of(path)
        except OSError:
            return None


def sha256_of(path: str | Path) -> str:
    """Digest of a file's bytes, read some hundred kilobytes at a time. Raises OSError."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomic(path: Path, text: str) -> None:
    """Write a text file whole or not at all: temporary file beside it, fsync, rename. Raises OutputError.

    What no encoding has (bytes of a file name that are no text) is spelled out.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); name another folder with -o") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        if isinstance(error, OSError):
            told = f"{path} cannot be written ({error.strerror}); free some space or use another -o"
            raise OutputError(told) from error
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def make_folder(path: Path) -> None:
    """Make a folder for results, with its parents. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {path} cannot be made ({error.strerror}); name another one with -o") from error


def remove(path: Path) -> None:
    """Remove a file, if it is there. Raises OutputError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be removed ({error.strerror}); remove it yourself, or use another -o"
        ) from error
