"""Tones as the EBU's tables write them, and meters fed in blocks."""

import os
from pathlib import Path

import numpy as np
import pytest

from pipeline.meters.bs1770 import LoudnessMeter
from pipeline.meters.true_peak import TruePeakMeter

STEREO = ("FL", "FR")
AUDIO = Path(os.environ.get("VOXGATE_TEST_AUDIO", Path(__file__).parents[3] / "shared" / "audio"))


def make_steps(steps, rate_hz=48_000, hz=1_000.0, channels=2):
    """A tone in steps of (seconds, peak dBFS or None for silence), its phase running on: float32 (frames, channels)."""
    edges = np.round(np.cumsum([0.0, *(seconds for seconds, _ in steps)]) * rate_hz).astype(int)
    gain = np.concatenate(
        [
            np.full(end - start, 0.0 if dbfs is None else 10 ** (dbfs / 20))
            for (_, dbfs), start, end in zip(steps, edges[:-1], edges[1:], strict=True)
        ]
    )
    tone = gain * np.sin(2 * np.pi * hz * np.arange(len(gain)) / rate_hz)
    return np.repeat(tone.astype(np.float32)[:, None], channels, axis=1)


def make_blocks(samples, frames=None):
    """(start, samples) of a signal cut into blocks of so many frames; None is all at once."""
    size = len(samples) if frames is None else frames
    for start in range(0, len(samples), size):
        yield start, samples[start : start + size]


def make_loudness(samples, rate_hz=48_000, positions=STEREO, frames=48_000):
    """A loudness meter that was fed all of it."""
    meter = LoudnessMeter(rate_hz, positions)
    for start, part in make_blocks(samples, frames):
        meter.feed(part, start)
    return meter


def make_true_peak(samples, rate_hz=48_000, frames=48_000):
    """The true peak of samples (frames,) or (frames, channels)."""
    samples = np.asarray(samples, np.float32)
    samples = samples[:, None] if samples.ndim == 1 else samples
    meter = TruePeakMeter(rate_hz, samples.shape[1])
    for _, part in make_blocks(samples, frames):
        meter.feed(part)
    return meter.true_peak_dbtp()


@pytest.fixture(scope="session")
def steps():
    """`steps([(seconds, dbfs), ...], rate_hz, hz, channels)`: a tone whose level changes."""
    return make_steps


@pytest.fixture(scope="session")
def in_blocks():
    """`in_blocks(samples, frames)`: (start, samples) pairs."""
    return make_blocks


@pytest.fixture(scope="session")
def loudness_of():
    """`loudness_of(samples, rate_hz, positions, frames)`: a meter that was fed all of it."""
    return make_loudness


@pytest.fixture(scope="session")
def true_peak_of():
    """`true_peak_of(samples, rate_hz, frames)`: dBTP."""
    return make_true_peak


@pytest.fixture(scope="session")
def real_audio():
    """The folder of real recordings; they are not part of the project, and the tests on them are skipped without."""
    if not AUDIO.is_dir():
        pytest.skip("the real recordings are not here; VOXGATE_TEST_AUDIO names their folder")
    return AUDIO
