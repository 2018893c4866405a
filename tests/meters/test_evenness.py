"""Drifts and steps of the speech level are measured as they are, and emphasis and pauses are neither."""

import numpy as np
import pytest

from pipeline.meters.evenness import EvennessMeter, changes
from pipeline.records import Activity

FRAMES_PER_S = 1 / Activity.FRAME_S


def measured(level_dbfs, speech=None, size=59):
    """A meter that was fed those levels, all of them speech unless said otherwise."""
    level = np.asarray(level_dbfs, np.float32)
    speech = np.ones(len(level), np.float32) if speech is None else np.asarray(speech, np.float32)
    meter = EvennessMeter()
    for first in range(0, len(level), size):
        meter.feed(Activity(first, speech[first : first + size], level[first : first + size]))
    return meter


def syllables(seconds, random):
    """Levels of frames around -26 dBFS that come and go with syllables."""
    at = np.arange(round(seconds * FRAMES_PER_S)) * Activity.FRAME_S
    return -26 + 8 * np.sin(2 * np.pi * 4 * at) + random.normal(0, 2, len(at))


@pytest.fixture
def even():
    return syllables(40, np.random.default_rng(1))


def test_an_even_voice_neither_drifts_nor_jumps(even):
    meter = measured(even)
    assert meter.drift_db() == pytest.approx(0, abs=0.5)
    assert meter.step_db() == pytest.approx(0, abs=1.0)
    assert meter.steps() == ()


@pytest.mark.parametrize("step_db", [-8, 6])
def test_a_lasting_step_is_measured_and_its_place_told(even, step_db):
    stepped = even + step_db * (np.arange(len(even)) >= len(even) // 2)
    meter = measured(stepped)
    assert meter.step_db() == pytest.approx(step_db, abs=0.7)
    (span,) = meter.steps()
    assert span.start_s < 20 < span.end_s
    assert span.length_s < 4


@pytest.mark.parametrize("drift_db", [-9, 8])
def test_a_drift_is_measured_from_end_to_end(even, drift_db):
    assert measured(even + np.linspace(0, drift_db, len(even))).drift_db() == pytest.approx(drift_db, abs=0.7)


def test_a_loud_sentence_is_no_step(even):
    """Three seconds of it: the median of ten seconds does not go along."""
    loud = even.copy()
    loud[round(20 * FRAMES_PER_S) : round(23 * FRAMES_PER_S)] += 10
    assert abs(measured(loud).step_db()) < 2
    assert abs(measured(loud).drift_db()) < 1


def test_pauses_do_not_count(even):
    """As in speech, half of the time nobody speaks; what lies in the pauses changes by 30 dB."""
    speech = np.arange(len(even)) // 60 % 2 == 0
    noise = np.where(np.arange(len(even)) > len(even) // 2, -40, -70)
    assert measured(np.where(speech, even, noise), speech).step_db() == pytest.approx(0, abs=1.0)


def test_too_little_speech_is_not_measured():
    meter = measured(syllables(7, np.random.default_rng(2)))
    assert (meter.drift_db(), meter.step_db(), meter.steps()) == (None, None, ())


def test_the_block_size_changes_nothing(even):
    one, other = measured(even), measured(even, size=7)
    assert (other.drift_db(), other.step_db()) == pytest.approx((one.drift_db(), one.step_db()), abs=1e-9)
    assert other.steps() == one.steps()


def test_hours_are_measured_by_medians_of_more_sections():
    levels = np.tile(syllables(60, np.random.default_rng(3)), 60)
    assert measured(levels + np.linspace(0, 8, len(levels)), size=5_900).drift_db() == pytest.approx(8, abs=0.5)


@pytest.mark.parametrize("count", [0, 9, 10, 11, 14, 15, 19, 20, 21, 40])
def test_changes_are_between_the_medians_of_up_to_ten_sections(count):
    levels = np.random.default_rng(count).standard_normal(count)
    wanted = [
        np.median(levels[at : at + 10]) - np.median(levels[max(at - 10, 0) : at]) for at in range(5, count - 5 + 1)
    ]
    assert changes(levels).tolist() == pytest.approx(wanted)
