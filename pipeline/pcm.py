"""FFmpeg's frames as the samples that voxgate measures: float32 (channels, frames), full scale 1.0, one rate throughout."""

import re
from functools import cache
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.records import Floats

MAX_CHANNELS = 64
RATES_HZ = (4_000, 768_000)
"""What no recording has more of, and where its sample rate lies: in half of less there is no speech, nor loudness's high shelf."""

MAX_SAMPLE = 1_000.0
"""Float files may exceed full scale, but 60 dB over it is damage, and squares of more would overflow."""

FEWEST = 1 << 14
"""So many samples a channel are gathered at least before they are handed out, for FFmpeg's frames are small."""

DEFAULT_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class Conformer:
    """Brings frames to the rate and channels of the first one, when a file changes them on its way.

    So many samples a channel as `at_once` says are handed out together, or more where those would be very few. Kept: as many, and a resampler's filter,
    from the first change on. `changes` counts the changes.
    """

    def __init__(self, first: Any, at_once: int) -> None:
        self.rate: int = first.sample_rate
        self.channels: int = first.layout.nb_channels
        self.changes = 0
        self._layout = first.layout
        self._enough = max(at_once, FEWEST)
        self._shape = (self.rate, self.channels)
        self._source = _source(first)
        self._resampler: Any = None
        self._fifo = av.AudioFifo()

    def samples(self, frame: Any) -> list[Floats]:
        """What there is enough of after this frame; mostly nothing."""
        tail = self._turned(frame) if _source(frame) != self._source else []
        frame.pts = None
        if self._resampler is not None:
            return [array(made) for made in (*tail, *self._resampler.resample(frame))]
        self._fifo.write(frame)
        while self._fifo.samples >= self._enough:
            tail.append(self._fifo.read(self._enough))
        return [array(made) for made in tail] if tail else tail

    def rest(self) -> list[Floats]:
        """What is still held after the last frame."""
        return [array(made) for made in self._flushed()]

    def _turned(self, frame: Any) -> list[Any]:
        """Take up the shape that the stream has from this frame on; what the last one left in the filter."""
        tail = self._flushed()
        shape = (frame.sample_rate, frame.layout.nb_channels)
        self.changes += shape != self._shape
        self._shape, self._source = shape, _source(frame)
        if shape != (self.rate, self.channels):
            self._resampler = av.AudioResampler("fltp", self._layout, self.rate)
        return tail

    def _flushed(self) -> list[Any]:
        held = [self._fifo.read()] if self._fifo.samples else []
        self._fifo = av.AudioFifo()
        if self._resampler is None:
            return held
        resampler, self._resampler = self._resampler, None
        return list(resampler.resample(None))


def _source(frame: Any) -> tuple[int, str, str]:
    return frame.sample_rate, frame.layout.name, frame.format.name


def array(frame: Any) -> Floats:
    """A frame's samples as float32 (channels, frames), integers of any width brought to full scale 1.0."""
    samples: np.ndarray = frame.to_ndarray()
    return scaled(samples if frame.format.is_planar else samples.reshape(-1, frame.layout.nb_channels).T)


def scaled(samples: np.ndarray) -> Floats:
    """Samples of any shape as float32, integers of any width brought to full scale 1.0."""
    if samples.dtype == np.float32:
        return samples
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number, or none that fits, is found by is_sane
            return samples.astype(np.float32, copy=False)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / np.float32(128)
    full = np.float32(-1 / float(np.iinfo(samples.dtype).min))  # a power of two, so that nothing is lost
    made: Floats = np.multiply(samples, full, dtype=np.float32, order="C")
    return made


def is_sane(samples: Floats) -> bool:
    """Whether all samples are numbers that a recording can have."""
    highest, lowest = float(samples.max(initial=0.0)), float(samples.min(initial=0.0))
    return highest <= MAX_SAMPLE and -lowest <= MAX_SAMPLE  # false too when they are no numbers


def insane(planes: Floats) -> NDArray[np.bool_]:
    """The frames of (channels, frames) in which some sample is none that a recording can have, (frames,)."""
    sane: NDArray[np.bool_] = np.abs(planes) <= MAX_SAMPLE
    return np.asarray(~sane.all(axis=0))


def tamed(samples: Floats) -> Floats:
    """The same samples with what is no number or far over full scale brought into range."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -MAX_SAMPLE, MAX_SAMPLE)


def positions(layout: Any) -> tuple[str, ...]:
    """The channels' names; where a file gives only their number, the ones that FFmpeg takes for that number."""
    names = tuple(channel.name for channel in layout.channels)
    if all(names) and not any(name.startswith(("USR", "NONE", "UNK")) for name in names):
        return names
    return usual_positions(layout.nb_channels)


@cache
def usual_positions(channels: int) -> tuple[str, ...]:
    """The names that FFmpeg takes for that number of channels."""
    guess = DEFAULT_LAYOUTS.get(channels)
    return tuple(c.name for c in av.AudioLayout(guess).channels) if guess else ("FC",) * channels


def bits(codec: str) -> int | None:
    """The resolution of the samples, where the codec's name has it."""
    found = re.match(r"pcm_[sfu](\d+)", codec)
    return int(found.group(1)) if found else None
