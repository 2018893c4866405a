"""Two at once: which windows are looked at, that blocks do not show, and how little is kept. The network is a stand-in."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.meters import at_once
from pipeline.meters.at_once import HINT, HINT_FRAMES, AtOnceMeter
from pipeline.records import Activity, Block
from pipeline.sincnet import FRAMES, LEAD, WINDOW

RATE_HZ, HOP = Activity.RATE_HZ, Activity.HOP


class Listener:
    """In the network's place, and in that of the layers in front of it: two speak as likely as the highest sample is high."""

    def __init__(self):
        self.windows, self.batches = 0, []

    def get_modelmeta(self):
        return SimpleNamespace(custom_metadata_map={})

    def bands(self, waveforms):
        assert waveforms.shape[1:] == (WINDOW,)
        return waveforms

    def run(self, _names, given):
        self.windows += len(given["bands"])
        self.batches.append((len(given["bands"]), float(given["bands"].sum())))
        own = given["bands"][:, LEAD : LEAD + FRAMES * HOP].reshape(-1, FRAMES, HOP)
        return [np.abs(own).max(axis=2)[:, :, None]]


@pytest.fixture
def listener(monkeypatch):
    made = Listener()
    monkeypatch.setattr(at_once, "SincNet", lambda _metadata: made)
    return made


def blocks(samples, hint, frames):
    """Blocks of that many frames; `hint` is the second voice's probability, a number for each frame."""
    for first in range(0, len(hint), frames):
        second = np.asarray(hint[first : first + frames], np.float32)
        mono = samples[first * HOP : (first + len(second)) * HOP]
        ones = np.ones(len(second), np.float32)
        voices = np.stack((ones, second, 0 * ones), axis=1)
        yield Block(
            mono[:, None], first * HOP, RATE_HZ, mono, Activity(first, ones, -26 * ones, voices, second, "pyannet")
        )


def read(listener, samples, hint, frames=100):
    meter = AtOnceMeter(lambda: listener)
    for block in blocks(samples, hint, frames):
        meter.feed(block)
    made = meter.read()
    assert np.array_equal(made, meter.read()), "asking changes something"
    return made


@pytest.mark.parametrize("count", [40, FRAMES, 3 * FRAMES + 17])
def test_it_is_where_the_network_hears_it_in_windows_with_a_hint(listener, count):
    samples, hint = np.zeros(count * HOP, np.float32), np.zeros(count)
    for first in range(5, count - 10, 200):
        samples[first * HOP : (first + 7) * HOP] = 0.9
        hint[first : first + HINT_FRAMES] = HINT
    assert np.array_equal(read(listener, samples, hint), 2 * (samples.reshape(-1, HOP)[:, 0] > 0))


def test_what_may_be_and_what_surely_is_are_told_apart(listener):
    samples = np.repeat(np.array([0.0, 0.59, 0.61, 0.79, 0.81, 1.0, 0.0], np.float32), HOP)
    made = read(listener, np.append(samples, np.zeros(HINT_FRAMES * HOP, np.float32)), np.ones(7 + HINT_FRAMES))
    assert made[:7].tolist() == [0, 0, 1, 1, 2, 2, 0]
    assert not made[7:].any()


def test_without_a_hint_nothing_is_looked_at(listener):
    hint = np.zeros(4 * FRAMES)
    hint[10 : 10 + HINT_FRAMES - 1] = 0.9
    hint[FRAMES + 10 :] = 0.9 * HINT
    assert not read(listener, np.ones(4 * FRAMES * HOP, np.float32), hint).any()
    assert listener.windows == 0


def test_blocks_do_not_show(listener):
    random = np.random.default_rng(3)
    samples = (random.uniform(0, 0.9, (1_000, 1)) * np.ones((1, HOP))).astype(np.float32).ravel()
    hint = random.uniform(0, 1.2 * HINT, 1_000)
    whole = read(listener, samples, hint, 1_000)
    assert set(whole.tolist()) == {0, 1, 2}
    for frames in (1, 37, 293, 600):
        assert np.array_equal(read(listener, samples, hint, frames), whole)


def test_the_same_windows_go_together_whatever_the_blocks(listener):
    """Else a network that rounds otherwise in other company might mark other frames."""
    samples = np.random.default_rng(4).uniform(0, 0.9, 11 * FRAMES * HOP).astype(np.float32)
    hint = np.repeat(np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1]), FRAMES)
    together = []
    for frames in (50, 293, 1_000, 11 * FRAMES):
        listener.batches = []
        read(listener, samples, hint, frames)
        together.append(listener.batches[:3])
    assert all(each == together[0] for each in together)
    assert [count for count, _ in together[0]] == [4, 4, 1]


def test_asking_in_the_middle_changes_nothing_of_what_follows(listener):
    samples = np.random.default_rng(6).uniform(0, 0.9, 7 * FRAMES * HOP).astype(np.float32)
    meter = AtOnceMeter(lambda: listener)
    for block in blocks(samples, np.ones(7 * FRAMES), 500):
        meter.feed(block)
        meter.read()
    assert np.array_equal(meter.read(), read(listener, samples, np.ones(7 * FRAMES)))


def test_an_hour_keeps_a_byte_a_frame(listener):
    meter, frames = AtOnceMeter(lambda: listener), 586
    samples, hint = np.zeros(frames * HOP, np.float32), np.ones(frames)
    block = next(blocks(samples, hint, frames))
    tracemalloc.start()
    for _ in range(360):
        meter.feed(block)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 360 * frames + (2 << 20)
