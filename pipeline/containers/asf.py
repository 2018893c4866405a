"""ASF (Microsoft's Advanced Systems Format specification, section 3): the length it declares, and DRM."""

import struct
from typing import BinaryIO

from pipeline.records import Claim

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
CONTENT_ENCRYPTION = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
EXTENDED_ENCRYPTION = bytes.fromhex("14e68a292226174cb935dae07ee9289c")

BROADCAST = 0x01
TICKS_PER_S = 10_000_000
MAX_OBJECTS = 1_000


def claim(file: BinaryIO, size: int) -> Claim:
    """Play duration less preroll, whether the file has the size it declares, and whether its content is encrypted."""
    file.seek(16)
    head = file.read(14)
    if len(head) < 14:
        return Claim(cut="it ends inside its header")
    end = min(struct.unpack("<Q", head[:8])[0], size)
    found, locked, at = Claim(), None, 30
    for _ in range(MAX_OBJECTS):
        if at + 24 > end:
            break
        file.seek(at)
        guid, length = struct.unpack("<16sQ", file.read(24))
        if guid == FILE_PROPERTIES:
            found = _properties(file.read(80), size)
        elif guid in (CONTENT_ENCRYPTION, EXTENDED_ENCRYPTION):
            locked = "Windows Media DRM"
        at += max(length, 24)
    return Claim(found.declared_s, found.exact, found.cut, None, locked)


def _properties(body: bytes, size: int) -> Claim:
    if len(body) < 68:
        return Claim(cut="it ends inside its header")
    declared_bytes = struct.unpack("<Q", body[16:24])[0]
    play, _, preroll_ms, flags = struct.unpack("<QQQI", body[40:68])
    if flags & BROADCAST:
        return Claim()
    missing = declared_bytes - size
    cut = f"it should be {missing} bytes longer by its own count" if missing > 0 else None
    return Claim(max(play / TICKS_PER_S - preroll_ms / 1000, 0.0), exact=True, cut=cut)
