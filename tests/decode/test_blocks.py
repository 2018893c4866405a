"""The stream of blocks: equal lengths, one rate, one hash, nothing twice."""

import numpy as np
import pytest

from pipeline.damage import MAX_PLACES
from pipeline.decoder import Decoder
from pipeline.errors import DecodeError
from pipeline.stages import decode


def test_blocks_are_equally_long_and_follow_each_other(signal, encode, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encode("wav", "pcm_s16le", signal(3.3, 22_050, 2), 22_050))
    with decode.Stream(str(path), 1.0) as stream:
        blocks = list(stream.blocks())
    assert [len(block.samples) for block in blocks] == [22_050, 22_050, 22_050, round(0.3 * 22_050)]
    assert [block.start for block in blocks] == [0, 22_050, 44_100, 66_150]
    assert all(block.samples.dtype == np.float32 and not block.samples.flags.writeable for block in blocks)


@pytest.mark.parametrize("block_s", [0.01, 0.37, 5.0])
def test_the_length_of_blocks_changes_no_sample(signal, encode, tmp_path, block_s):
    path = tmp_path / "a.flac"
    path.write_bytes(encode("flac", "flac", signal(2.0, 44_100, 2), 44_100))
    whole, in_parts = [], []
    for seconds, kept in ((decode.BLOCK_S, whole), (block_s, in_parts)):
        with decode.Stream(str(path), seconds) as stream:
            kept.extend(block.samples for block in stream.blocks())
            kept.append(stream.container().pcm)
    assert whole.pop() == in_parts.pop()
    assert np.array_equal(np.concatenate(whole), np.concatenate(in_parts))


def test_the_hash_of_the_samples_is_the_same_in_another_lossless_wrapping(signal, encode, read):
    sound = np.round(signal(2.0, 44_100) * 2**15) / np.float32(2**15)
    hashes = {
        read(encode(container, codec, sound, 44_100), name)[1].pcm
        for container, codec, name in (
            ("wav", "pcm_s16le", "a.wav"),
            ("flac", "flac", "b.flac"),
            ("ipod", "alac", "c.m4a"),
        )
    }
    other = read(encode("flac", "flac", signal(2.0, 44_100, seed=2), 44_100), "d.flac")[1].pcm
    assert len(hashes) == 1
    assert other not in hashes


def test_samples_that_are_no_numbers_are_damage_and_do_not_get_through(signal, encode, read, findings):
    sound = signal(2.0)
    sound[48_000:48_010] = np.nan
    sound[60_000] = np.inf
    samples, reading = read(encode("wav", "pcm_f32le", sound, 48_000), "a.wav")
    assert np.isfinite(samples).all()
    assert "TRUNCATED" in findings(reading)
    assert reading.error_spans[0].start_s == pytest.approx(1.0, abs=0.1)


def test_of_samples_that_are_no_numbers_it_is_told_where_they_are_and_how_long_they_last(signal, encode, read):
    """Across blocks, too; those closer together than 30 ms are one place."""
    sound = signal(24.0)
    sound[450_000:522_000] = np.nan  # 1.5 s, over the border of two blocks
    sound[522_400] = np.inf
    sound[1_000_000:1_000_010] = -np.inf
    _, reading = read(encode("wav", "pcm_f32le", sound, 48_000), "a.wav")
    assert reading.errors == 2
    assert reading.lost_s == pytest.approx(1.5 + 11 / 48_000)
    told = [(span.start_s, span.end_s) for span in reading.error_spans]
    assert told == [
        pytest.approx((450_000 / 48_000, 522_401 / 48_000)),
        pytest.approx((1e6 / 48_000, 1_000_010 / 48_000)),
    ]


def test_of_many_places_of_no_numbers_all_are_counted_and_the_first_are_kept(signal, encode, read):
    sound = signal(12.0)
    sound[::2_000] = np.nan  # 42 ms apart
    _, reading = read(encode("wav", "pcm_f32le", sound, 48_000), "a.wav")
    assert (reading.errors, len(reading.error_spans)) == (288, MAX_PLACES)
    sound[::2_000] = 0
    sound[::480] = np.nan  # 10 ms apart
    _, reading = read(encode("wav", "pcm_f32le", sound, 48_000), "a.wav")
    assert (reading.errors, len(reading.error_spans)) == (1, 1)


def test_what_is_lost_elsewhere_and_cannot_be_known_stays_unknown(signal, encode, read, monkeypatch):
    monkeypatch.setattr(Decoder, "_loss", lambda *_: ("it ends within a page", None))
    sound = signal(2.0)
    sound[48_000:48_010] = np.nan
    _, reading = read(encode("wav", "pcm_f32le", sound, 48_000), "a.wav")
    assert reading.errors == 1
    assert reading.lost_s is None


def test_float_files_keep_what_is_over_full_scale(signal, encode, read):
    sound = signal(1.0) * 5
    samples, _ = read(encode("wav", "pcm_f32le", sound, 48_000), "a.wav")
    assert np.array_equal(samples, sound)


def test_a_stream_that_changes_rate_and_channels_is_brought_to_what_it_began_with(signal, encode, read):
    parts = [
        encode("ogg", "flac", signal(2.0, 48_000, 1), 48_000),
        encode("ogg", "flac", signal(2.0, 44_100, 2, seed=2), 44_100),
        encode("ogg", "flac", signal(2.0, 48_000, 1, seed=3), 48_000),
    ]
    samples, reading = read(b"".join(parts), "a.oga")
    assert (reading.sample_rate, reading.channels, reading.changes) == (48_000, 1, 2)
    assert reading.decoded_s == pytest.approx(6.0, abs=0.001)
    assert np.abs(samples[-96_000:] - signal(2.0, 48_000, 1, seed=3)).max() <= 2**-15


def test_files_of_the_flac_test_bench_that_change_on_the_way_decode(shared_audio, read):
    folder, rows = shared_audio
    changing = [row for row in rows if row.get("cls") == "parameters_change_midstream"]
    if not changing:
        pytest.skip("no recording that changes its parameters is here")
    for row in changing:
        _, reading = read(folder / row["path"])
        assert reading.changes > 0
        assert reading.decoded_s == pytest.approx(row["decoded_s"], abs=0.05)


def test_an_opened_file_is_closed_even_when_it_is_refused(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF\0\0\0\0WAVE")
    for _ in range(300):
        with pytest.raises(DecodeError):
            decode.Stream(str(path))
