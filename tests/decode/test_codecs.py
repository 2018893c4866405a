"""Every codec that users meet inside the twelve formats decodes to the length and the sound that went in."""

import struct

import numpy as np
import pytest
import soundfile

LOSSLESS = 2**-15  # an encoder that takes 16 bits rounds to half a step of them

# container, codec, rate, channels, file name, format name, how far samples may be off, options
ENCODED = [
    ("wav", "pcm_u8", 8_000, 1, "a.wav", "wav", 2**-7, {}),
    ("wav", "pcm_s16le", 44_100, 2, "a.wav", "wav", LOSSLESS, {}),
    ("wav", "pcm_s24le", 48_000, 1, "a.wav", "wav", 2**-23, {}),
    ("wav", "pcm_s24le", 48_000, 6, "a.wav", "wav", 2**-23, {}),
    ("wav", "pcm_s32le", 96_000, 2, "a.wav", "wav", 2**-23, {}),
    ("wav", "pcm_f32le", 48_000, 2, "a.wav", "wav", 0.0, {}),
    ("wav", "pcm_f64le", 48_000, 1, "a.wav", "wav", 0.0, {}),
    ("wav", "pcm_alaw", 8_000, 1, "a.wav", "wav", 0.02, {}),
    ("wav", "pcm_mulaw", 8_000, 1, "a.wav", "wav", 0.02, {}),
    ("wav", "pcm_s16le", 48_000, 1, "a.wav", "wav", LOSSLESS, {"rf64": "always"}),
    ("w64", "pcm_s16le", 48_000, 2, "a.wav", "wav", LOSSLESS, {}),
    ("flac", "flac", 44_100, 2, "a.flac", "flac", LOSSLESS, {}),
    ("ogg", "flac", 44_100, 1, "a.oga", "oga", LOSSLESS, {}),
    ("ogg", "libopus", 48_000, 2, "a.opus", "opus", 0.1, {}),
    ("ogg", "libopus", 48_000, 1, "a.ogg", "ogg", 0.1, {}),
    ("webm", "libopus", 48_000, 1, "a.webm", "webm", 0.1, {}),
    ("mp3", "libmp3lame", 44_100, 2, "a.mp3", "mp3", 0.1, {}),
    ("mp3", "libmp3lame", 16_000, 1, "a.mp3", "mp3", 0.1, {}),
    ("ipod", "alac", 44_100, 2, "a.m4a", "m4a", LOSSLESS, {}),
]

# streams that end with a whole frame or block, or keep the encoder's delay: FFmpeg leaves that in as well
UNCOUNTED = [
    ("ipod", "aac", 48_000, 1, "a.m4a", "m4a"),
    ("wav", "adpcm_ms", 22_050, 1, "a.wav", "wav"),
    ("wav", "adpcm_ima_wav", 44_100, 2, "a.wav", "wav"),
    ("adts", "aac", 44_100, 1, "a.aac", "aac"),
    ("ac3", "ac3", 48_000, 2, "a.ac3", "ac3"),
    ("eac3", "eac3", 48_000, 2, "a.ac3", "ac3"),
    ("asf", "wmav1", 44_100, 1, "a.wma", "wma"),
    ("asf", "wmav2", 44_100, 2, "a.wma", "wma"),
]
FRAME_S = 0.1  # two frames of the longest, 2048 samples at 44.1 kHz


@pytest.mark.parametrize(
    ("container", "codec", "rate", "channels", "name", "format_name", "tolerance", "options"), ENCODED
)
def test_a_counted_codec_gives_back_every_sample(
    signal, encode, read, findings, container, codec, rate, channels, name, format_name, tolerance, options
):
    sound = signal(2.5, rate, channels)
    samples, reading = read(encode(container, codec, sound, rate, **options), name)
    assert samples.shape == sound.shape
    assert np.abs(samples - sound).max() <= tolerance
    assert (reading.format, reading.sample_rate, reading.channels) == (format_name, rate, channels)
    assert findings(reading).keys() <= {"FORMAT_AT_RISK", "LOW_SAMPLE_RATE", "LOW_BITRATE"}


@pytest.mark.parametrize(
    "before", [b"", b"JUNK" + struct.pack("<I", 40_000) + bytes(40_000)], ids=["at once", "far in"]
)
def test_dts_that_is_wrapped_as_if_it_were_samples_is_decoded(signal, by_program, read, before):
    sound = signal(5.0, 44_100, 2)
    coded = by_program(sound, 44_100, "a.dts", "-c:a", "dca", "-strict", "-2")
    fmt = struct.pack("<HHIIHH", 1, 2, 44_100, 4 * 44_100, 4, 16)
    chunks = before + b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(coded)) + coded
    samples, reading = read(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks, "a.wav")
    assert (reading.codec, reading.channels) == ("dts", 2)
    assert len(samples) == pytest.approx(len(sound), abs=FRAME_S * 44_100)


@pytest.mark.parametrize(("container", "codec", "rate", "channels", "name", "format_name"), UNCOUNTED)
def test_an_uncounted_codec_gives_the_length_to_a_frame_or_two(
    signal, encode, read, findings, container, codec, rate, channels, name, format_name
):
    sound = signal(2.5, rate, channels)
    samples, reading = read(encode(container, codec, sound, rate, kbps=128), name)
    assert abs(reading.decoded_s - 2.5) < FRAME_S
    assert reading.frames == len(samples)
    assert (reading.format, reading.channels) == (format_name, channels)
    assert np.std(samples) == pytest.approx(np.std(sound), rel=0.1)
    assert findings(reading).keys() <= {"FORMAT_AT_RISK", "LOW_SAMPLE_RATE"}


PROGRAM_ONLY = [
    ("a.ogg", "ogg", "vorbis", 44_100, 2, ("-c:a", "libvorbis")),
    ("a.ogg", "ogg", "speex", 16_000, 1, ("-c:a", "libspeex")),
    ("a.ogx", "ogx", "vorbis", 48_000, 1, ("-f", "ogg", "-c:a", "libvorbis")),
    ("a.webm", "webm", "vorbis", 48_000, 2, ("-c:a", "libvorbis")),
]


@pytest.mark.ffmpeg
@pytest.mark.parametrize(("name", "format_name", "codec", "rate", "channels", "arguments"), PROGRAM_ONLY)
def test_codecs_that_only_the_program_encodes_decode_whole(
    signal, by_program, read, findings, name, format_name, codec, rate, channels, arguments
):
    sound = signal(2.5, rate, channels)
    samples, reading = read(by_program(sound, rate, name, *arguments), name)
    assert (reading.format, reading.codec, reading.channels) == (format_name, codec, channels)
    assert abs(reading.decoded_s - 2.5) < FRAME_S
    assert np.std(samples) == pytest.approx(np.std(sound), rel=0.1)
    assert findings(reading).keys() <= {"FORMAT_AT_RISK", "LOW_SAMPLE_RATE", "LOW_BITRATE"}


@pytest.mark.ffmpeg
def test_a_film_in_webm_is_webm_and_its_length_is_that_of_the_sound(signal, by_program, read, findings):
    film = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=6")
    encoders = ("-map", "1:v", "-map", "0:a", "-c:v", "libvpx", "-b:v", "80k", "-c:a", "libopus")
    _, reading = read(by_program(signal(4.0), 48_000, "a.webm", *encoders, inputs=film), "a.webm")
    assert reading.format == "webm"
    assert reading.decoded_s == pytest.approx(4.0, abs=0.05)
    assert reading.cut is None
    assert "TRUNCATED" not in findings(reading)


@pytest.mark.parametrize(
    ("kind", "subtype", "name"),
    [
        ("WAVEX", "PCM_24", "a.wav"),
        ("RF64", "PCM_16", "a.wav"),
        ("WAV", "MS_ADPCM", "a.wav"),
        ("WAV", "GSM610", "a.wav"),
    ],
)
def test_what_libsndfile_writes_is_read_to_its_own_length(signal, read, tmp_path, kind, subtype, name):
    path = tmp_path / name
    soundfile.write(path, signal(2.0, 44_100), 44_100, subtype, format=kind)
    expected, _ = soundfile.read(path, always_2d=True, dtype="float32")
    samples, reading = read(path)
    assert reading.format == "wav"
    assert (reading.cut, reading.errors) == (None, 0)
    assert len(samples) == len(expected)
    assert np.corrcoef(samples[:, 0], expected[:, 0])[0, 1] > 0.99  # the two part where the ADPCM predictor saturates


def test_the_bw64_name_of_rf64_is_read_alike(signal, encode, read):
    data = encode("wav", "pcm_s16le", signal(1.0), 48_000, rf64="always")
    _, reading = read(b"BW64" + data[4:], "a.wav")
    assert (reading.format, reading.frames, reading.cut) == ("wav", 48_000, None)


def test_real_wma_of_codecs_without_an_encoder_are_decoded(shared_audio, read):
    folder, rows = shared_audio
    rare = [row for row in rows if row.get("codec") in ("wmapro", "wmalossless", "wmavoice") and row["decoded_s"] > 0]
    if not rare:
        pytest.skip("no WMA Pro, Lossless or Voice among the real recordings")
    for row in rare:
        _, reading = read(folder / row["path"])
        assert (reading.format, reading.codec) == ("wma", row["codec"])
        assert reading.decoded_s == pytest.approx(row["decoded_s"], abs=0.05)
