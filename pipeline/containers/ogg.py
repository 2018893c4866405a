"""Ogg (RFC 3533): whether the last page is whole and says that the stream ends there."""

from collections.abc import Iterator
from typing import BinaryIO

from pipeline.records import Claim

CAPTURE = b"OggS"
BEGIN_OF_STREAM = 0x02
END_OF_STREAM = 0x04
TAIL_BYTES = 1 << 24
"""How far from its end a file is searched for its last page: room for tags or padding that something hung on behind."""

CHUNK_BYTES = 1 << 16
HEADER_BYTES = 6  # capture pattern, version and flags


def claim(file: BinaryIO, size: int) -> Claim:
    """Whether the stream was closed. Ogg counts no total that a chain of streams would not belie, so none is declared."""
    at = _last_page(file, size)
    if at is None:
        return Claim(cut="there is no Ogg page at its end")
    file.seek(at)
    page = file.read(27 + 255)
    if len(page) < 27:
        return Claim(cut="it ends inside a page header")
    flags, segments = page[5], page[26]
    table = page[27 : 27 + segments]
    if len(table) < segments or at + 27 + segments + sum(table) > size:
        return Claim(cut="it ends inside a page")
    if not flags & END_OF_STREAM:
        return Claim(cut="its last page does not say that the stream ends there")
    return Claim()


def _last_page(file: BinaryIO, size: int) -> int | None:
    """Where the last page begins. Keeps 64 kB."""
    end = size
    while end > max(0, size - TAIL_BYTES):
        start = max(0, end - CHUNK_BYTES)
        file.seek(start)
        view = file.read(end - start + len(CAPTURE))  # and the capture pattern that crosses into the next chunk
        at = view.rfind(CAPTURE)
        while at >= 0 and view[at + 4 : at + 5] not in (b"\0", b""):
            at = view.rfind(CAPTURE, 0, at)
        if at >= 0:
            return start + at
        end = start
    return None


def next_part(file: BinaryIO, after: int) -> int | None:
    """Where the next stream begins behind the page at byte `after`, `None` when none does."""
    return next((at for at, flags in _pages(file, after) if flags & BEGIN_OF_STREAM), None)


def goes_on(file: BinaryIO, after: int) -> bool:
    """Whether any page follows the one at byte `after`."""
    return next(_pages(file, after), None) is not None


def _pages(file: BinaryIO, after: int) -> Iterator[tuple[int, int]]:
    """Start and flags of what looks like a page behind byte `after`. Keeps 64 kB."""
    at, carried = after + 1, b""
    file.seek(at)
    while chunk := file.read(CHUNK_BYTES):
        view = carried + chunk
        found = view.find(CAPTURE + b"\0")
        while 0 <= found <= len(view) - HEADER_BYTES:
            yield at - len(carried) + found, view[found + 5]
            found = view.find(CAPTURE + b"\0", found + 1)
        at += len(chunk)
        carried = view[-HEADER_BYTES + 1 :]
