"""Filter bank energies against Kaldi's steps, one frame after the other in double precision."""

import math

import numpy as np
import pytest

from pipeline.fbank import BANDS, FLOOR, fbank

RATE_HZ = 16_000


def tone(hz, seconds=0.5):
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def noise(seconds, seed=0):
    return (0.05 * np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))).astype(np.float32)


def mel(hz):
    return 1127 * math.log(1 + hz / 700)


def step_by_step(samples):
    """Kaldi's compute-fbank-feats for samples that are brought to -26 dBFS, less the mean of each band."""
    samples = samples.astype(np.float64) * 10 ** (-26 / 20) / math.sqrt(np.mean(samples.astype(np.float64) ** 2))
    low, high = mel(20), mel(8_000)
    step = (high - low) / (BANDS + 1)
    rows = []
    for first in range(0, len(samples) - 399, 160):
        frame = samples[first : first + 400] - samples[first : first + 400].mean()
        frame = np.concatenate(([frame[0] - 0.97 * frame[0]], frame[1:] - 0.97 * frame[:-1]))
        window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
        power = np.abs(np.fft.rfft(frame * window, 512)) ** 2
        row = []
        for band in range(BANDS):
            left, centre, right = (low + (band + edge) * step for edge in range(3))
            energy = 0.0
            for k in range(256):
                at = mel(k * RATE_HZ / 512)
                if left < at < right:
                    energy += power[k] * (
                        (at - left) / (centre - left) if at <= centre else (right - at) / (right - centre)
                    )
            row.append(math.log(max(energy, FLOOR)))
        rows.append(row)
    return np.array(rows) - np.mean(rows, axis=0)


@pytest.mark.parametrize("seconds", [0.025, 0.1, 0.3])
def test_the_bands_are_kaldis(seconds):
    made = fbank(noise(seconds))
    assert made.shape == ((round(seconds * RATE_HZ) - 400) // 160 + 1, BANDS)
    # Single precision through a transform of 512 points: 1e-6 of an energy, and so of its logarithm; hardly more in faint bands.
    assert made == pytest.approx(step_by_step(noise(seconds)), abs=1e-3)


def test_the_level_does_not_show():
    quiet = fbank(np.float32(1e-3) * noise(0.4))
    assert quiet == pytest.approx(fbank(noise(0.4)), abs=1e-3)


def test_what_is_the_same_in_all_frames_does_not_show():
    """A microphone's colour is a factor in each band, and what is left of a steady tone is nothing."""
    made = fbank(tone(1_000))
    assert np.abs(made[:, 30]).max() < 0.05


def test_a_tone_that_comes_shows_where_it_is():
    comes = np.concatenate((tone(300), tone(2_000)))
    rises = fbank(comes)[-1] - fbank(comes)[0]
    edges = np.linspace(mel(20), mel(8_000), BANDS + 2)
    assert int(np.argmax(rises)) == pytest.approx(int(np.argmin(np.abs(edges[1:-1] - mel(2_000)))), abs=1)


@pytest.mark.parametrize("samples", [0, 399])
def test_less_than_a_frame_gives_none(samples):
    assert fbank(np.ones(samples, np.float32)).shape == (0, BANDS)


def test_digital_silence_is_no_number_that_is_none():
    # What is left of a mean in single precision.
    assert np.abs(fbank(np.zeros(1_600, np.float32))).max() < 1e-5
