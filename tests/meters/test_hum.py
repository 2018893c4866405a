"""Mains hum is found at its frequency and level, under a voice and in noise, and nothing else is taken for it."""

import numpy as np
import pytest

from pipeline.meters.hum import HumMeter

RATE_HZ = 16_000
SECONDS = 8.0


def line(hz, dbfs, seconds=SECONDS):
    """A sine of that mean power."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * at)


def mains(hz, dbfs, harmonics):
    """Equal harmonics that have that power together."""
    each_dbfs = dbfs - 10 * np.log10(len(harmonics))
    return sum(line(k * hz, each_dbfs) for k in harmonics)


def pink(dbfs, seed=1, seconds=SECONDS):
    frames = round(seconds * RATE_HZ)
    random = np.random.default_rng(seed)
    hz = np.fft.rfftfreq(frames, 1 / RATE_HZ)
    bins = random.standard_normal(len(hz)) + 1j * random.standard_normal(len(hz))
    made = np.fft.irfft(np.where(hz < 20, 0, bins / np.sqrt(np.maximum(hz, 20))), frames)
    return made / np.sqrt(np.mean(made**2)) * 10 ** (dbfs / 20)


def heard(samples, frames=RATE_HZ):
    meter = HumMeter()
    for start in range(0, len(samples), frames):
        meter.feed(np.asarray(samples[start : start + frames], np.float32))
    return meter.hum()


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize("off_hz", [-0.15, 0.0, 0.15])
@pytest.mark.parametrize("harmonics", [(1,), (2,), (1, 2, 3), (2, 3, 4), (1, 3, 5, 7), (2, 4, 6, 8)], ids=str)
def test_hum_is_found_at_its_frequency_and_level(mains_hz, off_hz, harmonics):
    hum = heard(mains(mains_hz + off_hz, -45, harmonics) + pink(-55))
    assert hum is not None
    assert hum.hz == mains_hz
    assert hum.dbfs == pytest.approx(-45, abs=1.0)  # the noise in its lines


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_hum_is_found_under_a_voice_that_never_pauses(speechlike, mains_hz):
    voice = speechlike(SECONDS, rms_dbfs=-26.0, rate_hz=RATE_HZ)
    hum = heard(voice + mains(mains_hz, -45, (1, 2, 3)))
    assert hum is not None
    assert hum.hz == mains_hz
    assert hum.dbfs == pytest.approx(-45, abs=2.0)  # the voice's dips leave some of it in the lines


@pytest.mark.parametrize("pitch_hz", [100.0, 120.0, 150.0])
def test_a_voice_at_a_multiple_of_the_mains_is_no_hum(speechlike, pitch_hz):
    voice = speechlike(SECONDS, rms_dbfs=-26.0, rate_hz=RATE_HZ, pitch_hz=pitch_hz)
    assert heard(voice) is None


@pytest.mark.parametrize("seed", range(8))
def test_noise_is_no_hum(seed):
    assert heard(pink(-40, seed)) is None


@pytest.mark.parametrize("hz", [49.0, 58.27, 61.74, 98.0, 116.54, 123.47, 146.83, 185.0, 196.0])
def test_a_tone_that_is_no_multiple_of_the_mains_is_no_hum(hz):
    """Notes of the tempered scale at 440 Hz that are next to the mains and its multiples."""
    assert heard(line(hz, -40) + pink(-60)) is None


def test_an_engine_that_runs_through_the_mains_frequency_leaves_next_to_no_hum():
    at = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(45 + 10 * at / SECONDS) / RATE_HZ
    engine = 0.02 * sum(np.sin(k * phase) for k in (1, 2, 3))  # -32 dBFS
    hum = heard(engine + pink(-60))
    assert hum is None or hum.dbfs < -32 - 25


def test_hum_in_gated_words_is_found(speechlike):
    voice = speechlike(SECONDS, rms_dbfs=-26.0, rate_hz=RATE_HZ) + mains(50.0, -40, (1, 2, 3))
    at = np.arange(len(voice)) / RATE_HZ
    hum = heard(np.where(at % 2 < 1.5, voice, 0.0))
    assert hum is not None
    assert hum.hz == 50.0


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.5])
def test_less_than_two_windows_tell_nothing(seconds):
    assert heard(line(50.0, -30, seconds)) is None


def test_silence_does_not_hum():
    assert heard(np.zeros(5 * RATE_HZ)) is None


@pytest.mark.parametrize("frames", [997, 16_001, 200_000])
def test_the_block_size_changes_nothing(frames):
    samples = mains(60.0, -45, (1, 2, 3)) + pink(-55)
    whole, parts = heard(samples), heard(samples, frames)
    assert parts.hz == whole.hz
    assert parts.dbfs == pytest.approx(whole.dbfs, abs=1e-6)  # the same windows, filtered in other pieces
