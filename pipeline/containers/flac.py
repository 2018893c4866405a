"""Native FLAC (RFC 9639, section 8.2): the sample count of STREAMINFO."""

from typing import BinaryIO

from pipeline.containers import id3_end
from pipeline.records import Claim

HEAD_BYTES = 42  # the magic, the header of the first block, and STREAMINFO, which is always that block
FRAME_MASK = bytes.fromhex("ffff")  # section 9.1.1: sync code and blocking strategy


def claim(file: BinaryIO, size: int) -> Claim:
    """What STREAMINFO counts; 0 there means that the encoder did not know."""
    file.seek(id3_end(file))
    head = file.read(HEAD_BYTES)
    info = head[8:HEAD_BYTES]
    if len(info) < 18:
        return Claim(cut="it ends inside its header")
    rate = info[10] << 12 | info[11] << 4 | info[12] >> 4
    total = (info[13] & 15) << 32 | int.from_bytes(info[14:18], "big")
    bits = ((info[12] & 1) << 4 | info[13] >> 4) + 1
    if rate == 0 or total == 0:
        return Claim(bits=bits)
    return Claim(total / rate, exact=True, bits=bits)
