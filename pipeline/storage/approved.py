"""A file that is only handed out whole if it is, byte for byte, the one that was approved."""

import hashlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from pipeline.errors import ApprovedChanged

CHUNK_BYTES = 1 << 20


class ApprovedFile:
    """Gives out the approved bytes; where others lie there, raises ApprovedChanged instead of ending.

    Whoever sends what it gives never gets to the end of a file that is not the approved one, so that a request in which it stands
    is never completed. Keeps a megabyte and the digest so far.
    """

    def __init__(self, path: str, sha256: str, bytes_: int, told: Callable[[int], None] = lambda _bytes: None) -> None:
        self._path, self._sha256, self._bytes, self._told = path, sha256, bytes_, told
        self.given_bytes = 0
        self._giving: Generator[bytes, None, None] | None = None

    @property
    def given_whole(self) -> bool:
        """Whether the last byte was handed out, so that somebody may have it all."""
        return self.given_bytes == self._bytes

    def chunks(self) -> Iterator[bytes]:
        """All of it from the start, hashed on the way. Raises ApprovedChanged where it is not what was approved."""
        self.close()
        self._giving = self._read()
        return self._giving

    def close(self) -> None:
        """Let go of the file, where somebody stopped taking it half-way."""
        if self._giving is not None:
            self._giving.close()

    def _read(self) -> Generator[bytes, None, None]:
        self._told(-self.given_bytes)
        self.given_bytes, digest = 0, hashlib.sha256()
        try:
            with Path(self._path).open("rb", buffering=0) as file:
                while chunk := file.read(min(CHUNK_BYTES, self._bytes - self.given_bytes)):
                    digest.update(chunk)
                    self.given_bytes += len(chunk)
                    self._told(len(chunk))
                    yield chunk
                more = file.read(1)
        except OSError as error:
            raise ApprovedChanged(f"{self._path} cannot be read any more ({error.strerror})") from error
        if more or not self.given_whole or digest.hexdigest() != self._sha256:
            raise ApprovedChanged(f"{self._path} changed while it was sent; it was broken off, nothing of it is stored")
