"""Samples that are read as they lie in a file are those that FFmpeg decodes, told of in the same words; all others are left to it."""

import os
import struct

import numpy as np
import pytest

from pipeline import plain_wave
from pipeline.containers import riff
from pipeline.decoder import Decoder
from pipeline.errors import DecodeError
from pipeline.stages import decode


def wave(samples, rate=24_000, *, before=b"", behind=b"", promised=None, riff_id=b"RIFF", **fmt):
    """A WAVE file of int16 (frames, channels), with chunks before and behind `data`."""
    held, channels = samples.astype("<i2").tobytes(), samples.shape[1]
    fmt = described(rate, **{"channels": channels, **fmt})
    body = fmt + before + struct.pack("<4sI", b"data", len(held) if promised is None else promised) + held + behind
    return struct.pack("<4sI4s", riff_id, len(body) + 4, b"WAVE") + body


def described(rate, channels, *, tag=1, align=None, bits=16, more=b"", length=None):
    """A format chunk, as it is for int16 where nothing else is said."""
    align = 2 * channels if align is None else align
    length = 16 + len(more) if length is None else length
    return struct.pack("<4sIHHIIHH", b"fmt ", length, tag, channels, rate, rate * align, align, bits) + more


def noise(frames, channels=1, seed=1):
    return np.random.default_rng(seed).integers(-20_000, 20_000, (frames, channels))


def chunk(name, content):
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)


def as_dts(frames):
    """Samples with DTS's sync word every 512, as its frames have it, and noise between."""
    held = noise(frames, seed=2).astype("<i2")
    held[::512, 0], held[1::512, 0] = 0x7FFE, -0x7FFF
    return held


PLAIN = {
    "one channel": wave(noise(50_000)),
    "two channels": wave(noise(50_000, 2), 44_100),
    "many blocks": wave(noise(100_003, 2), 8_000),
    "one sample": wave(noise(1)),
    "a comment before": wave(noise(9_001), before=chunk(b"LIST", b"INFOICMTabc\0") + chunk(b"JUNK", bytes(99))),
    "full scale": wave(np.array([[-32_768], [32_767], [0]] * 1_000)),
    "silence": wave(np.zeros((24_000, 1))),
    "silence before": wave(np.concatenate((np.zeros((24_000, 1)), 1 + abs(noise(9_000))))),
    "an empty chunk before": wave(noise(9_001), before=chunk(b"JUNK", b"")),
    "a longer format": wave(noise(9_001), more=bytes(2)),
    "a format of any length": wave(noise(9_001), more=bytes(84)),
    "DTS further on than FFmpeg looks": wave(np.concatenate((noise(10_000), as_dts(20_000)))),
}

ODD = {
    "a comment behind": wave(noise(9_000), behind=chunk(b"LIST", b"INFOICMTabcd")),
    "more samples behind": wave(noise(9_000), behind=chunk(b"data", noise(5_000).astype("<i2").tobytes())),
    "an odd byte behind": wave(noise(9_000), behind=b"\0"),
    "cut": wave(noise(9_000))[:-1_001],
    "a promise of nothing": wave(noise(9_000), promised=0),
    "a promise of no length": wave(noise(9_000), promised=0xFFFF_FFFF),
    "half a frame": wave(noise(9_001), channels=2),
    "frames of another size": wave(noise(9_000), align=4),
    "eight bits": wave(noise(9_000), align=1, bits=8),
    "24 bits": wave(noise(9_000), align=3, bits=24),
    "a short format": wave(noise(9_000), length=14),
    "extensible": wave(noise(9_000), tag=0xFFFE, more=bytes(24)),
    "RIFX": wave(noise(9_000), riff_id=b"RIFX"),
    "a rate that no recording has": wave(noise(9_000), rate=999),
    "a list of nothing": wave(noise(9_000), before=chunk(b"LIST", b"")),
    "what FFmpeg refuses": wave(noise(9_000), before=chunk(b"SMV0", bytes(8))),
    "no samples": wave(noise(0)),
    "nothing but silence for long": wave(np.zeros((40_000, 1))),
    "three channels": wave(noise(9_000, 3)),
    "A-law": wave(noise(9_000), tag=6),
    "RF64": wave(noise(9_000), riff_id=b"RF64"),
    "no rate": wave(noise(9_000), rate=0),
    "two formats": wave(noise(9_000), before=wave(noise(1))[12:36]),
    "no data": wave(noise(9_000))[:36],
    "nothing": b"",
    "a word": b"RIFF",
}


def refused(_path):
    raise AssertionError("FFmpeg is not asked")


def read(path):
    """What is known of a file before its samples, these, and the reading after them."""
    with decode.Stream(str(path), 0.7) as stream:
        blocks = [block.samples for block in stream.blocks()]
        return stream.info, np.concatenate(blocks), stream.container()


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("extension", [".wav", ".WAV", ".mp3", ""])
def test_a_plain_file_reads_as_ffmpeg_decodes_it_without_ffmpeg(tmp_path, monkeypatch, name, extension):
    path = tmp_path / f"a{extension}"
    path.write_bytes(PLAIN[name])
    with monkeypatch.context() as without:
        without.setattr(decode, "Decoder", refused)
        ours = read(path)
    monkeypatch.setattr(plain_wave, "opened", lambda _path: None)
    theirs = read(path)
    assert ours[0] == theirs[0]
    assert np.array_equal(ours[1], theirs[1])
    assert ours[1].dtype == theirs[1].dtype
    assert ours[2] == theirs[2]


@pytest.mark.parametrize("name", ODD)
def test_whatever_is_odd_about_a_file_is_left_to_ffmpeg(tmp_path, name):
    path = tmp_path / "a.wav"
    path.write_bytes(ODD[name])
    assert plain_wave.opened(str(path)) is None


@pytest.mark.parametrize("zeros", [0, 7, 200])
@pytest.mark.parametrize("start", ["0b77", "770b", "56e0", "56e2", "494433", "fffb", "ffe2", "7ffe8001", "72f81f4e"])
def test_what_begins_as_another_codec_is_left_to_ffmpeg(tmp_path, start, zeros):
    held = np.frombuffer(bytes.fromhex(start).ljust(40_000, b"\1"), "<i2")[:, None]
    path = tmp_path / "a.wav"
    path.write_bytes(wave(np.concatenate((np.zeros((zeros, 1)), held))))
    assert plain_wave.opened(str(path)) is None


@pytest.mark.parametrize(("frames", "left"), [(2_000_000, False), (9_000_000, True)])
def test_dts_is_looked_for_as_far_as_ffmpeg_takes_at_once_of_a_file_of_that_size(tmp_path, frames, left):
    path = tmp_path / "a.wav"
    path.write_bytes(wave(np.concatenate((noise(15_000), as_dts(10_000), np.zeros((frames, 1))))))
    plain = plain_wave.opened(str(path))
    assert (plain is None) is left
    if plain is not None:
        plain.close()


@pytest.mark.parametrize("lead", [0, 4, 400, 20_000, 32_000])
@pytest.mark.parametrize(
    ("container", "codec"),
    [("ac3", "ac3"), ("spdif", "ac3"), ("adts", "aac"), ("latm", "aac"), ("mp3", "mp3"), ("mp2", "mp2")],
)
def test_a_codec_that_ffmpeg_finds_in_disguise_is_still_found(tmp_path, encode, signal, container, codec, lead):
    """As 16-bit samples at 48 kHz in two channels, behind silence or not, which is how such streams come."""
    coded = encode(container, codec, signal(3.0, 48_000, 2), 48_000, kbps=128)
    coded = bytes(lead) + coded[: len(coded) // 4 * 4]
    path = tmp_path / "a.wav"
    path.write_bytes(wave(np.frombuffer(coded, "<i2").reshape(-1, 2), 48_000))
    decoder = Decoder(str(path))
    found = decoder.info.codec
    decoder.close()
    assert lead or found != "pcm_s16le", "FFmpeg finds them at the start at least"
    with decode.Stream(str(path)) as stream:
        assert stream.info.codec == found


def test_a_file_that_gets_shorter_while_it_is_read_lacks_what_is_gone(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wave(noise(200_000), 16_000))
    with decode.Stream(str(path), 1.0) as stream:
        os.truncate(path, 44 + 2 * 48_000 + 1)
        frames = sum(len(block.samples) for block in stream.blocks())
        reading = stream.container()
    assert frames == 48_000
    assert reading.cut == "it should last 12.500 s by its own count and decodes to 3.000 s"
    assert reading.lost_s == pytest.approx(9.5)


@pytest.mark.parametrize("left", [0, 14, 30, 44])
def test_a_file_that_gets_shorter_while_it_is_opened_is_no_samples(tmp_path, monkeypatch, left):
    path = tmp_path / "a.wav"
    path.write_bytes(wave(noise(9_000)))
    whole = path.stat()
    os.truncate(path, left)
    monkeypatch.setattr(plain_wave.os, "stat", lambda _path: whole)
    plain = plain_wave.opened(str(path))
    if plain is not None:
        with pytest.raises(DecodeError, match="while it was read"):
            list(plain.samples(1_000))
        plain.close()
    assert (plain is None) is (left < 44)


class Failing:
    """A file on a disk that breaks."""

    def __init__(self, file, reads):
        self._file, self._reads = file, reads

    def seek(self, at):
        return self._file.seek(at)

    def read(self, size):
        self._reads -= 1
        if self._reads < 0:
            raise OSError(5, "Input/output error")
        return self._file.read(size)


@pytest.mark.parametrize("reads", [0, 3])
def test_a_disk_that_fails_is_no_damage_of_the_file(tmp_path, reads):
    """Which was read whole a moment before, for its digest."""
    path = tmp_path / "a.wav"
    path.write_bytes(wave(noise(200_000), 16_000))
    with path.open("rb") as file:
        found = riff.plain_samples(file, path.stat().st_size)
        plain = plain_wave.PlainWave(str(path), Failing(file, reads), found)
        with pytest.raises(OSError, match="Input/output"):
            list(plain.samples(16_000))


def test_a_pipe_is_not_opened(tmp_path):
    """For nobody may ever write to it."""
    os.mkfifo(tmp_path / "a.wav")
    assert plain_wave.opened(str(tmp_path / "a.wav")) is None


def test_a_path_that_no_system_has_is_left_to_ffmpeg():
    assert plain_wave.opened("a\0b.wav") is None
