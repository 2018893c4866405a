"""Clips for the checks: signals fed to a subject's meter by way of derive, and the harness of the accuracy measurement."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import Block, StreamInfo
from pipeline.stages import derive

POSITIONS = {1: ("FC",), 2: ("FL", "FR"), 3: ("FL", "FR", "FC")}


def make_info(rate_hz, channels, bits=16):
    return StreamInfo("wav", "pcm_s16le", rate_hz, channels, bits, positions=POSITIONS[channels])


def make_blocks(samples, rate_hz, frames):
    """Blocks of samples (frames, channels)."""
    samples = np.asarray(samples, np.float32)
    for start in range(0, len(samples), frames):
        yield Block(samples[start : start + frames], start, rate_hz)


def make_reading(subject, samples, rate_hz=16_000, engine=None, frames=None, bits=16):
    """What the subject reads in samples (frames,) or (frames, channels), its derived signals made on the way."""
    samples = np.asarray(samples, np.float32)
    samples = samples[:, None] if samples.ndim == 1 else samples
    info = make_info(rate_hz, samples.shape[1], bits)
    meter = subject.meter(info)
    blocks = make_blocks(samples, rate_hz, rate_hz if frames is None else frames)
    for block in derive.derive(info, blocks, None if engine is None else derive.activity_engine(engine)):
        meter.feed(block)
    return meter.read()


@pytest.fixture(scope="session")
def reading_of():
    """`reading_of(subject, samples, rate_hz, engine, frames, bits)`: one subject's reading of a signal."""
    return make_reading


@pytest.fixture(scope="session")
def harness():
    """The module that measures how well pauses are found; skipped where there are no real recordings."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "accuracy"))
    module = importlib.import_module("pauses")
    if not module.recordings.AUDIO.is_dir():
        pytest.skip("the real recordings are not here; VOXGATE_TEST_AUDIO names their folder")
    return module
