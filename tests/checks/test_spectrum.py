"""Up to what frequency a clip holds sound, and the colour of its voice."""

import numpy as np
import pytest
import soxr
from scipy import signal

from pipeline.checks import spectrum
from pipeline.meters.bandwidth import MAX_WINDOWS, BandwidthMeter


def talk(rate_hz, seconds=8.0, seed=0):
    """Noise in bursts of varied level, as sibilants and vowels come and go, with a 16 bit floor."""
    random = np.random.default_rng(seed)
    syllables = round(seconds * 5)
    gains = np.repeat(10 ** (random.uniform(-50, 0, syllables) / 20), rate_hz // 5)
    noise = random.standard_normal(len(gains)) * gains * 0.05
    return (noise + random.uniform(-1, 1, len(noise)) / 65536).astype(np.float32)


def low_passed(samples, rate_hz, edge_hz):
    """Through a steep linear-phase filter, its transition 200 Hz wide."""
    taps = signal.firwin(rate_hz // 30 | 1, edge_hz, fs=rate_hz, window=("kaiser", 9))
    return signal.fftconvolve(samples, taps, "same").astype(np.float32)


@pytest.mark.parametrize("edge_hz", [3_400, 5_500, 7_000, 11_000, 16_000, 20_000])
def test_the_edge_of_a_low_pass_is_found_within_300_hz(reading_of, edge_hz):
    """Bands are 125 Hz wide, and the filter falls by 78 dB within 150 Hz of its edge."""
    samples = low_passed(talk(48_000), 48_000, edge_hz)
    assert reading_of(spectrum.SUBJECT, samples, 48_000).bandwidth_hz == pytest.approx(edge_hz, abs=300)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 96_000])
def test_sound_that_fills_its_rate_reaches_half_of_it(reading_of, rate_hz):
    bandwidth_hz = reading_of(spectrum.SUBJECT, talk(rate_hz), rate_hz).bandwidth_hz
    assert 0.96 * rate_hz / 2 <= bandwidth_hz <= rate_hz / 2


def test_an_upsampled_recording_is_as_narrow_as_before(reading_of):
    raised = soxr.resample(talk(16_000), 16_000, 48_000)
    assert reading_of(spectrum.SUBJECT, raised, 48_000).bandwidth_hz == pytest.approx(7_600, abs=500)


def test_hiss_above_the_band_is_no_bandwidth(reading_of):
    """White noise 30 dB under the sound, added after the low pass, does not move with the sound."""
    samples = low_passed(talk(48_000), 48_000, 5_500)
    hiss = np.random.default_rng(9).standard_normal(len(samples)) * np.sqrt(np.mean(samples**2)) * 10 ** (-30 / 20)
    assert reading_of(spectrum.SUBJECT, samples + hiss, 48_000).bandwidth_hz == pytest.approx(5_500, abs=400)


def test_a_whistle_above_the_band_is_no_bandwidth(reading_of):
    samples = low_passed(talk(48_000), 48_000, 5_500)
    at = np.arange(len(samples)) / 48_000
    whistle = 0.01 * np.sin(2 * np.pi * 15_625 * at) * (np.sin(2 * np.pi * 0.5 * at) > 0)
    assert reading_of(spectrum.SUBJECT, samples + whistle, 48_000).bandwidth_hz == pytest.approx(5_500, abs=400)


def test_digital_silence_between_sounds_changes_nothing(reading_of):
    samples = low_passed(talk(48_000), 48_000, 5_500)
    spaced = np.concatenate(
        (samples[: len(samples) // 2], np.zeros(20 * 48_000, np.float32), samples[len(samples) // 2 :])
    )
    assert reading_of(spectrum.SUBJECT, spaced, 48_000).bandwidth_hz == pytest.approx(5_500, abs=400)


@pytest.mark.parametrize("seconds", [0, 0.01, 1.0])
def test_what_is_too_short_has_no_bandwidth_and_says_why(reading_of, seconds):
    reading = reading_of(spectrum.SUBJECT, talk(16_000)[: round(16_000 * seconds)], 16_000)
    assert reading.bandwidth_hz is None
    assert reading.why is not None


def test_silence_and_a_steady_tone_have_no_bandwidth(reading_of):
    tone = np.sin(2 * np.pi * 440 * np.arange(80_000) / 16_000)
    for samples in (np.zeros(80_000), tone):
        reading = reading_of(spectrum.SUBJECT, samples, 16_000)
        assert reading.bandwidth_hz is None
        assert reading.why is not None


def test_the_windows_of_a_long_clip_are_thinned_out_and_tell_the_same():
    """Thrice as many windows as are kept, in odd pieces: memory stays, and so does the answer."""
    rate_hz = 8_000
    samples = low_passed(talk(rate_hz, seconds=20), rate_hz, 2_500)
    meter = BandwidthMeter(rate_hz, 1)
    for _ in range(3 * MAX_WINDOWS // 200):
        for part in np.array_split(samples, 7):
            meter.feed(part[:, None])
    assert meter.bandwidth_hz() == pytest.approx(2_500, abs=300)


@pytest.mark.parametrize("frames", [700, 16_001, None])
def test_bandwidth_does_not_depend_on_blocks(reading_of, frames):
    samples = np.stack([low_passed(talk(44_100), 44_100, 9_000)] * 2, axis=1)
    made = reading_of(spectrum.SUBJECT, samples, 44_100, frames=len(samples) if frames is None else frames)
    assert made.bandwidth_hz == reading_of(spectrum.SUBJECT, samples, 44_100).bandwidth_hz


def test_one_dead_side_and_two_that_cancel_have_the_bandwidth_of_the_live_one(reading_of):
    live = low_passed(talk(44_100), 44_100, 9_000)
    alone = reading_of(spectrum.SUBJECT, live, 44_100).bandwidth_hz
    for other in (np.zeros_like(live), -live):
        assert reading_of(spectrum.SUBJECT, np.stack((live, other), axis=1), 44_100).bandwidth_hz == alone


def test_the_colour_of_a_voice_does_not_depend_on_its_level_and_shows_a_filter(reading_of, speechlike):
    voice = speechlike(8.0, rate_hz=16_000).astype(np.float32)
    flat = np.array(reading_of(spectrum.SUBJECT, voice, engine="webrtcvad").bands_db)
    quieter = np.array(reading_of(spectrum.SUBJECT, 0.5 * voice, engine="webrtcvad").bands_db)
    assert len(flat) == 19  # 100 Hz to 6.3 kHz; the band at 8 kHz reaches beyond 8 kHz
    assert flat.mean() == pytest.approx(0, abs=0.01)
    assert quieter == pytest.approx(flat, abs=0.5)  # the detector may take another frame for speech
    dull = np.array(reading_of(spectrum.SUBJECT, low_passed(voice, 16_000, 3_000), engine="webrtcvad").bands_db)
    assert (dull - flat)[-1] < (dull - flat)[5] - 20
