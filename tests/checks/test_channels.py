"""What two channels have to do with each other: one voice or two, in phase or not, both alive."""

import numpy as np
import pytest
from scipy import signal

from pipeline.checks.channels import SUBJECT, ChannelsLimits, dead_channel, different_channels, inverted_channels
from pipeline.readings import Channels

RATE_HZ = 16_000


def noise(seed, frames, dbfs):
    return 10 ** (dbfs / 20) * np.random.default_rng(seed).standard_normal(frames)


def sides(left, right):
    """Stereo with a room's noise of its own on each side, 45 dB under a voice."""
    return np.stack([left + noise(1, len(left), -70), right + noise(2, len(right), -70)], axis=1)


def room(seed, t60_s, direct=1.0):
    """An impulse response: the direct sound and decaying noise behind it."""
    at = np.arange(round(t60_s * RATE_HZ)) / RATE_HZ
    response = 0.02 * np.random.default_rng(seed).standard_normal(len(at)) * 10 ** (-3 * at / t60_s)
    response[0] = direct
    return response


def phrases(speechlike, seed, seconds=12.0):
    """A voice with a tempo of its own that pauses for half a second every two."""
    made_hz = RATE_HZ + 3_000 * seed
    voice = speechlike(seconds * RATE_HZ / made_hz, rate_hz=made_hz, seed=seed)
    voice[np.arange(len(voice)) % (2 * RATE_HZ) > 1.5 * RATE_HZ] *= 1e-3
    return voice


def codes(channels):
    rules = {"dead": dead_channel, "inverted": inverted_channels, "different": different_channels}
    return {name for name, rule in rules.items() if list(rule(channels, ChannelsLimits()))}


def one_voice(speechlike):
    """Ways in which one voice comes to two channels."""
    voice = speechlike(12.0, rate_hz=RATE_HZ)
    yield "the same twice", voice, voice
    yield "noise 15 dB under one side", voice, voice + noise(3, len(voice), -37)
    yield "6 dB apart and 1 ms late", voice, 0.5 * np.roll(voice, 16)
    yield "spaced by 3 m", voice, 0.5 * np.roll(voice, 144)
    for t60_s in (0.3, 0.6, 1.2):
        left, right = (signal.fftconvolve(voice, room(seed, t60_s))[: len(voice)] for seed in (4, 5))
        yield f"two microphones in a room of {t60_s} s", left, np.roll(right, 40)
        yield f"one near, one far in a room of {t60_s} s", voice, np.roll(right, 100)


def test_one_voice_on_two_channels_is_one_voice(speechlike, reading_of):
    for name, left, right in one_voice(speechlike):
        channels = reading_of(SUBJECT, sides(left, right), RATE_HZ)
        assert (name, codes(channels)) == (name, set())


def two_signals(speechlike):
    """Ways in which two channels carry two things."""
    first, second = phrases(speechlike, 1), phrases(speechlike, 2)
    yield "two passages", first, np.roll(second, RATE_HZ)
    yield "two passages with their pauses at the same time", first, second
    yield "with crosstalk of -20 dB", first + 0.1 * second, second + 0.1 * first
    turn = np.arange(len(first)) // (3 * RATE_HZ) % 2
    host, guest = first * turn, second * (1 - turn)
    yield "an interview", host + 0.18 * guest, guest + 0.18 * host
    yield "voice and noise", first, noise(6, len(first), -30)
    yield "one voice twice, a second apart", first, np.roll(first, 21_000)


def test_two_signals_on_two_channels_are_told(speechlike, reading_of):
    for name, left, right in two_signals(speechlike):
        channels = reading_of(SUBJECT, sides(left, right), RATE_HZ)
        assert (name, codes(channels)) == (name, {"different"})


def test_real_readings_side_by_side_are_told_and_one_reading_twice_is_not(harness, reading_of):
    readings = [u.samples for u in harness.utterances("held out") if len(u.samples) > 10 * RATE_HZ][:8]
    for left, right in zip(readings[::2], readings[1::2], strict=True):
        length = min(len(left), len(right))
        assert codes(reading_of(SUBJECT, sides(left[:length], right[:length]), RATE_HZ)) == {"different"}
        far = signal.fftconvolve(left, room(7, 0.5))[: len(left)]
        assert codes(reading_of(SUBJECT, sides(left, np.roll(far, 60)), RATE_HZ)) == set()


@pytest.mark.parametrize("gain", [-1.0, -0.5, -2.0])
def test_a_side_upside_down_is_told(speechlike, reading_of, gain):
    voice = 0.4 * speechlike(5.0, rate_hz=RATE_HZ)
    channels = reading_of(SUBJECT, sides(voice, gain * voice), RATE_HZ)
    assert codes(channels) == {"inverted"}
    assert channels.correlation == pytest.approx(-1.0, abs=0.01)


def test_what_a_downmix_loses_is_measured(speechlike, reading_of):
    voice = speechlike(5.0, rate_hz=RATE_HZ)
    both = reading_of(SUBJECT, np.stack([voice, voice], axis=1), RATE_HZ)
    half = reading_of(SUBJECT, np.stack([voice, 0.5 * voice], axis=1), RATE_HZ)
    assert both.downmix_loss_db == pytest.approx(0.0, abs=0.01)
    assert half.downmix_loss_db == pytest.approx(20 * np.log10(1 / 0.75), abs=0.01)


@pytest.mark.parametrize("frames", [None, 1_600, 7_777])
def test_what_a_downmix_cancels_is_exact_whatever_the_blocks(speechlike, reading_of, frames):
    """120 dB is the most that is told."""
    voice = speechlike(2.0, rate_hz=RATE_HZ)
    for side, correlation, loss_db in ((voice, 1.0, 0.0), (-voice, -1.0, 120.0)):
        channels = reading_of(SUBJECT, np.stack([voice, side], axis=1), RATE_HZ, frames=frames)
        assert (channels.correlation, channels.downmix_loss_db) == pytest.approx((correlation, loss_db), abs=1e-9)


@pytest.mark.parametrize("faint", [0.0, 1e-4, 0.009])
def test_a_silent_side_is_dead_and_one_that_is_only_quiet_is_not(speechlike, reading_of, faint):
    voice = speechlike(5.0, rate_hz=RATE_HZ)
    dead = reading_of(SUBJECT, np.stack([voice, faint * voice], axis=1), RATE_HZ)
    assert (codes(dead), dead.dead, dead.correlation) == ({"dead"}, (2,), None)
    assert codes(reading_of(SUBJECT, np.stack([voice, 0.011 * voice], axis=1), RATE_HZ)) == set()


def test_the_first_two_live_channels_are_compared(speechlike, reading_of):
    voice = speechlike(5.0, rate_hz=RATE_HZ)
    channels = reading_of(SUBJECT, np.stack([voice, 0 * voice, -voice], axis=1), RATE_HZ)
    assert (channels.dead, codes(channels)) == ((2,), {"dead", "inverted"})


def test_mono_and_silence_have_nothing_to_compare(speechlike, reading_of):
    assert reading_of(SUBJECT, speechlike(1.0, rate_hz=RATE_HZ), RATE_HZ) == Channels()
    silent = reading_of(SUBJECT, np.zeros((RATE_HZ, 2)), RATE_HZ)
    assert silent == Channels(2, why="every sample is zero")
    assert codes(silent) == set()


def test_a_second_of_stereo_is_too_short_to_call_its_sides_different(speechlike, reading_of):
    first, second = (speechlike(1.5, rate_hz=RATE_HZ, seed=seed) for seed in (1, 2))
    channels = reading_of(SUBJECT, sides(first, second), RATE_HZ)
    assert channels.level_correlation is None
    assert codes(channels) == set()
