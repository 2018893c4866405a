"""Decode a file once, as a stream of blocks, and tell what the file claimed, what came out and what broke.

FFmpeg's libraries do the decoding, inside this process (PyAV). The container is chosen by content, and only containers
of the format table are opened, so that a playlist in disguise cannot make us read another file or a network address.
Kept at any time: one block (about a second, at most 2 million samples) and the first 100 places where decoding failed.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import av
import numpy as np

from pipeline import formats
from pipeline.errors import DecodeError
from pipeline.readings import Container
from pipeline.records import Block, Claim, Floats, Span, StreamInfo

BLOCK_S = 1.0
MAX_BLOCK_SAMPLES = 1 << 21
MAX_CHANNELS = 64
RATES_HZ = (1_000, 768_000)
MAX_ERROR_SPANS = 100
MAX_EMPTY_PACKETS = 200_000
"""Packets in a row that may yield nothing; a file that claims more is made to keep decoders busy."""

GAP_S = 0.03
"""A jump of the time stamps that is no rounding: the finest containers count in milliseconds, a frame lasts 20 and more."""

MAX_SAMPLE = 1_000.0
"""Float files may exceed full scale, but 60 dB over it is damage, and squares of more would overflow."""


class Stream:
    """An opened audio stream: `info` at once, `blocks` once, and `container` when those are used up.

    Raises DecodeError when no sample can be had. Use it as a context manager.
    """

    def __init__(self, path: str, block_s: float = BLOCK_S) -> None:
        self._extension = Path(path).suffix.lower()
        self._block_s = block_s
        self._claim, self._kind, self._bytes = _inspected(path)
        self._file = _opened(path, self._kind)
        try:
            self._stream = _audio_stream(self._file, self._claim)
            self._frames = self._decoded()
            self._errors: list[Span] = []
            self._error_count = self._changes = self._done = 0
            self._gaps_s = 0.0
            self._expected_s: float | None = None
            self._resampler: Any = None
            self._pcm = hashlib.blake2b(digest_size=16)
            self._first = self._first_frame()
            self.info = self._described(self._first)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self) -> Iterator[Block]:
        """The samples in order, in blocks of equal length but for the last one."""
        rate, channels = self.info.sample_rate, self.info.channels
        frames = max(1, min(round(self._block_s * rate), MAX_BLOCK_SAMPLES // channels))
        buffer, filled, start = np.empty((frames, channels), np.float32), 0, 0
        for frame in self._all_frames():
            samples = self._samples(frame)
            taken = 0
            while taken < len(samples):
                step = min(frames - filled, len(samples) - taken)
                buffer[filled : filled + step] = samples[taken : taken + step]
                filled, taken = filled + step, taken + step
                if filled == frames:
                    yield self._block(buffer, start)
                    buffer, filled, start = np.empty_like(buffer), 0, start + frames
        if filled:
            yield self._block(buffer[:filled], start)

    def container(self) -> Container:
        """What the file is, what it claimed and what came out, after the last block."""
        info, claim = self.info, self._claim
        decoded_s = self._done / info.sample_rate
        self._forgive_junk(decoded_s)
        cut, lost_s = self._loss(decoded_s)
        return Container(
            format=info.format,
            extension=self._extension,
            extensions=() if self._kind is None else formats.fitting(self._kind, info.codec),
            codec=info.codec,
            sample_rate=info.sample_rate,
            channels=info.channels,
            bits=info.bits,
            lossy=not self._stream.codec_context.codec.lossless,
            declared_s=info.declared_s,
            exact=claim.exact,
            decoded_s=decoded_s,
            frames=self._done,
            kbps=self._bytes * 8 / 1000 / decoded_s if decoded_s else None,
            cut=cut,
            lost_s=lost_s,
            errors=self._error_count,
            error_spans=tuple(self._errors),
            changes=self._changes,
            pcm=self._pcm.hexdigest(),
        )

    def _forgive_junk(self, decoded_s: float) -> None:
        """Tags or junk behind a whole last frame make the decoder stumble at its end; nothing is lost by that."""
        if self._kind is None or self._claim.cut is not None or self._error_count != 1 or not self._errors:
            return
        if decoded_s - self._errors[0].start_s <= self._kind.slack_s:
            self._errors, self._error_count = [], 0

    def _block(self, samples: Floats, start: int) -> Block:
        self._pcm.update(np.ascontiguousarray(samples).data)
        samples.flags.writeable = False
        return Block(samples, start, self.info.sample_rate)

    def _loss(self, decoded_s: float) -> tuple[str | None, float | None]:
        """How the file shows that something is missing, and how much, as far as that can be known."""
        claim, slack_s = self._claim, self._kind.slack_s if self._kind is not None else 0.0
        only_audio = len(self._file.streams) == 1
        short_s = (self.info.declared_s or 0.0) - decoded_s if claim.exact and only_audio else None
        lost_s = claim.lost_s
        if short_s is not None and (short_s > slack_s or claim.cut is not None or self._error_count):
            lost_s = max(short_s, 0.0)
        elif lost_s is None and self._gaps_s > 0 and claim.cut is None:
            lost_s = self._gaps_s
        if claim.cut is not None:
            return claim.cut, lost_s
        if short_s is not None and short_s > slack_s:
            return (
                f"it should last {self.info.declared_s:.3f} s by its own count and decodes to {decoded_s:.3f} s",
                lost_s,
            )
        return None, lost_s

    def _described(self, frame: Any) -> StreamInfo:
        context = self._stream.codec_context
        codec = context.codec.canonical_name
        video = any(s.type == "video" and not _is_picture(s) for s in self._file.streams)
        if self._kind is None:
            name = self._file.format.name
        elif video and self._kind.with_video is not None:
            name = self._kind.with_video
        else:
            name = formats.named(self._kind, codec, self._extension)
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not RATES_HZ[0] <= rate <= RATES_HZ[1] or not 1 <= channels <= MAX_CHANNELS:
            raise DecodeError(
                "unreadable", f"its header claims {channels} channels at {rate} Hz, which no recording has"
            )
        bits = self._claim.bits if self._claim.bits is not None else _bits(codec)
        return StreamInfo(name, codec, rate, channels, bits, self._declared_s(), _positions(frame.layout))

    def _declared_s(self) -> float | None:
        if self._claim.declared_s is not None:
            return self._claim.declared_s
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        duration = self._file.duration
        return duration / av.time_base if duration is not None and duration > 0 else None

    def _first_frame(self) -> Any:
        for frame in self._frames:
            return frame
        if self._error_count:
            raise DecodeError(
                "unreadable", self._claim.cut or "none of its packets decodes; it is damaged or encrypted"
            )
        raise DecodeError("no_audio", "it has an audio stream without a single sample")

    def _all_frames(self) -> Iterator[Any]:
        yield self._first
        yield from self._frames

    def _decoded(self) -> Iterator[Any]:
        """Frames as long as any come; a packet that does not decode is noted and passed over."""
        packets, empty = self._file.demux(self._stream), 0
        while empty < MAX_EMPTY_PACKETS:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except (av.error.FFmpegError, OSError):
                self._note_error()
                return
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, OSError):
                self._note_error()
                frames = []
            empty = 0 if frames else empty + 1
            for frame in frames:
                self._note_gap(frame)
                yield frame
        self._note_error()

    def _note_error(self) -> None:
        self._error_count += 1
        at_s = self._done / self._stream.codec_context.sample_rate if self._stream.codec_context.sample_rate else 0.0
        if len(self._errors) < MAX_ERROR_SPANS:
            self._errors.append(Span(at_s, at_s))

    def _note_gap(self, frame: Any) -> None:
        """Notice what a damaged container leaves out: time stamps that jump ahead of the samples."""
        if frame.pts is None or frame.time_base is None or not frame.sample_rate:
            return
        at_s = frame.pts * frame.time_base.numerator / frame.time_base.denominator
        jump_s = at_s - self._expected_s if self._expected_s is not None else 0.0
        if jump_s > GAP_S:
            self._gaps_s += jump_s
            self._note_error()
        self._expected_s = at_s + frame.samples / frame.sample_rate

    def _samples(self, frame: Any) -> Floats:
        """A frame as float32 (frames, channels), brought to the stream's first rate and channels if it has others."""
        parts = [frame]
        if self._resampler is not None or (frame.sample_rate, frame.layout.nb_channels) != (
            self.info.sample_rate,
            self.info.channels,
        ):
            parts = self._conformed(frame)
        arrays = [_array(part) for part in parts]
        samples = (
            arrays[0] if len(arrays) == 1 else np.concatenate([*arrays, np.empty((0, self.info.channels), np.float32)])
        )
        worst = float(np.abs(samples).max(initial=0.0))
        if not worst <= MAX_SAMPLE:  # also true when it is not a number
            self._note_error()
            samples = np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -MAX_SAMPLE, MAX_SAMPLE)
        self._done += len(samples)
        return samples

    def _conformed(self, frame: Any) -> list[Any]:
        source = (frame.sample_rate, frame.layout.name, frame.format.name)
        if self._resampler is None or self._resampler[0] != source:
            self._changes += 1
            tail = [] if self._resampler is None else self._resampler[1].resample(None)
            resampler = av.AudioResampler("fltp", self._first.layout, self.info.sample_rate)
            self._resampler = (source, resampler)
        else:
            tail = []
        frame.pts = None
        return [*tail, *self._resampler[1].resample(frame)]


def _inspected(path: str) -> tuple[Claim, formats.Container | None, int]:
    """What the file claims and what wraps it, from its content; the size in bytes."""
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            kind = formats.sniff(file) if size else None
            claim = kind.claim(file, size) if kind is not None and kind.claim is not None else Claim()
    except OSError as error:
        raise DecodeError("unreadable", f"it cannot be opened ({error.strerror})") from error
    if size == 0:
        raise DecodeError("no_audio", "the file is empty")
    if claim.locked is not None:
        raise DecodeError("unreadable", f"it is encrypted ({claim.locked}); only the shop that sold it can unlock it")
    return claim, kind, size


def _opened(path: str, kind: formats.Container | None) -> Any:
    """An FFmpeg input with the demuxer of `kind`, or with whichever of the table fits content of unknown kind."""
    options = {"protocol_whitelist": "file"}
    if kind is None:
        options["format_whitelist"] = ",".join(formats.demuxers())
    try:
        return av.open(
            f"file:{Path(path).absolute()}",
            format=None if kind is None else kind.demuxer,
            options=options,
            metadata_errors="ignore",
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        why = "its content is no audio that we know" if kind is None else f"its {kind.name} structure is damaged"
        raise DecodeError("unreadable", _cause(path, kind) or why) from error


def _cause(path: str, kind: formats.Container | None) -> str | None:
    """A better reason than FFmpeg's, where the structure shows one."""
    if kind is None or kind.claim is None:
        return None
    with Path(path).open("rb") as file:
        return kind.claim(file, Path(path).stat().st_size).cut


def _audio_stream(file: Any, claim: Claim) -> Any:
    stream = file.streams.best("audio")
    if stream is None:
        kinds = sorted({s.type for s in file.streams})
        held = f"only {' and '.join(kinds)}" if kinds else "no stream at all"
        raise DecodeError("no_audio", claim.cut or f"it holds {held}")
    if stream.codec_context is None:
        raise DecodeError("unreadable", "its codec is one that FFmpeg does not know")
    stream.codec_context.thread_count = 1
    return stream


def _is_picture(stream: Any) -> bool:
    """Whether a video stream is a cover picture."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _positions(layout: Any) -> tuple[str, ...]:
    """The channels' names; where a file gives only their number, the ones that FFmpeg takes for that number."""
    names = tuple(channel.name for channel in layout.channels)
    if all(names) and not any(name.startswith(("USR", "NONE", "UNK")) for name in names):
        return names
    guess = DEFAULT_LAYOUTS.get(layout.nb_channels)
    return tuple(c.name for c in av.AudioLayout(guess).channels) if guess else ("FC",) * layout.nb_channels


DEFAULT_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


def _bits(codec: str) -> int | None:
    found = re.match(r"pcm_[sfu](\d+)", codec)
    return int(found.group(1)) if found else None


def _array(frame: Any) -> Floats:
    """A frame's samples as float32 (frames, channels), full scale 1.0."""
    array = frame.to_ndarray()
    array = array.T if frame.format.is_planar else array.reshape(-1, frame.layout.nb_channels)
    if array.dtype.kind == "f":
        return np.ascontiguousarray(array, np.float32)
    samples: Floats = array.astype(np.float32)
    if array.dtype == np.uint8:
        return (samples - 128) / np.float32(128)
    return samples / np.float32(-float(np.iinfo(array.dtype).min))
