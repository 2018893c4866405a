"""Clips for the checks: signals fed to a subject's meter by way of derive, and the harness of the accuracy measurement."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.partials import LOOK, Partials
from pipeline.records import Block, StreamInfo
from pipeline.stages import derive
from pipeline.voiceprints import unit

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


SPREAD = 0.5
"""How far a single look lies from its voice: cosines of 0.89 to it, as a reader's looks have."""

ROOM = (100.0, 3.0, -14.0)


def make_people(count, seed=1):
    """Voices that are 0.5 alike."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.standard_normal((256, count + 1)))[0].T
    return unit(np.sqrt(0.5) * axes[0] + np.sqrt(0.5) * axes[1:])


def make_talk(turns, voices, step=40, gaps=0, seed=2):
    """Looks at turns (voice, frames of speech), every `step` frames, with silent gaps of so many frames between turns."""
    random = np.random.default_rng(seed)
    who = np.concatenate([np.full(frames, voice) for voice, frames in turns])
    number = np.concatenate([np.full(frames, i) for i, (_, frames) in enumerate(turns)])
    spoken = np.arange(len(who)) + gaps * number
    at = np.unique(np.append(np.arange(0, max(len(who) - LOOK, 0) + 1, step), max(len(who) - LOOK, 0)))
    looks = []
    for start in at:
        share = np.bincount(who[start : start + LOOK], minlength=len(voices)) / LOOK
        noise = random.standard_normal(256)
        looks.append(unit(share @ voices) + SPREAD * noise / np.linalg.norm(noise))
    return Partials(at, unit(np.array(looks)), spoken, np.tile(np.float32(ROOM), (len(at), 1)))


@pytest.fixture(scope="session")
def people():
    """`people(count, seed)`: that many voices that are half alike."""
    return make_people


@pytest.fixture(scope="session")
def talk():
    """`talk(turns, voices, step, gaps, seed)`: looks at a talk that was made by hand."""
    return make_talk


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
