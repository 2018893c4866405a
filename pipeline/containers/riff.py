"""WAVE in its four wrappings: RIFF, RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088) and Sony Wave64."""

import re
import struct
from os import SEEK_END
from typing import BinaryIO, NamedTuple

from pipeline.records import Claim

W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
W64_SUFFIX = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"

MAX_CHUNKS = 10_000
COUNTED = {0x0001: "PCM", 0x0003: "float", 0x0006: "A-law", 0x0007: "mu-law"}
"""Format tags whose bytes count samples; for the others the `fact` chunk or the mean byte rate is all there is."""

STREAMED = 0x7FFF_0000
"""Data sizes from here on are what programs write when they do not know the length yet (0x7FFFFFFF, 0xFFFFFFFF …)."""


DTS_SYNCS = tuple(map(bytes.fromhex, ("7ffe8001", "fe7f0180", "1fffe800", "ff1f00e8", "64582025")))
"""ETSI TS 102 114: how a frame of DTS begins, of 16 and of 14 bits a word in either order, and one of its extension."""

DTS_BYTES = 1 << 14
"""DTS in disguise, as on DTS discs, shows in so much of what is called samples: eight of its frames."""

PACKET_BYTES, PACKETS = (4_096, 65_536), 256
"""By itself FFmpeg hands over 4 kB of samples at a time, which takes longer than to read them. It looks all of the first packet
through for other codecs, which takes longer still, so packets of a short file stay short."""


OTHER_SYNC, OTHER_BYTES = bytes.fromhex("72f81f4e"), 1 << 16
"""IEC 61937, by which a receiver is sent other codecs as if they were samples. FFmpeg finds it behind up to 0.2 s of silence."""

OTHER_STARTS = re.compile(b"\x0b\x77|\x77\x0b|\xff[\xe0-\xff]|\x56[\xe0-\xff]|ID3")
"""How frames begin of AC-3 in either order, of MPEG audio and AAC, of AAC in LOAS, and a tag before any of them."""


REFUSED = (b"SMV0", b"XMA2")
"""Chunks that FFmpeg has its own ideas of."""


class Samples(NamedTuple):
    """Where samples lie that are stored as they are, 16 bits each."""

    start: int
    bytes: int
    rate_hz: int
    channels: int


def plain_samples(file: BinaryIO, size: int) -> Samples | None:
    """The 16-bit samples of a file of one or two channels in which nothing is missing, doubled or in disguise, else `None`."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    chunks = _riff_chunks(file, size)
    if any(name in REFUSED or (name == b"LIST" and length < 4) for name, _, length in chunks):
        return None
    told = [(start, length) for name, start, length in chunks if name == b"fmt "]
    if len(told) != 1 or told[0][1] < 16 or chunks[-1][0] != b"data":
        return None
    file.seek(told[0][0])
    tag, channels, rate, _, align, bits = struct.unpack("<HHIIHH", file.read(16))
    _, start, length = chunks[-1]
    if (tag, bits, align) != (1, 16, 2 * channels) or channels not in (1, 2):
        return None
    if not length or length % align or start + length != size:  # what follows may be more samples
        return None
    file.seek(start)
    return None if _in_disguise(file.read(OTHER_BYTES), size) else Samples(start, length, rate, channels)


def _in_disguise(head: bytes, size: int) -> bool:
    """Whether what is called samples begins as another codec's frames do, behind zeros or not, or may after them.

    DTS is looked for no further than FFmpeg looks in a file of that size.
    """
    sounding = head.lstrip(b"\0")
    if OTHER_STARTS.match(sounding) or (not sounding and len(head) == OTHER_BYTES):
        return True
    return OTHER_SYNC in head or _holds_dts(head[: max(DTS_BYTES, _packet_bytes(size))])


def _holds_dts(head: bytes) -> bool:
    return any(sync in head for sync in DTS_SYNCS)


def _packet_bytes(size: int) -> int:
    """What FFmpeg is to take at once of a file of that size."""
    return min(max(size // PACKETS, PACKET_BYTES[0]), PACKET_BYTES[1])


def options(file: BinaryIO) -> dict[str, str]:
    """How FFmpeg is to read it: in what pieces, and in how many of them it looks for another codec than samples."""
    size = file.seek(0, SEEK_END)
    file.seek(next((start for name, start, _ in _riff_chunks(file, size) if name == b"data"), 0))
    if _holds_dts(file.read(DTS_BYTES)):
        return {"max_probe_packets": str(DTS_BYTES // PACKET_BYTES[0])}
    return {"max_probe_packets": "1", "max_size": str(_packet_bytes(size))}


def claim(file: BinaryIO, size: int) -> Claim:
    """What the `data` chunk and the `fact` chunk promise, against what the file holds."""
    file.seek(0)
    magic = file.read(16)
    chunks = _w64_chunks if magic == W64_RIFF else _riff_chunks
    tag = align = 0
    rate = byte_rate = 0
    facts = wide = None
    for name, start, length in chunks(file, size):
        file.seek(start)
        if name == b"ds64":
            wide = struct.unpack("<QQQ", file.read(24).ljust(24, b"\0"))[1]
        elif name == b"fmt ":
            fmt = file.read(40)
            tag, _, rate, byte_rate, align, _ = struct.unpack("<HHIIHH", fmt[:16].ljust(16, b"\0"))
            if tag == 0xFFFE and len(fmt) >= 26:  # WAVE_FORMAT_EXTENSIBLE: the subformat's first two bytes are the tag
                tag = struct.unpack("<H", fmt[24:26])[0]
        elif name == b"fact" and length >= 4:
            facts = struct.unpack("<I", file.read(4).ljust(4, b"\0"))[0]
        elif name == b"data":
            promised = wide if wide is not None and length == 0xFFFF_FFFF else length
            per_s = rate * align if tag in COUNTED else byte_rate
            counted_s = facts / rate if facts and rate and tag not in COUNTED else None
            return _judged(promised, size - start, per_s, counted_s, align)
    return Claim(cut="there is no data chunk: the file ends inside its header")


def _judged(promised: int, held: int, per_s: int, counted_s: float | None, align: int) -> Claim:
    if per_s <= 0:
        return Claim()
    declared_s = counted_s if counted_s is not None else promised / per_s
    missing = promised - held
    if promised == 0 and held > 0:  # a recorder that never came back to fill in the size
        return Claim(declared_s=0.0)
    if missing < max(align, 1):  # less than a sample of each channel, or a block of them, is rounding
        return Claim(declared_s, exact=True)
    if promised >= STREAMED and held < promised // 2:
        return Claim(declared_s)
    return Claim(
        declared_s,
        exact=True,
        cut=f"its data chunk promises {promised} bytes and {held} are there",
        lost_s=missing / per_s,
    )


def _riff_chunks(file: BinaryIO, size: int) -> "list[tuple[bytes, int, int]]":
    """Name, start and length of each chunk up to `data`."""
    found: list[tuple[bytes, int, int]] = []
    at = 12
    while at + 8 <= size and len(found) < MAX_CHUNKS:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        found.append((name, at + 8, length))
        if name == b"data":
            break
        at += 8 + length + length % 2
    return found


def _w64_chunks(file: BinaryIO, size: int) -> "list[tuple[bytes, int, int]]":
    """As for RIFF; Wave64 names chunks by GUID, counts the 24-byte header in and aligns to 8."""
    found: list[tuple[bytes, int, int]] = []
    at = 40
    while at + 24 <= size and len(found) < MAX_CHUNKS:
        file.seek(at)
        guid, length = struct.unpack("<16sQ", file.read(24))
        name = guid[:4] if guid[4:] == W64_SUFFIX else b"????"
        found.append((name, at + 24, max(length - 24, 0)))
        if name == b"data":
            break
        at += max(24, (length + 7) // 8 * 8)
    return found
