"""A file that is only handed out whole if it is, byte for byte, the one that was approved."""

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import ApprovedChanged


class ApprovedFile(io.RawIOBase):
    """Reads as the approved bytes; where others lie there, raises ApprovedChanged instead of ending.

    Whoever sends what is read here never gets to the end of a file that is not the approved one, so that a request in which it
    stands is never completed. Keeps nothing but the digest so far.
    """

    def __init__(self, path: str, sha256: str, bytes_: int, told: Callable[[int], None] = lambda _bytes: None) -> None:
        super().__init__()
        self._told = told
        self._path, self._sha256, self._bytes = path, sha256, bytes_
        self._left, self._digest = bytes_, hashlib.sha256()
        try:
            self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise ApprovedChanged(f"{path} cannot be read any more ({error.strerror})") from error

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def seekable(self) -> bool:
        """To its start and its end, which is how a sender learns of its length."""
        return True

    def read(self, size: int = -1) -> bytes:
        """What comes next, at most `size` bytes; nothing at the end, which only approved bytes have."""
        wanted = self._left if size < 0 else min(size, self._left)
        try:
            chunk = self._file.read(wanted) if wanted else b""
        except OSError as error:
            raise ApprovedChanged(f"{self._path} cannot be read any more ({error.strerror})") from error
        if not chunk:
            self._ended()
            return b""
        self._digest.update(chunk)
        self._left -= len(chunk)
        self._told(len(chunk))
        return chunk

    @property
    def given_whole(self) -> bool:
        """Whether the last byte was handed out, so that somebody may have it all."""
        return self._left == 0

    def tell(self) -> int:
        """How much was read."""
        return self._bytes - self._left

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To the start, which begins anew, or to the end, for its length."""
        if whence == os.SEEK_END:
            return self._bytes
        if offset == self.tell():
            return offset
        assert offset == 0
        self._told(-self.tell())
        self._file.seek(0)
        self._left, self._digest = self._bytes, hashlib.sha256()
        return 0

    def close(self) -> None:
        """Close the file below."""
        if not self.closed:
            self._file.close()
        super().close()

    def _ended(self) -> None:
        if self._left or self._file.read(1) or self._digest.hexdigest() != self._sha256:
            raise ApprovedChanged(f"{self._path} changed while it was sent; it was broken off, nothing of it is stored")
