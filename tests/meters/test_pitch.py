"""The pitch of frames: of sounds whose pitch is known, and of those that have none."""

import numpy as np
import pytest

from pipeline import mel
from pipeline.pitch import pitches

RATE_HZ = mel.RATE_HZ


def pitches_of(samples):
    """Of all frames but those at the ends, (frames, 2)."""
    frames = mel.MelFrames()
    found = np.concatenate([*frames.feed(np.asarray(samples, np.float32)), frames.rest()])
    return pitches(found[10:-10, mel.BANDS :])


def buzz(hz):
    """A second of equal harmonics up to 3 kHz, as a voice's source has them."""
    at_s = np.arange(RATE_HZ) / RATE_HZ
    return 0.02 * sum(np.sin(2 * np.pi * hz * k * at_s) for k in range(1, int(3_000 / hz)))


@pytest.mark.parametrize(("hz", "least"), [(90.0, 0.4), (110.0, 0.95), (150.0, 0.95), (220.0, 0.95), (320.0, 0.95)])
def test_the_pitch_of_a_buzz_is_its_own(hz, least):
    """Of 90 Hz a frame holds two periods, of which the window leaves little at its ends: half the frames tell."""
    pitched, semitones = pitches_of(buzz(hz)).T
    assert pitched.mean() > least
    # Periods are whole samples: 0.35 semitones at 320 Hz.
    assert np.median(semitones[pitched > 0]) == pytest.approx(12 * np.log2(hz / 100), abs=0.4)


@pytest.mark.parametrize("samples", [np.zeros(16_000), 0.1 * np.random.default_rng(1).standard_normal(16_000)])
def test_silence_and_noise_have_no_pitch(samples):
    found = pitches_of(samples)
    assert found[:, 0].mean() < 0.1
    assert np.isfinite(found).all()


def test_a_frame_without_a_pitch_says_zero_and_not_a_guess():
    found = pitches_of(0.1 * np.random.default_rng(2).standard_normal(16_000))
    assert (found[found[:, 0] == 0, 1] == 0).all()
