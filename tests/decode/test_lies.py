"""What a header claims is never counted, and every claim that does not hold is told."""

import struct

import pytest

from pipeline.errors import DecodeError
from pipeline.records import Severity


@pytest.fixture
def wav(signal, encode):
    """A WAV of 2 s with another size written into its data chunk, and into its RIFF header where one is given."""
    data = encode("wav", "pcm_s16le", signal(2.0), 48_000)
    at = data.index(b"data") + 4

    def make(data_size, riff_size=None):
        changed = bytearray(data)
        struct.pack_into("<I", changed, at, data_size)
        if riff_size is not None:
            struct.pack_into("<I", changed, 4, riff_size)
        return bytes(changed)

    return make


@pytest.mark.parametrize(
    ("data_size", "riff_size"), [(0, None), (0, 0), (0xFFFFFFFF, None), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, None)]
)
def test_a_wav_whose_size_was_never_filled_in_is_whole_and_declares_a_false_length(
    wav, read, findings, data_size, riff_size
):
    _, reading = read(wav(data_size, riff_size), "a.wav")
    assert reading.decoded_s == pytest.approx(2.0)
    assert findings(reading).keys() == {"DURATION_MISMATCH"}


def test_a_wav_that_promises_more_than_it_holds_is_truncated_by_the_difference(wav, read, findings):
    _, reading = read(wav(3 * 96_000), "a.wav")
    assert reading.lost_s == pytest.approx(1.0)
    found = findings(reading)
    assert found["TRUNCATED"].severity is Severity.ERROR
    assert "DURATION_MISMATCH" in found


@pytest.mark.parametrize("data_size", [2 * 96_000 - 1, 2 * 96_000 + 1])
def test_a_wav_that_is_off_by_a_part_of_a_sample_is_whole(wav, read, findings, data_size):
    assert findings(read(wav(data_size), "a.wav")[1]) == {}


def flac_with_total(data, total):
    changed = bytearray(data)
    changed[21] = changed[21] & 0xF0 | total >> 32
    struct.pack_into(">I", changed, 22, total & 0xFFFFFFFF)
    return bytes(changed)


def test_a_flac_that_does_not_know_its_length_says_so_and_still_shows_its_damage(signal, encode, read, findings):
    data = flac_with_total(encode("flac", "flac", signal(4.0), 48_000), 0)
    whole = read(data, "a.flac")[1]
    assert (whole.frames, whole.declared_s) == (192_000, None)
    assert findings(whole).keys() == {"DURATION_MISMATCH"}
    middle = len(data) // 2
    assert "TRUNCATED" in findings(read(data[:middle] + data[middle + 9000 :], "a.flac")[1])
    assert "TRUNCATED" in findings(read(data[: middle + 777], "a.flac")[1])


@pytest.mark.parametrize(
    ("total", "codes"), [(48_000, {"DURATION_MISMATCH"}), (384_000, {"DURATION_MISMATCH", "TRUNCATED"})]
)
def test_a_flac_with_a_wrong_total_decodes_to_its_true_length(signal, encode, read, findings, total, codes):
    data = flac_with_total(encode("flac", "flac", signal(4.0), 48_000), total)
    _, reading = read(data, "a.flac")
    assert reading.decoded_s == pytest.approx(4.0)
    assert findings(reading).keys() == codes


def test_a_flac_behind_an_id3_tag_is_counted_all_the_same(signal, encode, read, findings):
    tag = b"ID3\x04\0\0" + bytes([0, 6, 0, 0]) + bytes(6 << 14)
    data = tag + encode("flac", "flac", signal(4.0), 48_000)
    assert findings(read(data, "a.flac")[1]) == {}
    assert "TRUNCATED" in findings(read(data[:-40_000], "a.flac")[1])


def mp3_with_count(data, frames):
    changed = bytearray(data)
    at = next(data.index(mark) for mark in (b"Xing", b"Info") if mark in data)
    struct.pack_into(">I", changed, at + 8, frames)
    return bytes(changed)


@pytest.mark.parametrize(
    ("frames", "codes"),
    [
        (0, {"DURATION_MISMATCH"}),
        (60, {"DURATION_MISMATCH"}),
        (340, {"DURATION_MISMATCH", "TRUNCATED"}),
        (0xFFFFFFFF, {"DURATION_MISMATCH", "TRUNCATED"}),
    ],
)
def test_an_mp3_whose_xing_header_counts_wrong_decodes_to_its_true_length(
    signal, encode, read, findings, frames, codes
):
    data = mp3_with_count(encode("mp3", "libmp3lame", signal(4.0), 48_000, kbps=96), frames)
    _, reading = read(data, "a.mp3")
    assert reading.decoded_s == pytest.approx(4.0, abs=0.1)
    assert findings(reading).keys() == codes


def test_a_variable_mp3_without_a_xing_header_is_counted_by_its_frames(signal, encode, read, findings):
    bare = {"write_xing": "0", "id3v2_version": "0"}
    low = encode("mp3", "libmp3lame", signal(5.0), 48_000, kbps=64, **bare)
    high = encode("mp3", "libmp3lame", signal(5.0, seed=2), 48_000, kbps=320, **bare)
    _, reading = read(low + high, "a.mp3")
    assert reading.decoded_s == pytest.approx(10.0, abs=0.15)
    assert findings(reading).keys() == {"DURATION_MISMATCH"}


def test_mp3s_joined_byte_by_byte_are_not_damaged_but_longer_than_they_say(signal, encode, read, findings):
    one = encode("mp3", "libmp3lame", signal(3.0), 48_000, kbps=96)
    _, reading = read(one + one, "a.mp3")
    assert reading.decoded_s == pytest.approx(6.0, abs=0.15)
    assert findings(reading).keys() == {"DURATION_MISMATCH"}


def test_raw_aac_of_uneven_rate_is_counted_by_its_frames(signal, encode, read, findings):
    low = encode("adts", "aac", signal(5.0, 44_100) / 50, 44_100, kbps=32, write_id3v2="0")
    high = encode("adts", "aac", signal(20.0, 44_100, seed=2), 44_100, kbps=192, write_id3v2="0")
    _, reading = read(low + high, "a.aac")
    assert reading.decoded_s == pytest.approx(25.0, abs=0.2)
    assert "DURATION_MISMATCH" in findings(reading)
    assert "TRUNCATED" not in findings(reading)


@pytest.mark.parametrize("codec", ["libopus", "flac"])
def test_chained_ogg_is_counted_as_a_whole_though_its_parts_declare_less(signal, encode, read, findings, codec):
    parts = [
        encode("ogg", codec, signal(seconds, seed=seed), 48_000) for seconds, seed in ((4.0, 1), (3.0, 2), (2.0, 3))
    ]
    _, reading = read(b"".join(parts), "a.oga")
    assert reading.decoded_s == pytest.approx(9.0, abs=0.05)
    assert findings(reading).keys() <= {"DURATION_MISMATCH", "FORMAT_AT_RISK"}
    assert "DURATION_MISMATCH" in findings(reading)


@pytest.mark.ffmpeg
@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (48_000, 2), (44_100, 2)])
def test_a_chain_goes_on_where_rate_or_channels_change(signal, by_program, read, findings, rate, channels):
    parts = [
        by_program(signal(4.0), 48_000, "a.ogg", "-c:a", "libvorbis"),
        by_program(signal(3.0, rate, channels), rate, "a.ogg", "-c:a", "libvorbis"),
        by_program(signal(2.0, seed=2), 48_000, "a.ogg", "-c:a", "libvorbis"),
    ]
    samples, reading = read(b"".join(parts), "a.ogg")
    assert (reading.sample_rate, reading.channels, reading.changes) == (48_000, 1, 2)
    assert reading.decoded_s == pytest.approx(9.0, abs=0.05)
    assert samples.shape[1] == 1
    assert "TRUNCATED" not in findings(reading)


def test_opus_parts_of_other_channels_are_chained_too(signal, encode, read, findings):
    data = encode("ogg", "libopus", signal(3.0), 48_000) + encode("ogg", "libopus", signal(2.0, 48_000, 2), 48_000)
    _, reading = read(data, "a.opus")
    assert reading.decoded_s == pytest.approx(5.0, abs=0.05)
    assert reading.changes == 1
    assert "TRUNCATED" not in findings(reading)
    _, cut = read(data[:-4000], "a.opus")
    assert findings(cut)["TRUNCATED"].severity is Severity.ERROR


def test_a_live_webm_declares_no_length_and_says_so(signal, encode, read, findings):
    _, reading = read(encode("webm", "libopus", signal(4.0), 48_000, live="1"), "a.webm")
    assert reading.declared_s is None
    assert reading.decoded_s == pytest.approx(4.0, abs=0.05)
    assert findings(reading).keys() == {"DURATION_MISMATCH"}


def test_a_fragmented_m4a_is_counted_by_its_samples(signal, encode, read, findings):
    data = encode("ipod", "aac", signal(6.0), 48_000, movflags="+frag_keyframe+empty_moov", frag_duration="500000")
    assert "TRUNCATED" not in findings(read(data, "a.m4a")[1])
    last_data = data.rindex(b"mdat", 0, len(data) * 6 // 10)
    _, cut = read(data[: last_data + 500], "a.m4a")
    assert 2.0 < cut.decoded_s < 4.0
    assert "TRUNCATED" in findings(cut)
    with pytest.raises(DecodeError, match="index of a fragment"):  # FFmpeg opens none that ends inside such an index
        read(data[: last_data - 44], "a.m4a")


@pytest.mark.parametrize(("name", "mismatch"), [("a.wav", True), ("a.mp3", True), ("a.flac", False), ("a.FLAC", False)])
def test_a_name_that_promises_another_content_is_told(signal, encode, read, findings, name, mismatch):
    _, reading = read(encode("flac", "flac", signal(1.0), 48_000), name)
    assert reading.format == "flac"
    assert ("EXTENSION_MISMATCH" in findings(reading)) is mismatch


def test_a_codec_that_its_extension_does_not_promise_is_told(signal, encode, read, findings):
    _, reading = read(encode("wav", "libmp3lame", signal(1.0), 48_000), "a.mp3")
    assert (reading.format, reading.codec) == ("wav", "mp3")
    assert "EXTENSION_MISMATCH" in findings(reading)


def test_the_bit_rate_is_that_of_the_sound_whatever_hangs_on_the_file(signal, encode, read):
    data = encode("mp3", "libmp3lame", signal(4.0), 48_000, kbps=64)
    tag = b"ID3\x04\0\0" + bytes([0, 60, 0, 0]) + bytes(60 << 14)
    assert read(tag + data, "a.mp3")[1].kbps == pytest.approx(read(data, "a.mp3")[1].kbps, rel=0.001)
