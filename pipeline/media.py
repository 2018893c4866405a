"""A file opened for reading: what its content claims and wraps, FFmpeg's view of it, and the audio stream in it.

Opened is only what the format table knows, as what its content is: FFmpeg's own guess would follow a playlist in disguise
to other files and to the network.
"""

import errno
import stat
from pathlib import Path
from typing import Any

import av

from pipeline import formats
from pipeline.errors import DecodeError
from pipeline.records import Claim

MAX_PARTS = 1_000
"""Chained streams that are opened one by one; a radio recorded for a day has fewer."""

PASSING = frozenset((errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT))
"""Errors of the machine that no content can cause; the next try may go well, so they say nothing of the file."""


class Media:
    """An open file: `kind` wraps it, `claim` is what its structure says, `stream` its best audio stream.

    Raises DecodeError when it is no regular file, encrypted, or without an audio stream that FFmpeg can make out, OSError when the
    machine has no room left to open it. Close it.
    """

    def __init__(self, path: str) -> None:
        self.extension = Path(path).suffix.lower()
        self._parts = 0
        self._path = path
        self._sync: bytes | None = None
        self.claim, kind, self.bytes = _inspected(path)
        self._file = _opened(path, kind, self.claim)
        try:
            self.kind = kind if kind is not None else formats.opened_by(self._file.format.name)
            self.stream = _audio_stream(self._file, self.claim)
        except BaseException:
            self.close()
            raise
        context = self._prepared()
        self.codec: str = context.codec.canonical_name
        self.lossy: bool = not context.codec.lossless

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def packets(self) -> Any:
        """FFmpeg's iterator over the packets of the audio stream; the last one is empty and drains the decoder."""
        return self._file.demux(self.stream)

    def open_next_part(self, after: int) -> bool:
        """Go on with the stream that is chained behind byte `after`, if there is one that can be opened."""
        if self.kind is None or self.kind.next_part is None or self._parts >= MAX_PARTS:
            return False
        with Path(self._path).open("rb") as file:
            start = self.kind.next_part(file, after)
        if start is None:
            return False
        try:
            file = _opened(self._path, self.kind, self.claim, start)
        except DecodeError:
            return False
        self.close()
        self._file, self._parts = file, self._parts + 1
        try:
            self.stream = _audio_stream(file, self.claim)
        except DecodeError:
            return False
        self._prepared()
        return True

    def goes_on(self, after: int) -> bool:
        """Whether anything of the recording follows byte `after`, where its container can tell."""
        if self.kind is None or self.kind.goes_on is None:
            return True
        with Path(self._path).open("rb") as file:
            return self.kind.goes_on(file, after)

    @property
    def bare(self) -> bool:
        """Whether it is nothing but frames."""
        return self.kind is not None and self.kind.frame_mask is not None

    def learn(self, packet: Any) -> None:
        """Remember how the frames of a bare stream begin."""
        self._sync = self._masked(packet)

    def is_junk(self, packet: Any) -> bool:
        """Whether a packet of a bare stream does not begin as its frames do."""
        return self.bare and self._sync is not None and self._masked(packet) != self._sync

    def _masked(self, packet: Any) -> bytes:
        mask = self.kind.frame_mask if self.kind is not None and self.kind.frame_mask is not None else b""
        return bytes(a & b for a, b in zip(bytes(memoryview(packet)[: len(mask)]), mask, strict=False))

    def trimmed(self, packet: Any) -> Any:
        """The frame at the start of a packet of a bare stream without what FFmpeg left hanging behind it, if anything."""
        view = memoryview(packet)
        frame_bytes = self.kind.frame_bytes if self.kind is not None else None
        length = frame_bytes(bytes(view[:8])) if frame_bytes is not None else None
        if length is None or length >= len(view):
            return None
        frame = av.Packet(bytes(view[:length]))
        frame.pts, frame.dts, frame.time_base = packet.pts, packet.dts, packet.time_base
        return frame

    def is_tag(self, packet: Any) -> bool:
        """Whether a packet of a bare stream is a tag, as stands between files that were joined byte by byte."""
        return self.bare and bytes(memoryview(packet)[:8]).startswith(formats.TAGS)

    def _prepared(self) -> Any:
        context = self.stream.codec_context
        context.thread_count = 1
        if self.kind is not None and self.kind.checksums:
            # FFmpeg conceals a frame whose checksum fails; where every frame has one, let it say so instead
            context.options = {"err_detect": "crccheck+explode"}
        return context

    @property
    def format(self) -> str:
        """What people call this: a name of the format table, or else what the wrapping is called."""
        if self.kind is None:
            return str(self._file.format.name)
        if moving := self._moving():
            return moving[0].lstrip(".")
        return formats.named(self.kind, self.codec, self.extension)

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that fit the content."""
        return () if self.kind is None else self._moving() or formats.fitting(self.kind, self.codec)

    def _moving(self) -> tuple[str, ...]:
        """The extensions for moving pictures, where there are some and that makes it another format."""
        if self.kind is None or not any(_is_moving(stream) for stream in self._file.streams):
            return ()
        return self.kind.with_video

    @property
    def declared_s(self) -> float | None:
        """The length by the structure's own count, else the stream's, else the container's; `None`: none is declared."""
        if self.claim.declared_s is not None:
            return self.claim.declared_s
        if self.stream.duration is not None and self.stream.time_base is not None:
            return float(self.stream.duration * self.stream.time_base)
        duration = self._file.duration
        return duration / av.time_base if duration is not None and duration > 0 else None

    @property
    def counted_s(self) -> float | None:
        """The declared length where it is an exact one and that of the audio, not of a film or another track beside it."""
        others = [s for s in self._file.streams if s.index != self.stream.index]
        alone = not any(_is_moving(stream) or stream.type == "audio" for stream in others)
        own = self.claim.declared_s is None and self.stream.duration is not None
        return self.declared_s if self.claim.exact and (alone or own) else None


def _inspected(path: str) -> tuple[Claim, formats.Container | None, int]:
    """What the file claims and what wraps it, from its content; the size in bytes."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise DecodeError("unreadable", "it is no file, but a folder, a pipe or a device")
        if status.st_size == 0:
            raise DecodeError("no_audio", "the file is empty")
        with Path(path).open("rb") as file:
            kind = formats.sniff(file)
            claim = kind.claim(file, status.st_size) if kind is not None and kind.claim is not None else Claim()
    except (OSError, ValueError) as error:
        _refuse_passing(error)
        raise DecodeError("unreadable", f"it cannot be opened ({getattr(error, 'strerror', error)})") from error
    if claim.locked is not None:
        raise DecodeError("unreadable", f"it is encrypted ({claim.locked}); only the shop that sold it can unlock it")
    return claim, kind, status.st_size


def _opened(path: str, kind: formats.Container | None, claim: Claim, start: int = 0) -> Any:
    """An FFmpeg input from byte `start` on, with the demuxer of `kind` or whichever of the table fits unknown content."""
    try:
        options = {"protocol_whitelist": "file", "skip_initial_bytes": str(start)}
        if kind is not None and kind.options is not None:
            with Path(path).open("rb") as file:
                options |= kind.options(file)
        if kind is None:
            options["format_whitelist"] = ",".join(formats.demuxers())
        return av.open(
            f"file:{Path(path).absolute()}",
            format=None if kind is None else kind.demuxer,
            options=options,
            metadata_errors="ignore",
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        _refuse_passing(error)
        why = "its content is no audio that we know" if kind is None else f"its {kind.name} structure is damaged"
        raise DecodeError("unreadable", claim.cut or why) from error


def _refuse_passing(error: Exception) -> None:
    if isinstance(error, OSError) and error.errno in PASSING:
        raise error


def _audio_stream(file: Any, claim: Claim) -> Any:
    stream = file.streams.best("audio")
    if stream is None and file.streams.audio:
        raise DecodeError("unreadable", claim.cut or "it has an audio stream, but no frame of it can be made out")
    if stream is None:
        kinds = sorted({s.type for s in file.streams})
        held = f"only {' and '.join(kinds)}" if kinds else "no stream at all"
        raise DecodeError("no_audio", claim.cut or f"it holds {held}")
    if stream.codec_context is None:
        raise DecodeError("unreadable", "its codec is one that FFmpeg does not know")
    return stream


def _is_moving(stream: Any) -> bool:
    """Whether it is a film, and no cover picture."""
    return stream.type == "video" and not stream.disposition & type(stream.disposition).attached_pic
