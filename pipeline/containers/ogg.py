"""Ogg (RFC 3533): whether the last page is whole and says that the stream ends there."""

from typing import BinaryIO

from pipeline.records import Claim

CAPTURE = b"OggS"
END_OF_STREAM = 0x04
TAIL_BYTES = 1 << 20
"""A page is at most 65,307 bytes; the rest is room for tags or padding that something hung on behind."""


def claim(file: BinaryIO, size: int) -> Claim:
    """Whether the stream was closed. Ogg counts no total that a chain of streams would not belie, so none is declared."""
    start = max(0, size - TAIL_BYTES)
    file.seek(start)
    tail = file.read(TAIL_BYTES)
    at = tail.rfind(CAPTURE)
    while at >= 0 and tail[at + 4 : at + 5] not in (b"\0", b""):
        at = tail.rfind(CAPTURE, 0, at)
    if at < 0:
        return Claim(cut="there is no Ogg page at its end")
    if len(tail) < at + 27:
        return Claim(cut="it ends inside a page header")
    flags, segments = tail[at + 5], tail[at + 26]
    table = tail[at + 27 : at + 27 + segments]
    missing = at + 27 + segments + sum(table) - len(tail)
    if len(table) < segments or missing > 0:
        return Claim(cut="it ends inside a page")
    if not flags & END_OF_STREAM:
        return Claim(cut="its last page does not say that the stream ends there")
    return Claim()
