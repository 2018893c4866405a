"""Signals and blocks for tests that hold for every meter and every engine."""

import numpy as np
import pytest

from pipeline.records import Activity, Block, StreamInfo
from pipeline.stages import derive

POSITIONS = {1: ("FC",), 2: ("FL", "FR"), 3: ("FL", "FR", "FC"), 6: ("FL", "FR", "FC", "LFE", "BL", "BR")}


def make_info(rate_hz=16_000, channels=1):
    return StreamInfo("wav", "pcm_s16le", rate_hz, channels, 16, positions=POSITIONS[channels])


def make_blocks(samples, rate_hz, frames=None):
    """Blocks of so many frames of samples (frames, channels); None is all at once."""
    size = max(len(samples) if frames is None else frames, 1)
    for start in range(0, len(samples), size):
        yield Block(samples[start : start + size], start, rate_hz)


class LoudEnough:
    """A stand-in for a network: speech is what is louder than -50 dBFS in 300 ms, and it answers ten frames late."""

    name = "pyannet"

    def __init__(self):
        self._held = np.zeros(9 * Activity.HOP, np.float32)
        self._fed = self._made = 0

    def feed(self, samples):
        self._held = np.concatenate((self._held, samples))
        self._fed += len(samples)
        return self._answer(max(len(self._held) // Activity.HOP - 18, 0))

    def finish(self):
        owed = -(-self._fed // Activity.HOP) - self._made
        self._held = np.concatenate((self._held, np.zeros(20 * Activity.HOP, np.float32)))
        return self._answer(owed)

    def _answer(self, frames):
        windows = [self._held[i * Activity.HOP : (i + 19) * Activity.HOP] for i in range(frames)]
        said = np.array([float(np.mean(np.square(w)) > 1e-5) for w in windows], np.float32).reshape(-1, 1)
        self._held, self._made = self._held[frames * Activity.HOP :], self._made + frames
        return np.concatenate((said, said, 0 * said, 0 * said), axis=1)


def make_derived(samples, rate_hz, frames=None, engine=None):
    """The info and the derived blocks of samples (frames, channels), by a stand-in for the network."""
    info = make_info(rate_hz, samples.shape[1])
    made = derive.derive(info, make_blocks(samples, rate_hz, frames), LoudEnough() if engine is None else engine)
    return info, made


@pytest.fixture(scope="session")
def derived():
    """`derived(samples, rate_hz, frames, engine)`: (info, blocks with their derived signals)."""
    return make_derived


@pytest.fixture(scope="session")
def stream_info():
    """`stream_info(rate_hz, channels)`."""
    return make_info


@pytest.fixture(scope="session")
def in_blocks():
    """`in_blocks(samples, rate_hz, frames)`: blocks as they are decoded."""
    return make_blocks
