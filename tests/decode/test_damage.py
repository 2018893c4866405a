"""What is damaged is told, with its time and its weight; what hangs on behind a whole file is not damage."""

import random

import pytest

from pipeline.errors import DecodeError
from pipeline.records import Severity

FORMATS = ("wav", "mp3", "flac", "ogg", "oga", "ogx", "aac", "wma", "m4a", "opus", "ac3", "webm")
GARBAGE = random.Random(5).randbytes(2048)

NEAR_S = 1.2
"""An Ogg page holds about a second, and is lost as a whole when its checksum fails."""


@pytest.fixture
def passage(samples_folder):
    return lambda name: (samples_folder / f"passage.{name}").read_bytes()


def grave(reading):
    lost_s = reading.lost_s
    return lost_s >= 1.0 or lost_s >= 0.01 * (reading.decoded_s + lost_s)


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "m4a"])
def test_a_file_cut_at_sixty_per_cent_is_truncated_at_its_end(passage, read, findings, name):
    data = passage(name)
    whole = read(data, f"whole.{name}")[1]
    _, reading = read(data[: len(data) * 6 // 10], f"cut.{name}")
    found = findings(reading)["TRUNCATED"]
    assert reading.cut is not None
    assert 0.5 * whole.decoded_s < reading.decoded_s < 0.7 * whole.decoded_s
    assert found.evidence.spans[0].start_s == pytest.approx(reading.decoded_s, abs=0.3)
    if whole.exact:
        assert reading.lost_s == pytest.approx(0.4 * whole.decoded_s, abs=0.05 * whole.decoded_s)
        assert found.severity is Severity.ERROR
    elif reading.lost_s is None:  # Ogg ought to say where it ends; of bare frames no more is known than the last one
        assert found.severity is (Severity.WARNING if name in {"aac", "ac3"} else Severity.ERROR)


def test_an_m4a_whose_index_is_cut_off_or_shifted_cannot_be_read_and_says_why(passage, read):
    data = passage("m4a")
    middle = len(data) // 2
    for damaged in (data[: len(data) * 6 // 10], data[:middle] + data[middle + 6144 :]):
        with pytest.raises(DecodeError) as raised:
            read(damaged, "cut.m4a")
        assert raised.value.kind == "unreadable"
        assert "moov" in raised.value.why


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.95])
def test_an_m4a_with_its_index_first_is_truncated_by_what_its_index_counts(signal, encode, read, findings, fraction):
    data = encode("ipod", "aac", signal(8.0), 48_000, kbps=64, movflags="+faststart")
    _, reading = read(data[: round(len(data) * fraction)], "cut.m4a")
    assert reading.lost_s == pytest.approx(8.0 - reading.decoded_s, abs=0.05)
    assert findings(reading)["TRUNCATED"].severity is Severity.ERROR


# PCM has no redundancy: garbage among samples is loud noise, which other subjects measure, and no fault of the file.
TELLING = [name for name in FORMATS if name != "wav"]


@pytest.mark.parametrize("name", TELLING)
def test_two_kilobytes_of_garbage_in_the_middle_are_told_with_their_time(passage, read, findings, name):
    data = passage(name)
    middle = len(data) // 2 + 100
    whole = read(data, f"whole.{name}")[1]
    _, reading = read(data[:middle] + GARBAGE + data[middle + len(GARBAGE) :], f"damaged.{name}")
    found = findings(reading)["TRUNCATED"]
    assert abs(found.evidence.spans[0].start_s - whole.decoded_s / 2) < NEAR_S
    assert 0 < reading.lost_s == pytest.approx(whole.decoded_s - reading.decoded_s, abs=0.2)
    assert found.severity is (Severity.ERROR if grave(reading) else Severity.WARNING)


@pytest.mark.parametrize("name", [name for name in TELLING if name != "m4a"])
def test_a_hole_of_six_kilobytes_in_the_middle_is_told_with_its_time(passage, read, findings, name):
    data = passage(name)
    middle = len(data) // 2 + 100
    whole = read(data, f"whole.{name}")[1]
    _, reading = read(data[:middle] + data[middle + 6144 :], f"damaged.{name}")
    found = findings(reading)["TRUNCATED"]
    assert abs(found.evidence.spans[0].start_s - whole.decoded_s / 2) < NEAR_S
    assert reading.decoded_s < whole.decoded_s


def test_a_hole_in_pcm_is_told_by_its_length_alone(passage, read, findings):
    data = passage("wav")
    middle = len(data) // 2 // 4 * 4
    _, reading = read(data[:middle] + data[middle + 6144 :], "hole.wav")
    found = findings(reading)["TRUNCATED"]
    assert found.severity is Severity.WARNING
    assert found.evidence.spans[0].start_s == pytest.approx(reading.decoded_s)


def test_garbage_among_pcm_samples_cannot_be_told_from_sound(passage, read):
    data = passage("wav")
    middle = len(data) // 2
    whole = read(data, "whole.wav")[1]
    _, reading = read(data[:middle] + GARBAGE + data[middle + len(GARBAGE) :], "noise.wav")
    assert (reading.frames, reading.cut, reading.errors) == (whole.frames, None, 0)
    assert reading.pcm != whole.pcm


@pytest.mark.parametrize(
    ("container", "codec", "name"), [("flac", "flac", "a.flac"), ("ac3", "ac3", "a.ac3"), ("ogg", "flac", "a.oga")]
)
def test_a_single_bit_is_noticed_where_frames_or_pages_carry_checksums(
    signal, encode, read, findings, container, codec, name
):
    data = encode(container, codec, signal(5.0), 48_000)
    draw = random.Random(8)
    for _ in range(12):
        damaged = bytearray(data)
        damaged[draw.randrange(len(data) // 5, len(data) * 4 // 5)] ^= 1 << draw.randrange(8)
        _, reading = read(bytes(damaged), name)
        assert "TRUNCATED" in findings(reading)


def test_a_little_loss_in_a_long_clip_is_a_warning_and_a_share_of_it_an_error(signal, encode, read, findings):
    data = encode("flac", "flac", signal(30.0), 48_000)
    middle = len(data) // 2
    _, small = read(data[:middle] + b"\0" * 20 + data[middle + 20 :], "small.flac")
    _, large = read(data[:middle] + b"\0" * 90_000 + data[middle + 90_000 :], "large.flac")
    assert 0 < small.lost_s < 0.3
    assert findings(small)["TRUNCATED"].severity is Severity.WARNING
    assert large.lost_s > 0.3
    assert findings(large)["TRUNCATED"].severity is Severity.ERROR


def test_many_places_are_counted_and_only_the_first_hundred_kept(signal, encode, read):
    data = bytearray(encode("flac", "flac", signal(40.0), 48_000))
    for at in range(30_000, len(data) - 30_000, len(data) // 130):
        data[at : at + 20] = bytes(20)
    _, reading = read(bytes(data), "a.flac")
    assert 100 < reading.errors <= 130
    assert len(reading.error_spans) == 100
    assert reading.lost_s > 5.0


@pytest.mark.ffmpeg
def test_a_cover_picture_does_not_hide_that_the_sound_is_cut(signal, by_program, read, findings):
    cover = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=1:duration=1")
    mapped = ("-map", "0:a", "-map", "1:v", "-frames:v", "1", "-c:v", "png", "-disposition:v", "attached_pic")
    for name, encoder in (("a.flac", "flac"), ("a.mp3", "libmp3lame")):
        data = by_program(signal(6.0), 48_000, name, *mapped, "-c:a", encoder, inputs=cover)
        assert "TRUNCATED" not in findings(read(data, name)[1])
        assert findings(read(data[: len(data) * 7 // 10], name)[1])["TRUNCATED"].severity is Severity.ERROR


def ape_tag(payload):
    item = len(payload).to_bytes(4, "little") + b"\2\0\0\0Cover Art (Front)\0" + payload

    def frame(flags):
        numbers = (2000, len(item) + 32, 1, flags)
        return b"APETAGEX" + b"".join(number.to_bytes(4, "little") for number in numbers) + bytes(8)

    return frame(0xA0000000) + item + frame(0x80000000)


TAILS = {
    "ID3v1": b"TAG" + b"title".ljust(125, b"\0"),
    "APEv2 with a picture": ape_tag(random.Random(6).randbytes(100_000)),
    "both tags": ape_tag(b"x" * 500) + b"TAG" + bytes(125),
    "zeros": bytes(4096),
    "a megabyte of zeros": bytes(1 << 20),
    "text": b"Recorded with a pocket recorder. " * 40,
    "noise": GARBAGE,
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", FORMATS)
def test_tags_and_junk_behind_the_end_are_not_damage(passage, read, findings, name, tail):
    whole = read(passage(name), f"whole.{name}")[1]
    _, reading = read(passage(name) + TAILS[tail], f"tagged.{name}")
    assert "TRUNCATED" not in findings(reading), (reading.cut, reading.errors)
    assert reading.decoded_s == pytest.approx(whole.decoded_s, abs=0.05)
