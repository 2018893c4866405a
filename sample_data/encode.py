"""Signals into the bytes of audio files, the same bytes every time: no dates, no random serial numbers."""

import io
import struct
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import soundfile
from sound import RATE_HZ, Samples, decibels, resample

_OGG_SERIAL = 1
_BITEXACT = {"fflags": "+bitexact"}


@dataclass(frozen=True)
class Encoding:
    """A way to write a file: FFmpeg's names of container and codec, the rates, and how much quieter the codec makes it.

    That loss is made up for before encoding.
    """

    container: str
    codec: str
    rate_hz: int = 48000
    kbit_s: float | None = None
    loss_db: float = 0.0
    options: dict[str, str] = field(default_factory=dict)


FLAC = Encoding("flac", "flac", 24000)
WAV = Encoding("wav", "pcm_s16le", 24000)
MP3 = Encoding("mp3", "libmp3lame", 44100, 64, 0.4)
MP3_STEREO = Encoding("mp3", "libmp3lame", 44100, 112, 0.4)
OPUS = Encoding("opus", "libopus", 48000, 24, 0.3)
WEBM = Encoding("webm", "libopus", 48000, 28, 0.3)
VORBIS = Encoding("ogg", "vorbis", 44100)


def encode(samples: Samples, encoding: Encoding, rate_hz: int = RATE_HZ) -> bytes:
    """A whole file of a mono (frames,) or stereo (frames, 2) signal that was sampled at rate_hz."""
    samples = resample(samples * decibels(encoding.loss_db), rate_hz, encoding.rate_hz)
    if encoding.codec == "vorbis":
        return _vorbis(samples, encoding.rate_hz)
    file = io.BytesIO()
    layout = "mono" if samples.ndim == 1 else "stereo"
    with av.open(file, "w", format=encoding.container, options=_BITEXACT | encoding.options) as container:
        stream = container.add_stream(encoding.codec, rate=encoding.rate_hz, layout=layout)
        assert isinstance(stream, av.AudioStream)
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        if encoding.kbit_s is not None:
            stream.bit_rate = round(encoding.kbit_s * 1000)
        planes = np.ascontiguousarray(samples.reshape(len(samples), -1).T, dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = encoding.rate_hz, 0, Fraction(1, encoding.rate_hz)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _vorbis(samples: Samples, rate_hz: int) -> bytes:
    """Ogg Vorbis by libsndfile, since FFmpeg's own encoder is crude; in pieces, since long ones overflow its stack."""
    file = io.BytesIO()
    channels = samples.reshape(len(samples), -1).shape[1]
    with soundfile.SoundFile(file, "w", rate_hz, channels, "VORBIS", format="OGG", compression_level=0.6) as ogg:
        for start in range(0, len(samples), rate_hz):
            ogg.write(samples[start : start + rate_hz])
    return _with_serial(file.getvalue())


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        crc = value << 24
        for _ in range(8):
            crc = (crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)
        table.append(crc & 0xFFFFFFFF)
    return table


def _with_serial(ogg: bytes) -> bytes:
    """Gives every page of a one-stream Ogg file (RFC 3533, section 6) a fixed serial number; libsndfile draws one."""
    data, table, start = bytearray(ogg), _crc_table(), 0
    while start < len(data):
        segments = data[start + 26]
        end = start + 27 + segments + sum(data[start + 27 : start + 27 + segments])
        struct.pack_into("<I", data, start + 14, _OGG_SERIAL)
        struct.pack_into("<I", data, start + 22, 0)
        crc = 0
        for byte in data[start:end]:
            crc = ((crc << 8) & 0xFFFFFFFF) ^ table[(crc >> 24) ^ byte]
        struct.pack_into("<I", data, start + 22, crc)
        start = end
    return bytes(data)


def decoded_s(data: bytes) -> float:
    """How many seconds of a file, damaged ones too, FFmpeg decodes before it meets the end or gives up."""
    seconds = 0.0
    with av.open(io.BytesIO(data), "r") as container:
        try:
            for frame in container.decode(audio=0):
                seconds += frame.samples / frame.sample_rate
        except av.error.FFmpegError:
            return seconds
    return seconds
