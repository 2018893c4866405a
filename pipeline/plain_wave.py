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

CODEC, BYTES = "pcm_s16le", 2


class PlainWave:
    """An opened file of such samples: `samples` once, and `held` when those are used up. Close it."""

    def __init__(self, path: str, file: BinaryIO, found: riff.Samples) -> None:
        self._file, self._start = file, found.start
        self._extension = Path(path).suffix.lower()
        self._frames = found.bytes // (found.channels * BYTES)
        self.damage = Damage(stamped=False)
        self.coded_bytes = 0
        self.info = StreamInfo(
            formats.named(formats.WAVE, CODEC, self._extension),
            CODEC,
            found.rate_hz,
            found.channels,
            pcm.bits(CODEC),
            self._frames / found.rate_hz,
            pcm.usual_positions(found.channels),
        )

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def samples(self, at_once: int) -> Iterator[Floats]:
        """The samples in order, (channels, frames), so many frames at a time. Raises OSError, and DecodeError where there is none."""
        self._file.seek(self._start)
        frame_bytes = self.info.channels * BYTES
        for first in range(0, self._frames, at_once):
            frames = min(at_once, self._frames - first)
            read = self._file.read(frames * frame_bytes)
            whole = np.frombuffer(read, "<i2", len(read) // frame_bytes * self.info.channels)
            self.coded_bytes += whole.nbytes
            if not self.coded_bytes:
                raise DecodeError("unreadable", "it holds no samples any more; it was changed while it was read")
            yield pcm.scaled(whole.reshape(-1, self.info.channels).T)
            if whole.nbytes < frames * frame_bytes:
                return

    def held(self, decoded_s: float) -> Container:
        """What the file claimed, and what of it is missing from so many seconds."""
        counted_s = self._frames / self.info.sample_rate
        short = decoded_s < counted_s
        return Container(
            extension=self._extension,
            extensions=formats.fitting(formats.WAVE, CODEC),
            lossy=False,
            exact=True,
            cut=cut_short(counted_s, decoded_s) if short else None,
            lost_s=counted_s - decoded_s if short else None,
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
        found = riff.plain_samples(file, status.st_size)
        if found is not None and pcm.RATES_HZ[0] <= found.rate_hz <= pcm.RATES_HZ[1]:
            return PlainWave(path, file, found)
    file.close()
    return None
