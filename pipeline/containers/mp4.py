"""ISO base media (ISO 14496-12): M4A, MP4, 3GP. Whether its index is there, its data whole, its audio not locked."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.records import Claim

MAX_BOXES = 10_000
LOCKED = {b"drms": "Apple FairPlay", b"enca": "Common Encryption", b"p608": "FairPlay"}
PARTS = {b"mdat": "media data", b"moov": "index", b"moof": "index of a fragment"}
PATH = (b"trak", b"mdia", b"minf", b"stbl")


def claim(file: BinaryIO, size: int) -> Claim:
    """Whether the index (`moov`) is there, which media data it needs is missing, and what locks the audio."""
    names = {}
    cut = None
    for name, start, length in _boxes(file, 0, size):
        names[name] = (start, length)
        if name in PARTS and start + length > size:
            cut = f"its {PARTS[name]} should go on for {start + length - size} more bytes"
    if b"moov" not in names:
        return Claim(
            cut="its index (the moov box) is missing, as when a recording was not finished or a download broke off"
        )
    start, length = names[b"moov"]
    return Claim(exact=b"moof" not in names, cut=cut, locked=_locked(file, start, min(start + length, size)))


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the content and its length, for the boxes that lie side by side in [at, end)."""
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        file.seek(at)
        head = file.read(16)
        length, name = struct.unpack(">I4s", head[:8])
        skip = 8
        if length == 1 and len(head) == 16:
            length, skip = struct.unpack(">Q", head[8:])[0], 16
        elif length == 0:  # the last box may go on to the end of the file
            length = end - at
        if length < skip:
            return
        yield name, at + skip, length - skip
        at += length


def _locked(file: BinaryIO, start: int, end: int, depth: int = 0) -> str | None:
    """The name of the protection on the first protected sample description, if any."""
    for name, inner, length in _boxes(file, start, end):
        stop = min(inner + length, end)
        if depth < len(PATH) and name == PATH[depth]:
            found = _locked(file, inner, stop, depth + 1)
        elif depth == len(PATH) and name == b"stsd":
            entries = [entry for entry, _, _ in _boxes(file, inner + 8, stop)]
            found = next((LOCKED[entry] for entry in entries if entry in LOCKED), None)
        else:
            found = None
        if found is not None:
            return found
    return None
