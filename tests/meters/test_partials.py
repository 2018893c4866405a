"""Looks at voices: where they are taken, and that nothing about blocks or order shows in them. The network is a stand-in."""

import numpy as np
import pytest

from pipeline import mel
from pipeline.encoder import GLANCE, LOUD, glanced
from pipeline.heard_most import SURELY_UNLIKE
from pipeline.meters import partials
from pipeline.meters.partials import (
    BATCH,
    CLOSER,
    DENSE_STEP,
    EVERY,
    FEW,
    KNOWN,
    LIKE_THOUGH_TWO_AT_A_GLANCE,
    LOOK,
    NEAR,
    STEP,
    PartialsMeter,
)
from pipeline.records import Activity, Block
from pipeline.speech_frames import MAYBE_TWO
from pipeline.voiceprints import unit

RATE_HZ, HOP = Activity.RATE_HZ, Activity.HOP
BANDS_HZ = {"low": (200, 900), "high": (1_500, 4_000)}


class Colours:
    """In the encoder's place: a voice is the mean spectrum of a look, so that voices of other bands are far apart."""

    def run(self, _outputs, given):
        means = given["mel"].mean(axis=1)
        voices = np.zeros((len(means), 256), np.float32)
        voices[:, : mel.BANDS] = means
        return [voices / np.maximum(np.linalg.norm(voices, axis=1, keepdims=True), 1e-9)]


def voice(band, seconds, seed=1):
    """Noise in the band of a voice."""
    random = np.random.default_rng(seed)
    bins = np.fft.rfft(random.standard_normal(round(seconds * RATE_HZ)))
    hz = np.fft.rfftfreq(round(seconds * RATE_HZ), 1 / RATE_HZ)
    low, high = BANDS_HZ[band]
    samples = np.fft.irfft(np.where((hz > low) & (hz < high), bins, 0), round(seconds * RATE_HZ))
    return (0.05 * samples / samples.std()).astype(np.float32)


def hissing(samples):
    """The same with hiss up to 8 kHz, as no telephone has."""
    return samples + 0.005 * np.random.default_rng(2).standard_normal(len(samples)).astype(np.float32)


def blocks(samples, speech=None, other=None, frames=50):
    """Blocks of that many frames of activity; `speech` and `other` say when somebody speaks, and when a second local voice."""
    count = -(-len(samples) // HOP)
    at_s = np.arange(count) * Activity.FRAME_S
    speaking = np.ones(count, np.float32) if speech is None else np.array([speech(s) for s in at_s], np.float32)
    second = np.zeros(count, np.float32) if other is None else np.array([other(s) for s in at_s], np.float32)
    voices = np.stack((speaking * (1 - second), second, np.zeros(count)), axis=1).astype(np.float32)
    for first in range(0, count, frames):
        part = slice(first, first + frames)
        mono = samples[first * HOP : (first + frames) * HOP]
        level = np.full(len(speaking[part]), -26.0, np.float32)
        activity = Activity(first, speaking[part], level, voices[part], second[part], "pyannet")
        yield Block(mono[:, None], first * HOP, RATE_HZ, mono, activity)


def looked(samples, **kwargs):
    meter = PartialsMeter(Colours())
    for block in blocks(samples, **kwargs):
        meter.feed(block)
    return meter.read()


def same(one, other):
    return (one.turns, one.unlike.looks.tolist()) == (other.turns, other.unlike.looks.tolist()) and all(
        (getattr(one, name) == getattr(other, name)).all() for name in ("at", "voices", "spoken", "sounds")
    )


def test_of_one_voice_there_is_a_look_every_two_seconds_and_one_at_the_end():
    found = looked(voice("low", 20.0))
    assert found.at.tolist() == [*range(0, 2_001 - LOOK + 1, STEP), 2_001 - LOOK]
    assert np.linalg.norm(found.voices, axis=1) == pytest.approx(1, abs=1e-3)


def test_around_another_voice_they_are_closer():
    samples = np.concatenate((voice("low", 12.0), voice("high", 3.0), voice("low", 12.0)))
    found = looked(samples)
    inside = found.at[(found.at > 1_000) & (found.at < 1_600)]
    assert (np.diff(inside) <= DENSE_STEP).all()
    outside = found.at[(found.at < 600) | (found.at > 2_200)]
    assert set(outside[:-1] % STEP) == {0}


def test_a_glance_hears_the_means_of_four_frames_each():
    class Means:
        def run(self, _outputs, given):
            self.heard = given["mel"]
            return [np.zeros((len(self.heard), 256), np.float32)]

    look = np.random.default_rng(1).uniform(0, 1, (LOOK, mel.COLUMNS)).astype(np.float32)
    network = Means()
    glanced(network, [look])
    means = look[:, : mel.BANDS].reshape(LOOK // 4, 4, mel.BANDS).mean(axis=1)
    assert network.heard[0] == pytest.approx(means * (LOUD / means.sum(axis=1).mean()), rel=1e-5)


def test_after_a_while_what_is_like_the_rest_is_only_glanced_at(monkeypatch):
    """A glance hears the means of four frames each, at each step of 2 s; a look hears all."""
    heard = []
    run = Colours.run
    monkeypatch.setattr(
        Colours, "run", lambda self, names, given: heard.append(given["mel"].shape[:2]) or run(self, names, given)
    )
    found = looked(hissing(voice("low", 120.0)))
    steps = (12_001 - LOOK) // STEP + 1
    at_first, now_and_then = range(KNOWN), range(EVERY, steps, EVERY)
    assert (KNOWN, EVERY) == (16 // 2, 96 // 2), "the first 16 s, and every 96 s"
    assert found.at.tolist() == [*(step * STEP for step in (*at_first, *now_and_then)), 12_001 - LOOK]
    assert [count for count, frames in heard if frames == LOOK][: KNOWN // FEW] == [FEW] * (KNOWN // FEW)
    glances = sum(count for count, frames in heard if frames == LOOK // GLANCE)
    assert glances == steps - len(now_and_then)  # where there is a look anyway, a glance tells nothing more
    assert not len(found.unlike.looks)


def test_through_a_telephone_a_glance_is_not_enough():
    samples = voice("low", 80.0)
    assert looked(samples).at.tolist() == [*range(0, 8_001 - LOOK + 1, STEP), 8_001 - LOOK]
    assert len(looked(hissing(samples)).at) == KNOWN + 1


@pytest.mark.parametrize("after_s", [37.3, 39.9, 61.0, 90.9])  # 40 s is where a batch of steps begins
def test_another_voice_is_seen_at_a_glance_and_looked_at_closely(after_s):
    samples = np.concatenate((voice("low", after_s), voice("high", 3.0), voice("low", 30.0)))
    found = looked(hissing(samples))
    start, end = round(100 * after_s), round(100 * after_s) + 300
    inside = found.at[(found.at >= start - LOOK // 2) & (found.at <= end - LOOK // 2)]
    assert len(inside) >= 6
    assert (np.diff(inside) <= DENSE_STEP).all()
    assert len(found.unlike.looks)
    assert (found.unlike.looks[:, 0] < end * mel.HOP).all()
    assert (found.unlike.looks[:, 1] > start * mel.HOP).all()
    first, last = found.unlike.looks[[0, -1], 0] // mel.HOP
    assert {first - 2 * STEP, last + 2 * STEP} <= set(found.at.tolist())  # where the voice before begins and ends again


class AtAGlance(Colours):
    """What is of the high voice is that much like the rest at a glance, and as much as two of a reader's are in a look."""

    def __init__(self, like):
        self.like = like

    def run(self, names, given):
        (bands,) = super().run(names, given)
        high = bands[:, 20 : mel.BANDS].sum(axis=1) > bands[:, :20].sum(axis=1)
        cosines = np.where(high, self.like if given["mel"].shape[1] == LOOK // GLANCE else 0.85, 1.0)
        voices = np.zeros((len(high), 256), np.float32)
        voices[:, 0], voices[:, 1] = cosines, np.sqrt(1 - cosines**2)
        return [voices]


@pytest.mark.parametrize(
    ("like", "second", "looks", "told"),
    [
        (SURELY_UNLIKE - 0.005, 0.0, True, False),
        (SURELY_UNLIKE + 0.005, 0.0, False, False),
        (SURELY_UNLIKE + 0.005, MAYBE_TWO - 0.01, False, False),
        (LIKE_THOUGH_TWO_AT_A_GLANCE - 0.005, MAYBE_TWO + 0.01, True, True),
        (LIKE_THOUGH_TWO_AT_A_GLANCE + 0.005, MAYBE_TWO + 0.01, False, False),
        (LIKE_THOUGH_TWO_AT_A_GLANCE + 0.005, 0.6, False, False),
    ],
)
def test_how_like_a_glance_must_be_hangs_on_what_the_segmentation_hears(like, second, looks, told):
    """From 0.02 on there may be two at once, and from 0.5 on it is another voice; to a glance either may be the same all the same."""
    samples = hissing(np.concatenate((voice("low", 60.0), voice("high", 2.0), voice("low", 20.0))))
    meter = PartialsMeter(AtAGlance(like))
    for block in blocks(samples, other=lambda s: second * (60.0 <= s < 62.0)):
        meter.feed(block)
    found = meter.read()
    assert bool(((found.at > 5_850) & (found.at < 6_150)).any()) is looks
    assert bool(len(found.unlike.looks)) is told


@pytest.mark.parametrize(
    ("second", "seconds", "looks"),
    [(MAYBE_TWO + 0.01, 0.25, False), (MAYBE_TWO + 0.01, 0.35, True), (0.6, 0.12, False), (0.6, 0.24, True)],
)
def test_a_moment_of_another_voice_or_of_maybe_two_is_not_heeded(second, seconds, looks):
    """Another's from 0.18 s on, and that there may be two from 0.3 s on."""
    samples = hissing(np.concatenate((voice("low", 60.0), voice("high", 2.0), voice("low", 20.0))))
    meter = PartialsMeter(AtAGlance(LIKE_THOUGH_TWO_AT_A_GLANCE - 0.005))
    for block in blocks(samples, other=lambda s: second * (60.5 <= s < 60.5 + seconds)):
        if second > MAYBE_TWO + 0.01:
            block.activity.overlap[:] = 0.0  # it takes the other's turn
        meter.feed(block)
    found = meter.read()
    assert bool(((found.at > 5_850) & (found.at < 6_150)).any()) is looks


class InTheMiddle(Colours):
    """Each look is the voice of its middle tenth; the two are that much alike."""

    def __init__(self, alike=0.7):
        self.alike = alike

    def run(self, names, given):
        frames = given["mel"].shape[1]
        (bands,) = super().run(names, {"mel": given["mel"][:, int(0.45 * frames) : int(0.55 * frames)]})
        high = bands[:, 20 : mel.BANDS].sum(axis=1) > bands[:, :20].sum(axis=1)
        voices = np.zeros((len(high), 256), np.float32)
        voices[:, 0], voices[:, 1] = np.where(high, self.alike, 1.0), np.where(high, np.sqrt(1 - self.alike**2), 0.0)
        return [voices]


def with_high(start, end, seconds=30.0):
    """The low voice, and the high one from frame to frame."""
    lengths_s = start / 100, (end - start) / 100, seconds - end / 100
    return np.concatenate([voice(band, each) for band, each in zip(("low", "high", "low"), lengths_s, strict=True)])


def looked_by(network, samples, **kwargs):
    meter = PartialsMeter(network)
    for block in blocks(samples, **kwargs):
        meter.feed(block)
    return meter.read()


@pytest.mark.parametrize(
    ("start", "frames", "closer"),
    [(12 * STEP, 50, NEAR), (12 * STEP, 200, CLOSER), (5 * STEP, 50, NEAR), (2 * STEP, 50, CLOSER)],
)
def test_there_are_closer_looks_than_the_nearest_where_those_are_unlike_the_rest_too(start, frames, closer):
    """Half a second of another sound is no voice; but among the very first looks nobody knows which is the odd one."""
    first = start + (LOOK - frames) // 2
    found = looked_by(InTheMiddle(), hissing(with_high(first, first + frames))).at.tolist()[:-1]
    assert {at for at in found if at % STEP} == {start + offset for offset in closer if offset % STEP}


@pytest.mark.parametrize(("alike", "closer"), [(0.87, True), (0.89, False)])
def test_what_the_segmentation_hears_apart_is_doubted_unless_it_is_all_but_the_same(alike, closer):
    first = 12 * STEP
    samples = hissing(with_high(first, first + STEP))
    found = looked_by(InTheMiddle(alike), samples, other=lambda s: 0.6 * (first <= 100 * s < first + STEP))
    assert bool({int(at) for at in found.at[:-1] if at % STEP}) is closer


@pytest.mark.parametrize("step", [(KNOWN + BATCH) * STEP, (KNOWN + BATCH + 3) * STEP])
def test_where_a_batch_of_steps_begins_does_not_show(step):
    """Another voice from 1.6 s before that step to 1.3 s behind it: the looks between were taken with the batch before."""
    found = looked_by(InTheMiddle(), hissing(with_high(step - STEP + 40, step + 130, 70.0))).at
    close = found[(found > step - STEP) & (found < step + STEP) & (found % STEP != 0)]
    assert (close - step).tolist() == [*range(DENSE_STEP - STEP, 0, DENSE_STEP), *range(DENSE_STEP, STEP, DENSE_STEP)]


def test_by_telephone_a_short_look_at_a_voice_that_is_nearly_alike_is_doubted_whatever_is_near():
    """The two are 0.83 alike, so one look at the one and one at the other are liker than two people's elsewhere."""
    samples = with_high(12 * STEP + 60, 12 * STEP + 110)
    assert (np.diff(looked_by(InTheMiddle(0.83), samples).at) == DENSE_STEP).any()


def test_where_the_segmentation_hears_another_voice_alone_a_glance_must_be_liker():
    """Not at once with the first, so that nothing but its place in the window tells."""
    samples = hissing(np.concatenate((voice("low", 60.0), voice("high", 2.0), voice("low", 20.0))))
    found = {}
    for second in (0.6, 0.0):
        meter = PartialsMeter(AtAGlance(LIKE_THOUGH_TWO_AT_A_GLANCE - 0.005))
        for block in blocks(samples, other=lambda s, second=second: second * (60.0 <= s < 60.5)):
            block.activity.overlap[:] = 0.0
            meter.feed(block)
        found[second] = meter.read().at
    assert [bool(((at > 5_850) & (at < 6_150)).any()) for at in found.values()] == [True, False]


def test_where_there_may_be_two_less_unlike_is_unlike_enough():
    """And no closer look is needed: who else speaks, an overlap does not tell."""
    samples = hissing(np.concatenate((voice("low", 60.0), voice("high", 3.0), voice("low", 20.0))))
    told = {}
    for second in (0.1, 0.0):
        meter = PartialsMeter(Nearly())
        for block in blocks(samples, other=lambda s, second=second: second * (60.5 <= s < 62.5)):
            meter.feed(block)
        told[second] = meter.read()
    assert len(told[0.1].unlike.looks) >= 1
    assert not len(told[0.0].unlike.looks)
    assert set(told[0.1].at[:-1] % STEP) == {0}


@pytest.mark.parametrize(("start_s", "seconds", "steps"), [(61.9, 1.7, 2), (47.0, 16.6, BATCH)])
def test_behind_another_voice_there_are_looks_at_all_steps_for_a_while(start_s, seconds, steps):
    """Two steps behind one look that is unlike the rest, twelve behind many; the last one unlike is the last of a batch."""
    samples = np.concatenate((voice("low", start_s), voice("high", seconds), voice("low", 60.0)))
    found = looked(hissing(samples))
    last = (KNOWN + 2 * BATCH) * STEP - STEP
    assert (found.unlike.looks[-1] // mel.HOP).tolist() == [last, last + LOOK]
    behind = found.at[(found.at > last) & (found.at % STEP == 0)]
    assert behind[:steps].tolist() == list(range(last + STEP, last + steps * STEP + 1, STEP))
    assert behind[steps] == 2 * 24 * STEP


class Nearly(Colours):
    """Both voices are 0.83 alike, as one reader's looks may be, and through a telephone two people's."""

    def run(self, names, given):
        (bands,) = super().run(names, given)
        high = bands[:, 20 : mel.BANDS].sum(axis=1) > bands[:, :20].sum(axis=1)
        voices = np.zeros((len(high), 256), np.float32)
        voices[:, 0], voices[:, 1] = np.where(high, 0.83, 1.0), np.where(high, np.sqrt(1 - 0.83**2), 0.0)
        return [voices]


@pytest.mark.parametrize(("over_4_khz", "closer"), [(0.0, True), (0.005, False)])
def test_by_telephone_less_unlike_voices_are_looked_at_closely(over_4_khz, closer):
    samples = np.concatenate((voice("low", 12.0), voice("high", 3.0), voice("low", 12.0)))
    samples = samples + np.float32(over_4_khz) * np.random.default_rng(2).standard_normal(len(samples)).astype(
        np.float32
    )
    meter = PartialsMeter(Nearly())
    for block in blocks(samples):
        meter.feed(block)
    inside = meter.read().at
    inside = inside[(inside > 1_000) & (inside < 1_600)]
    assert bool((np.diff(inside) <= DENSE_STEP).all()) is closer


def test_in_a_long_talk_of_two_one_of_them_is_looked_at_closely_to_the_end():
    """Their mean lies near to both, so it is no measure; 0.65 alike, as voices are, with the spread that looks have."""
    random = np.random.default_rng(7)
    base = np.abs(random.standard_normal((3, 256)))
    people = unit(
        np.sqrt(0.65) * unit(base[:1]) + np.sqrt(0.35) * unit(base[1:] - base[1:] @ unit(base[:1]).T * unit(base[:1]))
    )
    colour = {"low": people[0], "high": people[1]}

    class Talk(Colours):
        def run(self, names, given):
            (bands,) = super().run(names, given)
            highs = bands[:, 20 : mel.BANDS].sum(axis=1) > bands[:, :20].sum(axis=1)
            spread = 0.5 * unit(random.standard_normal((len(highs), 256)))
            return [unit(np.where(highs[:, None], colour["high"], colour["low"]) + spread)]

    meter = PartialsMeter(Talk())
    turn = {band: voice(band, 12.0) for band in BANDS_HZ}
    for block in blocks(np.concatenate([turn["low"], turn["high"]] * 75)):  # half an hour
        meter.feed(block)
    found = meter.read()
    other = (found.at // 1_200) % 2 == 1
    assert (found.at[other] % STEP != 0).mean() > 0.75
    assert (found.at[~other] % STEP != 0).mean() < 0.6


@pytest.mark.parametrize(("other", "closer"), [("high", True), ("low", False)])
def test_where_the_segmentation_hears_a_second_voice_they_are_closer_but_for_what_is_all_but_the_same(other, closer):
    """And what was heard is kept either way, for CAM++."""
    meter = PartialsMeter(Nearly())
    hiss = 0.005 * np.random.default_rng(2).standard_normal(round(21 * RATE_HZ)).astype(np.float32)  # no telephone
    samples = np.concatenate((voice("low", 9.0), voice(other, 3.0), voice("low", 9.0))) + hiss
    for block in blocks(samples, other=lambda s: 10.0 < s < 11.0):
        meter.feed(block)
    found = meter.read()
    inside = found.at[(found.at >= 800) & (found.at <= 1_200)]
    assert bool((np.diff(inside) <= DENSE_STEP).all()) is closer
    assert len(found.kept.unlike([(1_000, 1_100)], 100)) == 100 * mel.HOP


@pytest.mark.parametrize("begins_s", [11.0, 20.2])
def test_the_turns_that_the_segmentation_hears_are_told_of_in_frames_of_speech(begins_s):
    """The second lies in the last window, which is not settled before the end."""
    ends_s = begins_s + 1.5
    found = looked(voice("low", 24.0), speech=lambda s: not 2.0 <= s < 4.0, other=lambda s: begins_s < s < ends_s)
    ((start, end),) = found.turns
    assert found.spoken[[start, end - 1]] * mel.FRAME_S == pytest.approx([begins_s, ends_s], abs=0.03)
    assert end - start == pytest.approx(150, abs=3)


def test_pauses_are_left_out_and_the_frames_know_where_they_were():
    found = looked(voice("low", 10.0), speech=lambda s: not 3.0 <= s < 5.0)
    jumps = np.flatnonzero(np.diff(found.spoken) > 1)
    assert len(jumps) == 1
    assert found.spoken[jumps[0]] * mel.FRAME_S == pytest.approx(3.0, abs=0.03)
    assert found.spoken[jumps[0] + 1] * mel.FRAME_S == pytest.approx(5.0, abs=0.03)
    assert len(found.spoken) == pytest.approx(800, abs=4)


@pytest.mark.parametrize("gain", [0.01, 0.3, 3.0])
def test_the_level_does_not_show(gain):
    samples = np.concatenate((voice("low", 8.0), voice("high", 3.0)))
    plain, other = looked(samples), looked(samples * np.float32(gain))
    assert (plain.at == other.at).all()
    assert np.abs(plain.voices - other.voices).max() < 2e-3


def test_looks_that_are_unlike_the_rest_are_told_of_where_they_lie_in_the_clip():
    samples = np.concatenate((voice("low", 12.0), voice("high", 3.0), voice("low", 12.0)))
    found = looked(samples, speech=lambda s: not 4 < s < 5).unlike.looks / RATE_HZ
    assert 1 <= len(found) <= 3
    assert (found[:, 0] < 15.0).all()
    assert (found[:, 1] > 12.0).all()
    assert found[:, 1] - found[:, 0] == pytest.approx(LOOK * mel.HOP / RATE_HZ)
    assert not len(looked(voice("low", 20.0)).unlike.looks)


@pytest.mark.parametrize("seconds", [3.7, 8.1, 10.1])
def test_another_voice_at_the_very_end_is_unlike_the_rest_too(seconds):
    """Behind the last look on the grid, where only the one at the end reaches."""
    samples = np.concatenate((voice("low", seconds), voice("high", 1.35)))
    found = looked(samples).unlike.looks
    assert len(found) == 1
    assert found[0, 1] / RATE_HZ == pytest.approx(seconds + 1.35, abs=0.02)
    assert not len(looked(voice("low", seconds + 1.35)).unlike.looks)


@pytest.mark.parametrize("frames", [7, 293, 2_000])
def test_no_look_that_is_told_of_later_reaches_before_what_was_said_to_be_known(frames):
    samples = np.concatenate([voice("low", 22.0), voice("high", 4.0)] * 4)
    meter = PartialsMeter(Colours())
    untils, known = [0], []
    for block in blocks(samples, speech=lambda s: s % 4 < 3.6, frames=frames):
        meter.feed(block)
        told = meter.unlike()
        assert (told.looks[len(known) :, 1] > untils[-1]).all()
        assert (told.looks[len(known) :, 0] >= untils[-1]).all()
        known, untils = told.looks.tolist(), [*untils, told.until]
    assert untils == sorted(untils)
    assert len(known) >= 2
    assert meter.read().unlike.looks.tolist()[: len(known)] == known
    assert (meter.read().unlike.looks[len(known) :, 0] >= untils[-1]).all()


def glanced_at():
    """Long enough for glances, with hiss as no telephone has it: two moments of another voice, one of which PyanNet hears, and pauses."""
    lengths_s = (("low", 37.0), ("high", 3.0), ("low", 20.0), ("high", 2.0), ("low", 15.0))
    said = {"speech": lambda s: s % 9 < 8.2, "other": lambda s: 37.0 < s < 40.0}
    return hissing(np.concatenate([voice(band, seconds) for band, seconds in lengths_s])), said


@pytest.mark.parametrize("frames", [1, 7, 293, 5_000])
def test_blocks_do_not_matter_to_the_last_bit(frames):
    samples = np.concatenate((voice("low", 9.0), voice("high", 3.0), voice("low", 9.0)))
    speech = {"speech": lambda s: s % 4 < 3.6, "other": lambda s: 9.0 < s < 12.0}
    assert same(looked(samples, frames=frames, **speech), looked(samples, **speech))


@pytest.mark.parametrize("frames", [7, 293, 5_000])
def test_blocks_do_not_matter_to_glances_either(frames):
    samples, said = glanced_at()
    assert same(looked(samples, frames=frames, **said), looked(samples, **said))


def test_asking_now_and_then_does_not_matter_to_glances_either():
    samples, said = glanced_at()
    meter = PartialsMeter(Colours())
    for number, block in enumerate(blocks(samples, **said)):
        meter.feed(block)
        if number % 15 == 0:
            meter.read()
    assert same(meter.read(), looked(samples, **said))


def test_asking_changes_nothing():
    meter = PartialsMeter(Colours())
    made = list(blocks(np.concatenate((voice("low", 11.0), voice("high", 2.5)))))
    for block in made[:20]:
        meter.feed(block)
    first = meter.read()
    assert same(first, meter.read())
    for block in made[20:]:
        meter.feed(block)
    again = PartialsMeter(Colours())
    for block in made:
        again.feed(block)
    assert same(meter.read(), again.read())


@pytest.mark.parametrize(("seconds", "looks"), [(0.0, 0), (0.9, 0), (1.1, 1), (1.5, 1), (1.7, 2)])
def test_a_second_of_speech_makes_a_look(seconds, looks):
    assert len(looked(voice("low", 4.0), speech=lambda s: s < seconds).at) == looks


def test_digital_silence_called_speech_is_no_fault():
    found = looked(np.zeros(4 * RATE_HZ, np.float32))
    assert np.isfinite(found.voices).all()
    assert np.isfinite(found.sounds).all()


def test_no_more_looks_are_taken_than_are_kept(monkeypatch):
    """In a talk of two, where all is close, no place is looked at twice."""
    taken = []
    run = Colours.run
    monkeypatch.setattr(
        Colours, "run", lambda self, names, given: taken.append(given["mel"].shape[:2]) or run(self, names, given)
    )
    turns = [voice("low" if i % 2 else "high", 3.0, seed=i) for i in range(24)]
    found = looked(np.concatenate(turns))
    assert sum(looks for looks, frames in taken if frames == LOOK) <= len(found.at) + 1


def test_a_fall_of_sound_tells_a_hall_from_a_dry_room():
    random = np.random.default_rng(5)
    at = np.arange(8 * RATE_HZ) / RATE_HZ
    dry = random.standard_normal(len(at)) * 10 ** (-120 * (at % 0.4) / 20)
    hall = random.standard_normal(len(at)) * 10 ** (-40 * (at % 0.4) / 20)
    falls = [looked(0.1 * samples.astype(np.float32)).sounds[:, 2].mean() for samples in (dry, hall)]
    assert falls[0] < falls[1] - 1


def test_the_constants_keep_to_the_network():
    assert LOOK <= 180
    assert STEP % DENSE_STEP == 0
    assert partials.FEWEST <= LOOK
