"""The 16 kHz signal is the same whatever the rate of the recording: 16 kHz too, where nothing needs to be made anew."""

import numpy as np
import pytest
from scipy import signal

from pipeline.resampling import REACH, low_passed, resampler

RATE_HZ = 16_000


def resampled(samples, from_hz, frames):
    stream = resampler(from_hz, RATE_HZ)
    parts = [stream.feed(samples[at : at + frames]) for at in range(0, len(samples), frames)]
    return np.concatenate([*parts, stream.finish(samples[:0])])


def noise(seconds):
    """White up to 7,999 Hz, in float32 (samples,); raised from 16 kHz to another rate by its spectrum it is the very same."""
    samples = np.random.default_rng(1).standard_normal(round(seconds * RATE_HZ))
    bins = np.fft.rfft(samples)
    bins[-1] = 0  # half the rate itself, of which a sampled signal has only one phase
    return np.fft.irfft(bins).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [22_050, 24_000, 32_000, 44_100, 48_000])
def test_a_recording_at_16_khz_comes_out_as_the_same_one_does_at_a_higher_rate(rate_hz):
    at_16k = noise(2.0)
    raised = signal.resample(at_16k, 2 * rate_hz).astype(np.float32)
    one, other = resampled(at_16k, RATE_HZ, 4_000), resampled(raised, rate_hz, rate_hz)
    assert len(one) == len(other) == 2 * RATE_HZ
    inner = slice(4 * REACH, -4 * REACH)  # raising by the spectrum takes the clip for a circle
    # soxr's filters for different ratios are up to .007 apart, between 7.5 and 7.9 kHz.
    assert np.sqrt(np.mean(np.square(one[inner] - other[inner]))) < 0.007


@pytest.mark.parametrize("samples", [1, 2, REACH, 2 * REACH, 2 * REACH + 1, 8_000])
@pytest.mark.parametrize("frames", [1, 37, 4_000])
def test_equal_rates_keep_the_number_of_samples_and_do_not_mind_blocks(samples, frames):
    given = noise(0.5)[:samples]
    made = resampled(given, RATE_HZ, frames)
    assert len(made) == samples
    np.testing.assert_array_equal(made, resampled(given, RATE_HZ, samples))


@pytest.mark.parametrize(("tone_hz", "db"), [(100, 0.0), (3_000, 0.0), (7_300, 0.0), (7_600, -2.9), (7_900, -51)])
def test_of_equal_rates_what_lies_close_to_half_the_rate_is_taken_away(tone_hz, db):
    """At these frequencies soxr's own filter was measured with an impulse at 44.1 kHz."""
    tone = np.sin(2 * np.pi * tone_hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    inner = resampled(tone, RATE_HZ, RATE_HZ)[1_000:-1_000]
    assert 10 * np.log10(2 * np.mean(np.square(inner))) == pytest.approx(db, abs=0.1 if db > -10 else 3)


@pytest.mark.parametrize(("tone_hz", "db", "near_db"), [(5_600, 0.0, 0.1), (6_000, -6.0, 0.1), (6_400, -70.0, 5.0)])
def test_a_low_pass_takes_away_what_lies_over_it_and_delays_nothing(tone_hz, db, near_db):
    tone = np.sin(2 * np.pi * tone_hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)
    passed = low_passed(tone, 6_000, RATE_HZ)
    assert len(passed) == len(tone)
    inner = slice(1_000, -1_000)
    assert 10 * np.log10(2 * np.mean(np.square(passed[inner]))) == pytest.approx(db, abs=near_db)
    assert passed[inner] == pytest.approx(10 ** (db / 20) * tone[inner], abs=0.02)


def test_nothing_comes_of_nothing():
    assert len(resampled(np.empty(0, np.float32), RATE_HZ, 1)) == 0
