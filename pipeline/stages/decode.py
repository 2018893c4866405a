"""Decode a file once, as a stream of blocks, and tell what the file claimed, what came out and what broke.

FFmpeg's libraries do the decoding, inside this process (PyAV); samples that lie in a file as they are are read from there.
Kept at any time: one block (about ten seconds, at most 2 million samples), and what the decoder keeps.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, Self

import numpy as np
import xxhash

from pipeline import pcm, plain_wave
from pipeline.damage import MAX_PLACES, Damage, Spoilt
from pipeline.decoder import Decoder
from pipeline.readings import Container
from pipeline.records import Block, Floats, StreamInfo

BLOCK_S = 10.0
"""Long enough that what is done once a block weighs little; 44.1 kHz stereo takes 3.5 MB."""

MAX_BLOCK_SAMPLES = 1 << 21


class Source(Protocol):
    """Where samples come from: `Decoder`, or `PlainWave` for those that need no decoding."""

    info: StreamInfo
    damage: Damage
    coded_bytes: int

    def samples(self, at_once: int) -> Iterator[Floats]:
        """The samples in order, (channels, frames), about so many frames at a time."""
        ...

    def held(self, decoded_s: float) -> Container:
        """What the file claimed, and what of it is missing from so many seconds."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


class Stream:
    """An opened audio stream: `info` at once, `blocks` once, and `container` when those are used up.

    Raises DecodeError when no sample can be had. Use it as a context manager.
    """

    def __init__(self, path: str, block_s: float = BLOCK_S) -> None:
        plain = plain_wave.opened(path)
        self._source: Source = Decoder(path) if plain is None else plain
        self.info = self._source.info
        self._done = 0
        self._spoilt = Spoilt(self.info.sample_rate)
        self._frames_at_once = max(
            1, min(round(block_s * self.info.sample_rate), MAX_BLOCK_SAMPLES // self.info.channels)
        )
        self._pcm = [xxhash.xxh3_128() for _ in range(self.info.channels)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def blocks(self) -> Iterator[Block]:
        """The samples in order, in blocks of equal length but for the last one."""
        frames = self._frames_at_once
        planes, filled = np.empty((self.info.channels, frames), np.float32), 0
        for samples in self._source.samples(frames):
            taken, length = 0, samples.shape[1]
            if not filled and length == frames:  # a block as it is
                yield self._block(np.ascontiguousarray(samples))
                continue
            while taken < length:
                step = min(frames - filled, length - taken)
                planes[:, filled : filled + step] = samples[:, taken : taken + step]
                filled, taken = filled + step, taken + step
                if filled == frames:
                    yield self._block(planes)
                    planes, filled = np.empty_like(planes), 0
        if filled:
            yield self._block(planes[:, :filled])

    def container(self) -> Container:
        """What the file is, what it claimed and what came out, after the last block."""
        info, source, spoilt = self.info, self._source, self._spoilt
        source.damage.end()
        decoded_s = self._done / info.sample_rate
        held = source.held(decoded_s)
        places = sorted((*source.damage.places, *spoilt.places), key=lambda place: place.start_s)
        return replace(
            held,
            format=info.format,
            codec=info.codec,
            sample_rate=info.sample_rate,
            channels=info.channels,
            bits=info.bits,
            declared_s=info.declared_s,
            decoded_s=decoded_s,
            frames=self._done,
            kbps=source.coded_bytes * 8 / 1000 / decoded_s if decoded_s else None,
            lost_s=self._lost_s(held),
            errors=source.damage.count + spoilt.count,
            error_spans=tuple(places[:MAX_PLACES]),
            pcm=xxhash.xxh3_128_hexdigest(b"".join(plane.digest() for plane in self._pcm)),
        )

    def _lost_s(self, held: Container) -> float | None:
        """How much is lost, with what is spoilt; what cannot be known stays unknown."""
        whole = held.cut is None and not self._source.damage.count
        if not self._spoilt.count or (held.lost_s is None and not whole):
            return held.lost_s
        return self._spoilt.lost_s + (0.0 if held.lost_s is None else held.lost_s)

    def _block(self, planes: Floats) -> Block:
        """The next block, from (channels, frames), what is no sample brought into range."""
        start, rate = self._done, self.info.sample_rate
        self._done += planes.shape[1]
        if not pcm.is_sane(planes):
            self._spoilt.take(pcm.insane(planes), start)
            planes = pcm.tamed(planes)
        for plane, digest in zip(planes, self._pcm, strict=True):
            digest.update(plane.data)
        planes.flags.writeable = False
        return Block(planes.T, start, rate)
