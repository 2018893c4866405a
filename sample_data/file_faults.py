"""Flaws of the file: what is wrong is the container, the codec or the bytes. Every maker takes the clip's name."""

import functools
import io
import random
import struct
from dataclasses import replace

import av
import numpy as np
from encode import FLAC, MP3, VORBIS, WAV, Encoding, decoded_s, encode
from sound import Samples
from specimen import Specimen, clean

_M4A = Encoding("ipod", "aac", 44100, 64)
_CUT = 0.6


def random_bytes(name: str) -> Specimen:
    """Bytes without the 0xFF that an MP3 frame would begin with."""
    return Specimen(bytes(random.Random(name).choices(range(255), k=20000)))


def m4a_without_moov(name: str) -> Specimen:
    """An M4A as a recorder leaves it that lost power: with the audio, without the index (ISO/IEC 14496-12, `moov`)."""
    data, kept, start = encode(clean(name, 8), _M4A), b"", 0
    while start < len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        kept += data[start : start + size] if kind != b"moov" else b""
        start += size
    return Specimen(kept)


def empty_wav(name: str) -> Specimen:
    """A WAV with a header and zero samples."""
    del name
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 44100, 88200, 2, 16) + struct.pack("<4sI", b"data", 0)
    return Specimen(struct.pack("<4sI4s", b"RIFF", 4 + len(header), b"WAVE") + header)


def video_only(name: str) -> Specimen:
    """Two seconds of a grey picture and no sound."""
    del name
    file = io.BytesIO()
    with av.open(file, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libvpx", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for index in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 128, dtype=np.uint8), format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Specimen(file.getvalue())


def aiff(name: str) -> Specimen:
    """Sound in a container that the provider does not take."""
    return Specimen(encode(clean(name, 4.5), Encoding("aiff", "pcm_s16be", 24000)))


def m4a(name: str) -> Specimen:
    """A sound file in a format that only one of the provider's two lists names."""
    return Specimen(encode(clean(name, 10), _M4A))


def mp3(name: str) -> Specimen:
    """An ordinary MP3; the flaw is the name it gets."""
    return Specimen(encode(clean(name, 10), MP3))


def _cut(samples: Samples, encoding: Encoding) -> Specimen:
    """The first part of a file's bytes; the fault is where decoding ends, an instant."""
    whole = encode(samples, encoding)
    data = whole[: int(len(whole) * _CUT)]
    end_s = decoded_s(data)
    return Specimen(data, ((end_s, end_s),))


def cut_flac(name: str) -> Specimen:
    """A FLAC whose header promises more than there is."""
    return _cut(clean(name, 10), FLAC)


def cut_mp3(name: str) -> Specimen:
    """An MP3 whose Xing header promises more than there is."""
    return _cut(clean(name, 12), MP3)


def cut_ogg(name: str) -> Specimen:
    """An Ogg Vorbis file without the page that is marked as its last."""
    return _cut(clean(name, 12), VORBIS)


def mp3_of_two_bit_rates(name: str) -> Specimen:
    """An MP3 without a Xing header: whoever goes by its first frames' bit rate takes it for shorter than it is."""
    bare = {"write_xing": "0", "id3v2_version": "0"}
    first = encode(clean(f"{name} first", 6), replace(MP3, kbit_s=128, options=bare))
    return Specimen(first + encode(clean(f"{name} second", 9), replace(MP3, options=bare)))


def flac_22050(name: str) -> Specimen:
    """A sampling rate that is accepted and not wanted."""
    return Specimen(encode(clean(name, 7), replace(FLAC, rate_hz=22050)))


def flac_11025(name: str) -> Specimen:
    """A sampling rate that is too low for any use."""
    return Specimen(encode(clean(name, 9), replace(FLAC, rate_hz=11025)))


def mp3_32k(name: str) -> Specimen:
    """An MP3 at half the bit rate that one voice needs."""
    return Specimen(encode(clean(name, 12), replace(MP3, kbit_s=32, loss_db=0.5)))


@functools.cache
def _take() -> Samples:
    return clean("the take that is there three times", 4)


def take_flac(name: str) -> Specimen:
    """The take as FLAC, the same bytes under every name."""
    del name
    return Specimen(encode(_take(), FLAC))


def take_wav(name: str) -> Specimen:
    """The same samples as in the FLAC, as WAV."""
    del name
    return Specimen(encode(_take(), WAV))
