"""FFmpeg's libraries as a source of samples, with what the file claimed and what broke on the way.

The container is chosen by content, and only containers of the format table are opened, so that a playlist in disguise cannot make us
read another file or a network address. Kept at any time: what is handed out at once, and the first 100 places where decoding failed.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import av

from pipeline import pcm
from pipeline.damage import Damage, cut_short
from pipeline.errors import DecodeError
from pipeline.media import Media
from pipeline.readings import Container
from pipeline.records import Floats, StreamInfo

MAX_EMPTY_PACKETS = 200_000
"""Packets in a row that may yield nothing; a file that claims more is made to keep decoders busy."""


class Decoder:
    """An opened audio stream: `info` at once, `samples` once, and `held` when those are used up. Close it.

    Raises DecodeError when no sample can be had.
    """

    def __init__(self, path: str) -> None:
        self._media = Media(path)
        self.damage = Damage(stamped=self._media.kind is None or self._media.kind.stamped)
        self._read_s = 0.0
        self._lead_bytes = self.coded_bytes = self._changes = 0
        self._broken_off = False
        self._frames = self._decoded()
        try:
            self._first = self._first_frame()
            self.info = self._described(self._first)
        except BaseException:
            self._media.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        self._media.close()

    def samples(self, at_once: int) -> Iterator[Floats]:
        """The samples in order, (channels, frames), about so many frames at a time; all at one rate."""
        conformer = pcm.Conformer(self._first, at_once)
        for frame in itertools.chain((self._first,), self._frames):
            try:
                yield from conformer.samples(frame)
            except av.error.FFmpegError:  # a change of parameters to something that cannot be brought back
                self.damage.fail(self._read_s)
        yield from conformer.rest()
        self._changes = conformer.changes

    def held(self, decoded_s: float) -> Container:
        """What the file claimed, and what of it is missing from so many seconds."""
        media = self._media
        cut, lost_s = self._loss(decoded_s)
        return Container(
            extension=media.extension,
            extensions=media.extensions,
            lossy=media.lossy,
            exact=media.claim.exact,
            cut=cut,
            lost_s=lost_s,
            changes=self._changes,
        )

    def _loss(self, decoded_s: float) -> tuple[str | None, float | None]:
        """How the file shows that something is missing, and how much, as far as that can be known."""
        claim, counted_s = self._media.claim, self._media.counted_s
        slack_s = self._media.kind.slack_s if self._media.kind is not None else 0.0
        cut = claim.cut
        if cut is None and counted_s is not None and counted_s - decoded_s > slack_s:
            cut = cut_short(counted_s, decoded_s)
        if cut is None and not self.damage.count:
            return None, None
        if counted_s is not None:
            return cut, max(counted_s - decoded_s, claim.lost_s or 0.0, 0.0)
        if claim.cut is not None:
            return cut, claim.lost_s
        return cut, max(self.damage.lost_s, self._skipped_s()) or None

    def _skipped_s(self) -> float:
        """About how long would have lasted what was passed over in a bare stream or left unread, at the rate of the rest."""
        if not self.coded_bytes or not (self._media.bare or self._broken_off):
            return 0.0
        skipped = self._media.bytes - self._lead_bytes - self.coded_bytes
        return max(skipped, 0) / self.coded_bytes * self._read_s

    def _described(self, frame: Any) -> StreamInfo:
        media = self._media
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not pcm.RATES_HZ[0] <= rate <= pcm.RATES_HZ[1] or not 1 <= channels <= pcm.MAX_CHANNELS:
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
        if self.damage.count:
            raise DecodeError(
                "unreadable", self._media.claim.cut or "none of its packets decodes; it is damaged or encrypted"
            )
        raise DecodeError("no_audio", "it has an audio stream without a single sample")

    def _decoded(self) -> Iterator[Any]:
        """Frames as long as any come; a packet that does not decode is noted and passed over."""
        empty = 0
        for packet in self._packets():
            frames, failed = self._decoded_packet(packet)
            empty = 0 if frames else empty + 1
            for frame in frames:
                self.damage.passed(frame, self._read_s)
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
                self.damage.part()
                packets = self._media.packets()
                continue
            if packet.pos is not None:
                at_byte = packet.pos
            yield packet

    def _break_off(self) -> None:
        self.damage.fail(self._read_s)
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
            if self.coded_bytes == 0:
                self._media.learn(packet)
                self._lead_bytes = packet.pos or 0
            self.coded_bytes += read.size
        return frames, failed

    def _rescued(self, packet: Any) -> list[Any]:
        try:
            return [] if packet is None else list(self._media.stream.codec_context.decode(packet))
        except (av.error.FFmpegError, OSError):
            return []

    def _note(self, packet: Any, *, junk: bool) -> None:
        known = packet.duration is not None and packet.time_base is not None
        self.damage.fail(self._read_s, float(packet.duration * packet.time_base) if known else 0.0, junk=junk)
