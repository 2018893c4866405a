"""Matroska and WebM (RFC 8794, RFC 9559): the document type, and whether the segment is as long as it says."""

from typing import BinaryIO

from pipeline.records import Claim

EBML_ID = 0x1A45DFA3
SEGMENT_ID = 0x18538067
DOCTYPE_ID = b"\x42\x82"


def doctype(head: bytes) -> str | None:
    """The document type in the first bytes of a file, such as "webm" or "matroska"; `None` when they name none."""
    at = head.find(DOCTYPE_ID, 4, 128)
    if at < 0 or at + 3 > len(head):
        return None
    length = head[at + 2] & 0x7F
    return head[at + 3 : at + 3 + length].rstrip(b"\0").decode("ascii", "replace")


def claim(file: BinaryIO, size: int) -> Claim:
    """Whether the segment's own size is there in full; a live recording leaves that size open and claims nothing."""
    file.seek(0)
    head = file.read(4096)
    _, after = _number(head, 4)
    header = _number(head, 4)
    if header[0] is None:
        return Claim(cut="it ends inside its header")
    at = after + header[0]
    if head[at : at + 4] != SEGMENT_ID.to_bytes(4, "big"):
        return Claim()
    length, start = _number(head, at + 4)
    if length is None:
        return Claim()
    if start + length > size:
        return Claim(exact=True, cut=f"its segment should go on for {start + length - size} more bytes")
    return Claim(exact=True)


def _number(view: bytes, at: int) -> tuple[int | None, int]:
    """A variable-length size and where it ends; all ones, and a size outside the view, are `None`."""
    if at >= len(view) or view[at] == 0:
        return None, at + 1
    width = 9 - view[at].bit_length()
    value = int.from_bytes(view[at : at + width], "big") & ((1 << 7 * width) - 1)
    unknown = value == (1 << 7 * width) - 1 or at + width > len(view)
    return (None if unknown else value), at + width
