"""What every meter of a clip's subject owes: whatever the blocks, the same; nothing unknown without a reason; small."""

import json
import math
import pickle
import tracemalloc

import numpy as np
import pytest

from pipeline import catalogue, models, pcm
from pipeline.records import Activity, Block
from pipeline.storage import codec

SUBJECTS = [subject for subject in catalogue.clip_subjects() if subject.meter is not None]
KEPT_BYTES = 24 << 20
"""What an hour may leave with a meter, with the arrays it makes when it is asked; 2 hours are 230 MB as 16 bit stereo."""

each_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


def program(speechlike, rate_hz, seconds, channels):
    """A voice, a pause and a voice again, with a peak; the other channel half as loud and a little late."""
    voice = speechlike(seconds, rate_hz=rate_hz, seed=4)
    voice[round(0.4 * len(voice)) : round(0.6 * len(voice))] *= 1e-3
    voice[round(0.2 * len(voice)) : round(0.2 * len(voice)) + 5] = 0.9
    return np.stack([voice, 0.5 * np.roll(voice, 3)][:channels], axis=1).astype(np.float32)


def reading(subject, made):
    info, blocks = made
    meter = subject.meter(info)
    for block in blocks:
        meter.feed(block)
    return meter.read()


def differences(one, other, name="reading"):
    """Where two plain readings differ by more than rounding in another order."""
    if isinstance(one, dict):
        return [line for key in one for line in differences(one[key], other[key], f"{name}.{key}")]
    if isinstance(one, list) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return [line for i, (a, b) in enumerate(pairs) for line in differences(a, b, f"{name}[{i}]")]
    if isinstance(one, float) and isinstance(other, float):
        same = math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-4)
    else:
        same = one == other
    return [] if same else [f"{name}: {one} and {other}"]


def numbers_in(plain):
    if isinstance(plain, dict):
        plain = list(plain.values())
    if isinstance(plain, list):
        return [number for item in plain for number in numbers_in(item)]
    return [plain] if isinstance(plain, float) else []


@each_subject
@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
def test_the_block_size_changes_nothing(subject, speechlike, derived, rate_hz):
    samples = program(speechlike, rate_hz, 6.0, 2)
    whole = codec.plain(reading(subject, derived(samples, rate_hz)))
    for frames in (997, rate_hz):
        assert differences(whole, codec.plain(reading(subject, derived(samples, rate_hz, frames)))) == []


@each_subject
def test_frame_by_frame_is_no_different(subject, speechlike, derived):
    samples = program(speechlike, 8_000, 0.7, 2)
    one_by_one = codec.plain(reading(subject, derived(samples, 8_000, 1)))
    assert differences(codec.plain(reading(subject, derived(samples, 8_000))), one_by_one) == []


@each_subject
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_a_meter_that_was_fed_nothing_says_why_it_knows_nothing(subject, stream_info, channels):
    read = subject.meter(stream_info(16_000, channels)).read()
    assert type(read) is subject.kind
    assert read.why


@each_subject
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("signal", ["silence", "a single sample", "constant", "full scale", "faint"])
def test_no_signal_makes_a_number_that_is_none(subject, derived, signal, channels):
    shape = (3 * 16_000, channels)
    samples = {
        "silence": np.zeros(shape),
        "a single sample": np.full((1, channels), 0.5),
        "constant": np.full(shape, 0.25),
        "full scale": np.where(np.arange(shape[0])[:, None] // 20 % 2, 1.0, -1.0) * np.ones(shape),
        "faint": np.full(shape, 1e-12),
    }[signal]
    with np.errstate(all="raise", under="ignore"):
        read = reading(subject, derived(samples.astype(np.float32), 16_000, 4_000))
    assert all(math.isfinite(number) for number in numbers_in(codec.plain(read)))


@each_subject
@pytest.mark.parametrize("seconds", [0.01, 6.0])
def test_a_reading_survives_pickle_and_the_journal(subject, speechlike, derived, seconds):
    read = reading(subject, derived(program(speechlike, 16_000, seconds, 2), 16_000))
    assert pickle.loads(pickle.dumps(read)) == read
    written = codec.text(codec.plain(read))
    restored = codec.restored(subject.kind, json.loads(written))
    assert restored == read
    assert codec.text(codec.plain(restored)) == written, "a second run's report would have other bytes"


@each_subject
def test_asking_twice_gives_the_same_answer(subject, speechlike, derived):
    info, blocks = derived(program(speechlike, 16_000, 3.0, 2), 16_000, 4_000)
    meter = subject.meter(info)
    for block in blocks:
        meter.feed(block)
    assert meter.read() == meter.read()


@each_subject
def test_asking_before_the_end_changes_nothing_of_what_comes(subject, speechlike, derived):
    info, blocks = derived(program(speechlike, 16_000, 25.0, 1), 16_000, 160_000)
    asked, unasked = subject.meter(info), subject.meter(info)
    for block in blocks:
        asked.read()
        asked.feed(block)
        unasked.feed(block)
    assert asked.read() == unasked.read()


@each_subject
def test_the_lowest_rate_can_be_measured(subject, speechlike, derived):
    rate_hz = pcm.RATES_HZ[0]
    read = reading(subject, derived(program(speechlike, rate_hz, 6.0, 1), rate_hz))
    assert all(math.isfinite(number) for number in numbers_in(codec.plain(read)))


def hour(rate_hz, channels):
    """An hour in blocks of a second, with its derived signals, all but a peak cut from one second of noise."""
    random = np.random.default_rng(5)
    second = (0.02 * random.standard_normal((rate_hz, channels))).astype(np.float32)
    mono16k = (0.02 * random.standard_normal(16_000)).astype(np.float32)
    peak = second.copy()
    peak[100] = 0.9
    for number in range(3_600):
        first, end = (-(-at * 16_000 // Activity.HOP) for at in (number, number + 1))
        count = end - first
        speech = np.full(count, float(number % 7 < 5), np.float32)
        voices = np.stack([speech, 0 * speech, 0 * speech], axis=1)
        activity = Activity(first, speech, -30 - 30 * (1 - speech), voices, 0 * speech, "pyannet")
        yield Block(second if number else peak, number * rate_hz, rate_hz, mono16k, activity)


@each_subject
def test_an_hour_leaves_little_behind(subject, stream_info):
    meter = subject.meter(stream_info(8_000, 2))
    blocks = hour(8_000, 2)
    meter.feed(next(blocks))
    for name in subject.models:
        models.session(name)  # made once in a process, whatever the length
    tracemalloc.start()
    for block in blocks:
        meter.feed(block)
    meter.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < KEPT_BYTES
