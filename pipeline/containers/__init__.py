"""Readers of file structure, one family of containers each: what a file claims about itself, and whether it ends whole.

They read headers and the tail of a file, never its audio, and trust no size that they find there: every walk is bounded.
"""

from typing import BinaryIO


def id3_end(file: BinaryIO) -> int:
    """Where the ID3v2 tags at the start of a file end; 0 where there is none."""
    at = 0
    for _ in range(8):
        file.seek(at)
        head = file.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        at += 10 + length + (10 if head[5] & 0x10 else 0)
    return at
