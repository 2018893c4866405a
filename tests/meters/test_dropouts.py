"""Gaps inside sound are found, exact or smeared, and rests, fades and cuts are not."""

import numpy as np
import pytest

from pipeline.meters.dropouts import MAX_SPANS, DropoutMeter

RATE_HZ = 24_000
VOICE_S = 6.0


def dropouts(samples, frames=RATE_HZ, rate_hz=RATE_HZ, bits=16):
    samples = np.asarray(samples, np.float32)
    samples = samples.reshape(len(samples), -1)
    meter = DropoutMeter(rate_hz, samples.shape[1], bits)
    for start in range(0, len(samples), frames):
        meter.feed(samples[start : start + frames])
    meter.finish()
    return meter


def steady(random, seconds=VOICE_S, dbfs=-26):
    """Noise of a voice's level, which is loud wherever a gap falls."""
    return 10 ** (dbfs / 20) * random.standard_normal(round(seconds * RATE_HZ))


@pytest.fixture
def noise():
    return steady(np.random.default_rng(3))


def torn(samples, at_s, length_s, value=0.0):
    first = round(at_s * RATE_HZ)
    samples = samples.copy()
    samples[first : first + round(length_s * RATE_HZ)] = value
    return samples


def with_a_pause(samples, range_db):
    """Sound that dies away by so much in 0.1 s, and rises as slowly 0.4 s later."""
    at_s = np.arange(len(samples)) / RATE_HZ
    return samples * 10 ** (-np.interp(at_s, [2.3, 2.4, 2.8, 2.9], [0, range_db, range_db, 0]) / 20)


@pytest.mark.parametrize("length_s", [0.003, 0.01, 0.1, 0.9])
def test_silence_inside_sound_is_found_where_it_is(noise, length_s):
    meter = dropouts(torn(noise, 2.5, length_s))
    (span,) = meter.spans()
    assert meter.count == 1
    assert span.start_s == pytest.approx(2.5, abs=0.002)
    assert span.end_s == pytest.approx(2.5 + length_s, abs=0.002)


def test_a_sample_that_is_stuck_is_found(noise):
    assert dropouts(torn(noise, 2.5, 0.01, value=0.004)).count == 1


def test_a_gap_that_a_codec_has_filled_with_a_little_noise_is_found(noise):
    """As Opus does: 25 dB under the sound at first, 20 dB less every 10 ms, and some of it before the sound that follows."""
    after_s = np.arange(len(noise)) / RATE_HZ - 2.5
    left = 10 ** (-(25 + 2_000 * np.clip(np.minimum(after_s, 0.06 - after_s), 0, None)) / 20)
    assert dropouts(torn(noise, 2.5, 0.06) + left * np.roll(noise, 999)).count == 1


@pytest.mark.parametrize("length_s", [0.03, 0.1])
def test_a_closure_that_keeps_the_noise_of_the_room_is_none(noise, length_s):
    """36 dB under the voice, however abrupt the ends are: a stop behind a glottal closure does that."""
    assert dropouts(torn(noise, 2.5, length_s) + 0.016 * np.roll(noise, 999)).count == 0


def test_a_gap_on_one_side_only_is_found_and_one_on_both_sides_is_one(noise):
    gap = torn(noise, 2.5, 0.02)
    assert dropouts(np.stack([noise, gap], axis=1)).count == 1
    assert dropouts(np.stack([gap, 0.5 * gap], axis=1)).count == 1


@pytest.mark.parametrize("length_s", [0.001, 1.5])
def test_what_is_shorter_than_a_lost_packet_or_longer_than_a_second_is_none(noise, length_s):
    assert dropouts(torn(noise, 2.5, length_s)).count == 0


@pytest.mark.parametrize("fade_s", [0.02, 0.1])
def test_silence_behind_a_fade_is_none(noise, fade_s):
    """A gate's fade of 20 ms to silence, which then holds for 0.2 s, and sound that begins at once."""
    first, fade = round(2.5 * RATE_HZ), round(fade_s * RATE_HZ)
    faded = torn(noise, 2.5, 0.2)
    faded[first - fade : first] *= np.linspace(1, 0, fade) ** 2
    assert dropouts(faded).count == 0


def test_silence_between_quiet_passages_is_none(noise):
    """A word dies away by 40 dB in 0.1 s, the cut falls there, and the next one rises as slowly."""
    assert dropouts(torn(with_a_pause(noise, 40), 2.5, 0.2)).count == 0


def test_silence_at_the_ends_is_none(noise):
    edge = np.zeros(round(0.5 * RATE_HZ))
    assert dropouts(np.concatenate([edge, noise, edge])).count == 0


@pytest.mark.parametrize("bits", [8, 16])
def test_a_voice_without_gaps_has_none(speechlike, bits):
    steps = 2.0 ** (bits - 1)
    assert dropouts(np.round(speechlike(8.0, rate_hz=RATE_HZ) * steps) / steps, bits=bits).count == 0


def test_a_gap_beside_which_there_is_only_room_noise_is_none(noise):
    """Words joined with digital silence between them, cut in noise 26 dB under them."""
    assert dropouts(torn(with_a_pause(noise, 26), 2.5, 0.2)).count == 0
    assert dropouts(torn(with_a_pause(noise, 14), 2.5, 0.2)).count == 1


def test_rumble_makes_no_side_loud(noise):
    """What is loud is told in cells of a millisecond, which a tone of 20 Hz hardly moves."""
    at_s = np.arange(len(noise)) / RATE_HZ
    rumble = 0.05 * np.sin(2 * np.pi * 20 * at_s)
    assert dropouts(torn(with_a_pause(noise, 40) + rumble, 2.5, 0.2)).count == 0


def test_a_rippled_flat_top_is_no_gap(noise):
    """A pop that drives the voice against the ceiling for 13 ms, behind a codec."""
    first, end = round(2.5 * RATE_HZ), round(2.513 * RATE_HZ)
    samples = noise.copy()
    samples[first:end] = 1.1 * np.abs(noise).max() + 0.0005 * noise[first:end]
    assert dropouts(samples).count == 0
    samples[first:end] = 0.0005 * noise[first:end]
    assert dropouts(samples).count == 1


def test_a_flat_top_is_no_gap(noise):
    square = np.where(np.arange(len(noise)) // 120 % 2, 0.5, -0.5)
    assert dropouts(square).count == 0


@pytest.mark.parametrize("frames", [7, 997, 10 * RATE_HZ])
def test_the_block_size_changes_nothing(frames):
    """Gaps in every second of a clip that is judged in more than one go."""
    samples = steady(np.random.default_rng(4), seconds=40.0 if frames > 7 else 3.0)
    for second in range(1, len(samples) // RATE_HZ - 1):
        samples = torn(samples, second + 0.3, 0.003 * second)
    expected, found = dropouts(samples), dropouts(samples, frames)
    assert found.count == expected.count == len(samples) // RATE_HZ - 2
    assert found.spans() == expected.spans()


def test_of_very_many_gaps_only_so_many_places_are_kept():
    samples = steady(np.random.default_rng(5), seconds=45.0)
    samples.reshape(-1, RATE_HZ // 25)[:, -RATE_HZ // 100 :] = 0
    meter = dropouts(samples)
    # The last reaches the end, and is none.
    assert meter.count == 45 * 25 - 1
    assert len(meter.spans()) == MAX_SPANS
