"""16-bit samples that lie in a WAVE file as they are, read without FFmpeg, which takes several times as long to open one and hand it over.

Of a clip of three seconds that is a good part of all its time, and such clips come by the thousand (`make bench`). Only the plainest
files are read here, which FFmpeg reads the same; whatever is odd about a file, `opened` leaves it to FFmpeg.
"""

import os
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipeline import formats, pcm
from pipeline.containers import riff
from pipeline.damage import Damage, cut_short
from pipeline.errors import DecodeError
from pipeline.readings import Container
from pipeline.records import Floats, StreamInfo

CODEC, BITS = "pcm_s16le", 16

POSITIONS = {1: ("FC",), 2: ("FL", "FR")}
"""What the channels are where the file does not say."""


class PlainWave:
    """An opened file of such samples: `samples` once, and `container` when those are used up. Close it."""

    def __init__(self, path: str, file: BinaryIO, held: riff.Samples) -> None:
        self._file, self._held = file, held
        self._extension = Path(path).suffix.lower()
        self._frames = held.bytes // (held.channels * BITS // 8)
        self.damage = Damage(stamped=False)
        self.info = StreamInfo(
            formats.named(formats.WAVE, CODEC, self._extension),
            CODEC,
            held.rate_hz,
            held.channels,
            BITS,
            self._frames / held.rate_hz,
            POSITIONS[held.channels],
        )

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def samples(self, at_once: int) -> Iterator[Floats]:
        """The samples in order, (channels, frames), so many frames at a time. Raises DecodeError or OSError where there is none."""
        self._file.seek(self._held.start)
        channels = self._held.channels
        for first in range(0, self._frames, at_once):
            frames = min(at_once, self._frames - first)
            try:
                read = self._file.read(frames * channels * BITS // 8)
            except OSError:
                if not first:
                    raise
                self.damage.fail(first / self.info.sample_rate)
                return
            whole = np.frombuffer(read, "<i2", len(read) // (2 * channels) * channels).reshape(-1, channels)
            if not len(whole) and not first:
                raise DecodeError("unreadable", "it holds no samples any more; it was changed while it was read")
            yield np.multiply(whole.T, np.float32(2.0 ** (1 - BITS)), dtype=np.float32, order="C")
            if len(whole) < frames:
                return

    def container(self, frames: int, digest: str) -> Container:
        """What the file is and claimed, given how many frames came out and the digest of them."""
        info, damage = self.info, self.damage
        decoded_s, missing = frames / info.sample_rate, self._frames - frames
        damage.end()
        return Container(
            format=info.format,
            extension=self._extension,
            extensions=formats.fitting(formats.WAVE, CODEC),
            codec=CODEC,
            sample_rate=info.sample_rate,
            channels=info.channels,
            bits=BITS,
            lossy=False,
            declared_s=info.declared_s,
            exact=True,
            decoded_s=decoded_s,
            frames=frames,
            kbps=frames * info.channels * BITS / 1000 / decoded_s if decoded_s else None,
            cut=cut_short(self._frames / info.sample_rate, decoded_s) if missing else None,
            lost_s=missing / info.sample_rate if missing else None,
            errors=damage.count,
            error_spans=tuple(damage.places),
            pcm=digest,
        )


def opened(path: str) -> PlainWave | None:
    """The samples of a file that holds nothing else; `None` for any other one, or one that cannot be opened."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path takes several times as long
        if not stat.S_ISREG(status.st_mode):
            return None
        file = open(path, "rb")  # noqa: PTH123, SIM115 - as above; PlainWave closes it
    except (OSError, ValueError):
        return None
    with suppress(OSError, struct.error):  # as when something else makes it shorter meanwhile
        held = riff.plain_samples(file, status.st_size)
        if held is not None and pcm.RATES_HZ[0] <= held.rate_hz <= pcm.RATES_HZ[1]:
            return PlainWave(path, file, held)
    file.close()
    return None
