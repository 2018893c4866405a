"""Streams that are nothing but frames: MPEG audio (ISO 11172-3, 13818-3), ADTS (ISO 13818-7), AC-3 (ETSI TS 102 366).

They have no length of their own. MPEG audio may carry a Xing, Info or VBRI frame that counts; the others never do.
"""

import struct
from collections.abc import Callable
from typing import BinaryIO

from pipeline.containers import id3_end
from pipeline.records import Claim

FrameLength = Callable[[bytes], int | None]
"""Length in bytes of the frame whose first bytes are given, `None` where no frame starts."""

TAIL_BYTES = 1 << 16
HEADER_BYTES = 8

MPEG_MASK = bytes.fromhex("fffe0c00")  # sync word, version, layer, sampling rate
ADTS_MASK = bytes.fromhex("fffffdc0")  # the fixed header: also profile and channels
AC3_MASK = bytes.fromhex("ffff")

MPEG_KBPS = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MPEG_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
AC3_WORDS_44100 = 320  # 16-bit words per frame are kbps * 320 / 147 at 44.1 kHz, kbps * 2 at 48, kbps * 3 at 32


def mpeg_layer(head: bytes) -> int | None:
    """1, 2 or 3 for a valid MPEG audio frame header, else `None`."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    rate, kbps = head[2] >> 2 & 3, head[2] >> 4
    return None if version == 1 or layer == 4 or rate == 3 or kbps in (0, 15) else layer


def mpeg_frame(head: bytes) -> tuple[int, int, int] | None:
    """Bytes, samples and rate in Hz of an MPEG audio frame, from its 4-byte header."""
    layer = mpeg_layer(head)
    if layer is None:
        return None
    version = head[1] >> 3 & 3
    major = 1 if version == 3 else 2
    kbps = MPEG_KBPS[major, layer][head[2] >> 4]
    rate = MPEG_RATES_HZ[version][head[2] >> 2 & 3]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (12_000 * kbps // rate + padding) * 4, 384, rate
    samples = 576 if layer == 3 and major == 2 else 1152
    return samples // 8 * 1000 * kbps // rate + padding, samples, rate


def mpeg_length(head: bytes) -> int | None:
    """Length of an MPEG audio frame in bytes."""
    frame = mpeg_frame(head)
    return None if frame is None else frame[0]


def adts_length(head: bytes) -> int | None:
    """Length of an ADTS frame in bytes."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else None


def ac3_length(head: bytes) -> int | None:
    """Length of an AC-3 or E-AC-3 frame in bytes, told apart by `bsid`."""
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return None
    bsid = head[5] >> 3
    if 10 < bsid <= 16:
        return 2 * (((head[2] & 7) << 8 | head[3]) + 1)
    code, size = head[4] >> 6, head[4] & 63
    if bsid > 10 or code == 3 or size >= 2 * len(AC3_KBPS):
        return None
    kbps = AC3_KBPS[size >> 1]
    words = (2 * kbps, kbps * AC3_WORDS_44100 // 147 + (size & 1), 3 * kbps)[code]
    return 2 * words


def claim_mpeg(file: BinaryIO, size: int) -> Claim:
    """The count in a Xing, Info or VBRI frame, and whether the last frame is whole."""
    start = id3_end(file)
    file.seek(start)
    head = file.read(4096)
    offset = next((i for i in range(len(head) - 4) if _chained(head, i, mpeg_length)), None)
    cut = _cut_tail(file, size, mpeg_length)
    if offset is None:
        return Claim(cut=cut)
    frame = mpeg_frame(head[offset : offset + 4])
    count = None if frame is None else _counted_frames(head[offset:])
    if frame is None or count is None:
        return Claim(cut=cut)
    frames, trimmed = count
    return Claim(max(frames * frame[1] - trimmed, 0) / frame[2], exact=True, cut=cut)


def claim_adts(file: BinaryIO, size: int) -> Claim:
    """Whether the last ADTS frame is whole."""
    return Claim(cut=_cut_tail(file, size, adts_length))


def claim_ac3(file: BinaryIO, size: int) -> Claim:
    """Whether the last AC-3 frame is whole."""
    return Claim(cut=_cut_tail(file, size, ac3_length))


def _counted_frames(frame: bytes) -> tuple[int, int] | None:
    """Frames counted by a Xing, Info or VBRI header and the samples that its LAME part trims, or `None`."""
    mono = frame[3] >> 6 == 3
    side = (17 if mono else 32) if frame[1] >> 3 & 3 == 3 else (9 if mono else 17)
    xing = frame[4 + side :]
    if xing[:4] in (b"Xing", b"Info") and len(xing) >= 12 and xing[7] & 1:
        frames = struct.unpack(">I", xing[8:12])[0]
        lame = xing[
            8 + 4 * (xing[7] & 1) + 4 * (xing[7] >> 1 & 1) + 100 * (xing[7] >> 2 & 1) + 4 * (xing[7] >> 3 & 1) :
        ]
        gap = int.from_bytes(lame[21:24], "big") if len(lame) >= 24 and lame[:4] in (b"LAME", b"Lavf", b"Lavc") else 0
        return frames, (gap >> 12) + (gap & 0xFFF)
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return struct.unpack(">I", frame[50:54])[0], 0
    return None


def _chained(view: bytes, at: int, length_of: FrameLength) -> bool:
    """Whether a frame starts at `at` and another one where it ends."""
    length = length_of(view[at : at + HEADER_BYTES])
    return length is not None and length_of(view[at + length : at + length + HEADER_BYTES]) is not None


def _cut_tail(file: BinaryIO, size: int, length_of: FrameLength) -> str | None:
    """In words, that the stream ends inside a frame; tags or junk behind a whole last frame are no cut."""
    start = max(0, size - TAIL_BYTES)
    file.seek(start)
    tail = file.read(TAIL_BYTES)
    at = next((i for i in range(len(tail)) if _chained(tail, i, length_of)), None)
    if at is None:
        return None
    while True:
        length = length_of(tail[at : at + HEADER_BYTES])
        if length is None:
            again = next((i for i in range(at + 1, len(tail)) if _chained(tail, i, length_of)), None)
            if again is None:
                return None
            at = again
        elif at + length > len(tail):
            return f"it ends {at + length - len(tail)} bytes before the end of its last frame"
        else:
            at += length
