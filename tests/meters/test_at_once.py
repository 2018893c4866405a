"""Two at once: which windows are looked at, that blocks do not show, and how little is kept. The network is a stand-in.

So is what GE2E hears: `nothing` where all looks are like the voice heard most, and known to be at once.
"""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.meters import at_once
from pipeline.meters.at_once import BAND_HZ, HINT, HINT_FRAMES, LASTS, SPOKEN_FRAMES, SURE, AtOnceMeter
from pipeline.meters.partials import PartialsMeter
from pipeline.partials import ALL, Unlike
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
    monkeypatch.setattr(at_once, "low_passed", lambda samples, _band_hz, _rate_hz: samples)
    return made


def looks(*unlike, until=ALL):
    """What GE2E has heard until that sample: looks, from which to which frame of activity, unlike the rest."""
    return Unlike(np.array(unlike, np.int64).reshape(-1, 2) * HOP, until)


nothing = looks()


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


def read(listener, samples, hint, frames=100, unlike=nothing):
    meter = AtOnceMeter(lambda: listener)
    for block in blocks(samples, hint, frames):
        meter.feed(block, unlike)
    made = meter.read(unlike)
    assert np.array_equal(made, meter.read(unlike)), "asking changes something"
    return made


@pytest.mark.parametrize("count", [HINT_FRAMES + 20, FRAMES, 3 * FRAMES + 17])
def test_it_is_where_the_network_hears_it_in_windows_with_a_hint(listener, count):
    samples, hint = np.zeros(count * HOP, np.float32), np.zeros(count)
    for first in range(5, count - 10, 200):
        samples[first * HOP : (first + 7) * HOP] = 0.9
        hint[first : first + HINT_FRAMES] = HINT
    assert np.array_equal(read(listener, samples, hint), 2 * (samples.reshape(-1, HOP)[:, 0] > 0))


def test_what_may_be_and_what_surely_is_are_told_apart(listener):
    near = [each + apart for each in (LASTS, SURE) for apart in (-0.01, 0.01)]
    samples = np.repeat(np.array([0.0, *near, 1.0, 0.0], np.float32), HOP)
    made = read(listener, np.append(samples, np.zeros(HINT_FRAMES * HOP, np.float32)), np.ones(7 + HINT_FRAMES))
    assert made[:7].tolist() == [0, 0, 1, 1, 2, 2, 0]
    assert not made[7:].any()


@pytest.mark.parametrize(("seconds", "windows"), [(0.75, 0), (0.95, 1)])
def test_a_faint_hint_lasts_most_of_a_second(listener, seconds, windows):
    hint = np.zeros(FRAMES)
    hint[20 : 20 + round(seconds / Activity.FRAME_S)] = 0.12
    read(listener, np.zeros(FRAMES * HOP, np.float32), hint)
    assert (listener.windows > 0) == (windows > 0)


def test_in_a_last_window_that_is_short_half_of_it_is_enough(listener):
    for frames, looked in ((25, True), (24, False)):
        hint = np.zeros(50)
        hint[:frames] = HINT
        listener.windows = 0
        read(listener, np.zeros(50 * HOP, np.float32), hint)
        assert (listener.windows > 0) == looked


def test_without_a_hint_nothing_is_looked_at(listener):
    hint = np.zeros(4 * FRAMES)
    hint[10 : 10 + HINT_FRAMES - 1] = 0.9
    hint[FRAMES + 10 :] = 0.9 * HINT
    assert not read(listener, np.ones(4 * FRAMES * HOP, np.float32), hint).any()
    assert listener.windows == 0


def test_where_ge2e_hears_another_voice_the_network_listens_without_a_hint_too(listener):
    samples, hint = np.ones(4 * FRAMES * HOP, np.float32), np.zeros(4 * FRAMES)
    for at, windows in (((300, 395), [1]), ((FRAMES - 1, FRAMES + 1), [0, 1]), ((FRAMES, 2 * FRAMES), [1])):
        made = read(listener, samples, hint, unlike=looks((5, 6), at)).reshape(4, FRAMES)
        assert np.flatnonzero(made.all(axis=1)).tolist() == sorted({0, *windows})
        assert set(made.any(axis=1) == made.all(axis=1)) == {True}


FIRST = 0.7
"""How likely two are at the first hearing."""


class Doubtful(Listener):
    """Sure of two in the first half of what it is given, and less so in the second."""

    def __init__(self, second):
        super().__init__()
        self.second = second

    def run(self, names, given):
        (likely,) = super().run(names, given)
        likely[:, FRAMES // 2 :] *= self.second
        return [likely]


@pytest.mark.parametrize(
    ("second", "mark"),
    [
        (1.0, 2),
        (2 * SURE / FIRST - 0.99, 2),
        (2 * SURE / FIRST - 1.01, 1),
        (2 * LASTS / FIRST - 0.99, 1),
        (2 * LASTS / FIRST - 1.01, 0),
    ],
)
def test_what_it_takes_for_two_is_heard_once_more_in_other_company_and_the_mean_counts(monkeypatch, second, mark):
    network = Doubtful(second)
    monkeypatch.setattr(at_once, "SincNet", lambda _metadata: network)
    monkeypatch.setattr(at_once, "low_passed", lambda samples, _band_hz, _rate_hz: samples)
    samples = np.zeros(FRAMES * HOP, np.float32)
    samples[20 * HOP : 40 * HOP] = FIRST
    made = read(network, samples, np.ones(FRAMES))
    assert made[20:40].tolist() == [mark] * 20
    assert network.batches[0][0] == 1


@pytest.mark.parametrize(("frame", "again"), [(0, 1), (145, 1), (146, 1), (292, 1), (None, 2)])
def test_only_the_half_of_a_window_in_which_it_hears_two_is_heard_once_more(listener, frame, again):
    samples = np.zeros(FRAMES * HOP, np.float32)
    for each in (3, 290) if frame is None else (frame,):
        samples[each * HOP : (each + 1) * HOP] = 1.0
    hint = np.ones(FRAMES)
    meter = AtOnceMeter(lambda: listener)
    for block in blocks(samples, hint, FRAMES):
        meter.feed(block, nothing)
    assert np.array_equal(meter.read(nothing), 2 * (samples.reshape(-1, HOP)[:, 0] > 0))
    assert listener.batches[1][0] == again


@pytest.mark.parametrize(("likely", "again"), [(LASTS - 0.01, False), (LASTS + 0.01, True)])
def test_a_half_in_which_two_are_not_likely_is_not_heard_once_more(listener, likely, again):
    samples = np.zeros(FRAMES * HOP, np.float32)
    samples[10 * HOP : 20 * HOP] = likely
    read(listener, samples, np.ones(FRAMES))
    assert [count for count, _ in listener.batches] == [1, *[1] * again] * 2, "asked twice"


def test_a_window_waits_until_ge2e_has_looked_at_all_of_it(listener):
    samples, hint = np.zeros(12 * FRAMES * HOP, np.float32), np.zeros(12 * FRAMES)
    meter = AtOnceMeter(lambda: listener)
    for block in blocks(samples, hint, FRAMES):
        meter.feed(block, looks(until=0))
    meter.feed(next(blocks(samples, hint, 1)), looks((0, 1_000), until=4 * FRAMES * HOP - 1))
    assert listener.windows == 0, "three are certain, which are no batch yet"
    meter.feed(next(blocks(samples, hint, 1)), looks((0, 1_000), until=4 * FRAMES * HOP))
    assert listener.windows == 4


def test_a_window_with_next_to_no_speech_is_not_looked_at(listener):
    samples = np.ones(2 * FRAMES * HOP, np.float32)
    (block,) = blocks(samples, np.ones(2 * FRAMES), 2 * FRAMES)
    block.activity.speech[: FRAMES - SPOKEN_FRAMES + 1] = 0.4
    block.activity.speech[FRAMES : 2 * FRAMES - SPOKEN_FRAMES] = 0.4
    meter = AtOnceMeter(lambda: listener)
    meter.feed(block, nothing)
    assert meter.read(nothing).reshape(2, FRAMES).all(axis=1).tolist() == [False, True]


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
        together.append(listener.batches[:6])
    assert all(each == together[0] for each in together)
    assert [count for count, _ in together[0]] == [4, 8, 4, 8, 1, 2], "each batch, and its halves once more"


def test_asking_in_the_middle_changes_nothing_of_what_follows(listener):
    samples = np.random.default_rng(6).uniform(0, 0.9, 7 * FRAMES * HOP).astype(np.float32)
    meter = AtOnceMeter(lambda: listener)
    for block in blocks(samples, np.ones(7 * FRAMES), 500):
        meter.feed(block, nothing)
        meter.read(nothing)
    assert np.array_equal(meter.read(nothing), read(listener, samples, np.ones(7 * FRAMES)))


def test_an_hour_keeps_a_byte_a_frame(listener):
    meter, frames = AtOnceMeter(lambda: listener), 586
    samples, hint = np.zeros(frames * HOP, np.float32), np.ones(frames)
    block = next(blocks(samples, hint, frames))
    tracemalloc.start()
    for _ in range(360):
        meter.feed(block, nothing)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 360 * frames + (4 << 20)  # of up to five windows, 640 kB each, and a block


def test_the_network_hears_nothing_over_its_band(monkeypatch):
    network, at_s = Listener(), np.arange(FRAMES * HOP) / RATE_HZ
    monkeypatch.setattr(at_once, "SincNet", lambda _metadata: network)
    for tone_hz, mark in ((BAND_HZ - 500, 2), (BAND_HZ + 500, 0)):
        made = read(network, np.sin(2 * np.pi * tone_hz * at_s).astype(np.float32), np.ones(FRAMES))
        assert set(made[5:-5].tolist()) == {mark}


class Alike:
    """In the encoder's place: everybody sounds the same."""

    def run(self, _names, given):
        return [np.eye(256, dtype=np.float32)[[0] * len(given["mel"])]]


def test_where_somebody_speaks_now_and_then_no_more_than_eighty_windows_wait(listener):
    """A third of a second in every window: GE2E has looked when there are 26 s of it, after 76 windows of 640 kB."""
    meter, partials = AtOnceMeter(lambda: listener), PartialsMeter(Alike())
    samples, hint = np.zeros(FRAMES * HOP, np.float32), np.zeros(FRAMES)
    (block,) = blocks(samples, hint, FRAMES)
    block.activity.speech[SPOKEN_FRAMES:] = 0.0
    block.activity.voices[SPOKEN_FRAMES:] = 0.0
    tracemalloc.start()
    for _ in range(200):
        partials.feed(block)
        meter.feed(block, partials.unlike())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 40 * 640_000 < peak < 84 * 640_000 + (6 << 20)
