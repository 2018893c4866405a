import sys

import numpy as np
import pytest

from pipeline import models
from pipeline.checks import quality
from pipeline.checks.quality import SUBJECT
from pipeline.errors import ModelMissing
from pipeline.meters import dnsmos
from pipeline.records import Activity, Block, StreamInfo

RATE_HZ = 16_000
CANDIDATE = quality.WINDOW_FRAMES * Activity.HOP


@pytest.fixture(scope="module")
def network():
    try:
        models.locate("dnsmos")
    except ModelMissing as error:
        pytest.skip(str(error))
    return models.session("dnsmos")


REFERENCE = (2.0564, 2.9349, 1.7863)
"""Signal, background and overall."""


def tones(samples, gain=0.05):
    """Three tones of no harmony that swell three times a second: the same on every machine."""
    at = np.arange(samples) / RATE_HZ
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * at)
    return (gain * swell * sum(np.sin(2 * np.pi * hz * at) for hz in (150.0, 470.0, 1_310.0))).astype(np.float32)


def read(samples, speech, frames=16_000, meter=None):
    """The reading of samples with a given probability of speech per frame, fed in blocks of whole frames."""
    meter = SUBJECT.meter(StreamInfo("wav", "pcm_s16le", RATE_HZ, 1)) if meter is None else meter
    step = max(frames // Activity.HOP, 1)
    count = -(-len(samples) // Activity.HOP)
    for first in range(0, count, step):
        part = samples[first * Activity.HOP : (first + step) * Activity.HOP]
        level = [power_dbfs(part[i : i + Activity.HOP]) for i in range(0, len(part), Activity.HOP)]
        activity = Activity(first, speech[first : first + len(level)], np.array(level, np.float32))
        meter.feed(Block(part[:, None], first * Activity.HOP, RATE_HZ, part, activity))
    return meter.read()


def power_dbfs(samples):
    return max(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12), -120.0)


def speaking(samples, ratio=1.0):
    count = -(-len(samples) // Activity.HOP)
    return (np.arange(count) < ratio * count).astype(np.float32)


def test_the_scores_are_the_reference_implementations(network):
    """Known answers of speechmos.dnsmos.run on the same array; other processors round the last places differently."""
    assert dnsmos.scores(network, tones(dnsmos.WINDOW), dnsmos.SPEECH_DBFS) == pytest.approx(REFERENCE, abs=0.01)


def test_a_window_is_brought_to_one_level(network):
    loud, faint = tones(dnsmos.WINDOW), tones(dnsmos.WINDOW, 0.0005)
    assert dnsmos.scores(network, faint, -66.0) == pytest.approx(dnsmos.scores(network, loud, -26.0), abs=1e-3)


def test_one_window_in_five_minutes_is_scored(network):
    clip = tones(CANDIDATE * (quality.STRETCH_CANDIDATES + 2))
    assert read(clip, speaking(clip)).windows == 2


def test_asking_before_the_end_scores_nothing_for_good(network):
    clip = tones(CANDIDATE)
    meter = SUBJECT.meter(StreamInfo("wav", "pcm_s16le", RATE_HZ, 1))
    assert [read(clip, speaking(clip), meter=meter).windows for _ in range(2)] == [1, 1]


def test_the_window_with_the_most_speech_is_scored(network):
    noise = np.random.default_rng(0).standard_normal(CANDIDATE).astype(np.float32) * np.float32(0.05)
    clip = np.concatenate((noise, tones(CANDIDATE), noise))
    speech = np.concatenate((speaking(noise, 0.7), speaking(tones(CANDIDATE)), speaking(noise, 0.8)))
    alone = read(clip[CANDIDATE : 2 * CANDIDATE], speaking(tones(CANDIDATE)))
    assert read(clip, speech).dnsmos_ovrl == alone.dnsmos_ovrl


@pytest.mark.parametrize("frames", [270, 2_700, 100_000, 1_000_000])
def test_the_reading_does_not_depend_on_the_blocks(network, frames):
    clip = tones(CANDIDATE * 3)
    speech = speaking(clip, 0.9)
    assert read(clip, speech, frames) == read(clip, speech)


def test_a_clip_of_just_a_window_is_scored(network):
    clip = tones(dnsmos.WINDOW)
    assert read(clip, speaking(clip)).windows == 1


def test_a_clip_shorter_than_a_window_says_so():
    clip = tones(dnsmos.WINDOW - 1)
    assert read(clip, speaking(clip)).why == "it is shorter than 9 s"


def test_a_clip_without_speech_says_so():
    clip = np.zeros(CANDIDATE * 2, np.float32)
    assert read(clip, speaking(clip, 0.0)).why == "no 9 s of it are mostly speech"


def test_an_empty_clip_says_so(reading_of):
    assert reading_of(SUBJECT, np.zeros(0)).why is not None


def test_without_voice_activity_it_says_so(reading_of):
    assert reading_of(SUBJECT, tones(CANDIDATE)).why == "voice activity was not measured"


def test_the_network_is_not_loaded_for_a_clip_that_it_does_not_hear(monkeypatch):
    monkeypatch.setattr(quality, "session", lambda name: pytest.fail(f"{name} was loaded"))
    clip = tones(dnsmos.WINDOW - 1)
    assert read(clip, speaking(clip)).windows == 0


def test_the_package_that_carries_the_weights_is_not_imported(network):
    assert "speechmos" not in sys.modules
