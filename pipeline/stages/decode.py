"""Decode a file once, as a stream of blocks, and tell what the file claimed, what came out and what broke.

FFmpeg's libraries do the decoding, inside this process (PyAV). The container is chosen by content, and only containers
of the format table are opened, so that a playlist in disguise cannot make us read another file or a network address.
Kept at any time: one block (about four seconds, at most 2 million samples) and the first 100 places where decoding failed.
"""

import itertools
from collections.abc import Iterator
from typing import Any, Self

import av
import numpy as np
import xxhash

from pipeline import pcm
from pipeline.damage import Damage
from pipeline.errors import DecodeError
from pipeline.media import Media
from pipeline.readings import Container
from pipeline.records import Block, Floats, StreamInfo

BLOCK_S = 10.0
"""Long enough that what is done once a block weighs little; 44.1 kHz stereo takes 3.5 MB."""

MAX_BLOCK_SAMPLES = 1 << 21
MAX_CHANNELS = 64
RATES_HZ = (1_000, 768_000)
MAX_EMPTY_PACKETS = 200_000
"""Packets in a row that may yield nothing; a file that claims more is made to keep decoders busy."""


class Stream:
    """An opened audio stream: `info` at once, `blocks` once, and `container` when those are used up.

    Raises DecodeError when no sample can be had. Use it as a context manager.
    """

    def __init__(self, path: str, block_s: float = BLOCK_S) -> None:
        self._media = Media(path)
        self._damage = Damage(stamped=self._media.kind is None or self._media.kind.stamped)
        self._read_s = 0.0
        self._lead_bytes = self._coded_bytes = self._done = 0
        self._broken_off = False
        self._frames = self._decoded()
        try:
            self._first = self._first_frame()
            self.info = self._described(self._first)
        except BaseException:
            self._media.close()
            raise
        self._frames_at_once = max(
            1, min(round(block_s * self.info.sample_rate), MAX_BLOCK_SAMPLES // self.info.channels)
        )
        self._conformer = pcm.Conformer(self._first, self._frames_at_once)
        self._pcm = [xxhash.xxh3_128() for _ in range(self.info.channels)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._media.close()

    def blocks(self) -> Iterator[Block]:
        """The samples in order, in blocks of equal length but for the last one."""
        frames = self._frames_at_once
        planes, filled = np.empty((self.info.channels, frames), np.float32), 0
        for samples in self._conformed():
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
        info, media, damage = self.info, self._media, self._damage
        decoded_s = self._done / info.sample_rate
        damage.end()
        cut, lost_s = self._loss(decoded_s)
        return Container(
            format=info.format,
            extension=media.extension,
            extensions=media.extensions,
            codec=info.codec,
            sample_rate=info.sample_rate,
            channels=info.channels,
            bits=info.bits,
            lossy=media.lossy,
            declared_s=info.declared_s,
            exact=media.claim.exact,
            decoded_s=decoded_s,
            frames=self._done,
            kbps=self._coded_bytes * 8 / 1000 / decoded_s if decoded_s else None,
            cut=cut,
            lost_s=lost_s,
            errors=damage.count,
            error_spans=tuple(damage.places),
            changes=self._conformer.changes,
            pcm=xxhash.xxh3_128_hexdigest(b"".join(plane.digest() for plane in self._pcm)),
        )

    def _loss(self, decoded_s: float) -> tuple[str | None, float | None]:
        """How the file shows that something is missing, and how much, as far as that can be known."""
        claim, counted_s = self._media.claim, self._media.counted_s
        slack_s = self._media.kind.slack_s if self._media.kind is not None else 0.0
        cut = claim.cut
        if cut is None and counted_s is not None and counted_s - decoded_s > slack_s:
            cut = f"it should last {counted_s:.3f} s by its own count and decodes to {decoded_s:.3f} s"
        if cut is None and not self._damage.count:
            return None, None
        if counted_s is not None:
            return cut, max(counted_s - decoded_s, claim.lost_s or 0.0, 0.0)
        if claim.cut is not None:
            return cut, claim.lost_s
        return cut, max(self._damage.lost_s, self._skipped_s()) or None

    def _skipped_s(self) -> float:
        """About how long would have lasted what was passed over in a bare stream or left unread, at the rate of the rest."""
        if not self._coded_bytes or not (self._media.bare or self._broken_off):
            return 0.0
        skipped = self._media.bytes - self._lead_bytes - self._coded_bytes
        return max(skipped, 0) / self._coded_bytes * self._read_s

    def _described(self, frame: Any) -> StreamInfo:
        media = self._media
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not RATES_HZ[0] <= rate <= RATES_HZ[1] or not 1 <= channels <= MAX_CHANNELS:
            raise DecodeError(
                "unreadable", f"its header claims {channels} channels at {rate} Hz, which no recording has"
            )
        bits = media.claim.bits if media.claim.bits is not None else pcm.bits(media.codec)
        return StreamInfo(
            media.format, media.codec, rate, channels, bits, media.declared_s, pcm.positions(frame.layout)
        )

    def _first_frame(self) -> Any:
        for frame in self._frames:
            return frame
        if self._damage.count:
            raise DecodeError(
                "unreadable", self._media.claim.cut or "none of its packets decodes; it is damaged or encrypted"
            )
        raise DecodeError("no_audio", "it has an audio stream without a single sample")

    def _block(self, planes: Floats) -> Block:
        """The next block, from (channels, frames), what is no sample brought into range."""
        start, rate = self._done, self.info.sample_rate
        self._done += planes.shape[1]
        if not pcm.is_sane(planes):
            self._damage.fail((start + pcm.first_insane(planes)) / rate)
            planes = pcm.tamed(planes)
        for plane, digest in zip(planes, self._pcm, strict=True):
            digest.update(plane.data)
        planes.flags.writeable = False
        return Block(planes.T, start, rate)

    def _conformed(self) -> Iterator[Floats]:
        for frame in itertools.chain((self._first,), self._frames):
            try:
                yield from self._conformer.samples(frame)
            except av.error.FFmpegError:  # a change of parameters to something that cannot be brought back
                self._damage.fail(self._read_s)
        yield from self._conformer.rest()

    def _decoded(self) -> Iterator[Any]:
        """Frames as long as any come; a packet that does not decode is noted and passed over."""
        empty = 0
        for packet in self._packets():
            frames, failed = self._decoded_packet(packet)
            empty = 0 if frames else empty + 1
            for frame in frames:
                self._damage.passed(frame, self._read_s)
                self._read_s += frame.samples / frame.sample_rate if frame.sample_rate else 0.0
                yield frame
            if failed:
                self._note(packet, junk=bool(frames) or self._media.is_junk(packet))
            if empty > MAX_EMPTY_PACKETS:
                self._break_off()
                return

    def _packets(self) -> Iterator[Any]:
        """The packets of the file, and of the parts chained behind it where FFmpeg stops at a change between them."""
        packets, at_byte = self._media.packets(), 0
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError):
                if not self._media.open_next_part(at_byte):
                    if self._media.goes_on(at_byte):
                        self._break_off()
                    return
                self._damage.part()
                packets = self._media.packets()
                continue
            if packet.pos is not None:
                at_byte = packet.pos
            yield packet

    def _break_off(self) -> None:
        self._damage.fail(self._read_s)
        self._broken_off = True

    def _decoded_packet(self, packet: Any) -> tuple[list[Any], bool]:
        """The frames of a packet, or at least the first one, and whether something in it did not decode."""
        failed, read = False, packet
        try:
            frames = list(packet.decode())
        except (av.error.FFmpegError, OSError):
            failed, read = not self._media.is_tag(packet), self._media.trimmed(packet)
            frames = self._rescued(read)
        if frames:
            if self._coded_bytes == 0:
                self._media.learn(packet)
                self._lead_bytes = packet.pos or 0
            self._coded_bytes += read.size
        return frames, failed

    def _rescued(self, packet: Any) -> list[Any]:
        try:
            return [] if packet is None else list(self._media.stream.codec_context.decode(packet))
        except (av.error.FFmpegError, OSError):
            return []

    def _note(self, packet: Any, *, junk: bool) -> None:
        known = packet.duration is not None and packet.time_base is not None
        self._damage.fail(self._read_s, float(packet.duration * packet.time_base) if known else 0.0, junk=junk)
