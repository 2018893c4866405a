"""What readers' own short pauses sound like to the network, in the recordings as they are and at the rates that people upload."""

import numpy as np
import pytest
from scipy import ndimage, signal

from pipeline.records import Block, StreamInfo
from pipeline.stages import derive

RATE_HZ = 16_000
LEAST, INSET = 24, 6
"""Frames: pauses of 0.4 s, and without the breath at either end."""


@pytest.fixture(scope="module")
def readings(harness):
    """Sixteen readers' utterances that stand clear of their own room, 16 kHz."""
    return [found.samples for found in harness.recordings.clean("tuning", 40.0) if found.rate_hz == RATE_HZ][:16]


def speech(samples, rate_hz):
    info = StreamInfo("wav", "pcm_f32le", rate_hz, 1, positions=("FC",))
    blocks = derive.derive(info, [Block(samples[:, None], 0, rate_hz)], derive.activity_engine("pyannet"))
    return np.concatenate([block.activity.speech for block in blocks])


def pauses(samples):
    """Which frames lie in the lower 30 % of the range of levels, in decibels, between quietest and loudest, for so long."""
    cells = np.square(samples[: len(samples) // 270 * 270].reshape(-1, 270)).mean(axis=1)
    level_db = 10 * np.log10(np.convolve(cells, np.ones(5) / 5, "same") + 1e-12)
    low, high = np.percentile(level_db, (3, 90))
    quiet = ndimage.binary_opening(level_db < low + 0.3 * (high - low), np.ones(LEAST))
    return ndimage.binary_erosion(quiet, np.ones(2 * INSET + 1))


def test_a_pause_in_a_recording_at_16_khz_is_heard_as_one(readings):
    """Without the low-pass one in four of these frames counts as speech, for the air of a room between 7.6 and 8 kHz."""
    quiet = [pauses(samples) for samples in readings]
    assert sum(map(np.sum, quiet)) > 300
    assert ratio_of_speech([speech(samples, RATE_HZ) for samples in readings], quiet) < 0.05
    assert ratio_of_speech(map(unfiltered, readings), quiet) > 0.2


def unfiltered(samples):
    engine = derive.activity_engine("pyannet")
    return np.concatenate((engine.feed(samples), engine.finish()))[:, 0]


def ratio_of_speech(heard, quiet):
    return np.mean(
        np.concatenate([frames[: len(each)][each] for frames, each in zip(heard, quiet, strict=True)]) >= 0.5
    )


@pytest.mark.parametrize("rate_hz", [24_000, 44_100])
def test_a_recording_is_heard_alike_whatever_its_rate(readings, rate_hz):
    """Raised by its spectrum it is the same one; soxr's filters for two ratios are up to .007 apart near 7.6 kHz."""
    for reading in readings[:6]:
        samples = reading[: len(reading) // 160 * 160]
        raised = signal.resample(samples, len(samples) // 160 * rate_hz // 100).astype(np.float32)
        one, other = speech(samples, RATE_HZ), speech(raised, rate_hz)
        assert np.mean((one >= 0.5) != (other >= 0.5)) < 0.01
