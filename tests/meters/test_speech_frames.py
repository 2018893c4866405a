"""The frames of speech: which they are, and that their samples are those of the clip, whatever the blocks."""

import numpy as np
import pytest

from pipeline import mel
from pipeline.records import Activity, Block
from pipeline.speech_frames import SpeechFrames, Spoken

RATE_HZ, HOP = Activity.RATE_HZ, Activity.HOP


def spoken(samples, speech, frames):
    """All that is handed out of blocks of that many frames of activity, in which somebody speaks where `speech` says so."""
    picked, found = SpeechFrames(), Spoken()
    for first in range(0, len(speech), frames):
        part = speech[first : first + frames].astype(np.float32)
        mono = samples[first * HOP : (first + frames) * HOP]
        voices = np.stack((part, np.zeros_like(part), np.zeros_like(part)), axis=1)
        activity = Activity(first, part, np.full(len(part), -26.0, np.float32), voices, np.zeros_like(part), "pyannet")
        found = found.joined(picked.feed(Block(mono[:, None], first * HOP, RATE_HZ, mono, activity)))
    return found.joined(picked.rest())


def clip(frames):
    return np.random.default_rng(1).standard_normal(frames * HOP).astype(np.float32)


@pytest.mark.parametrize("frames", [7, 100, 1_000])
def test_the_samples_of_all_frames_are_the_clip_s_with_silence_around(frames):
    samples = clip(960)  # a whole number of hops
    found = spoken(samples, np.ones(960), frames)
    assert found.numbers.tolist() == list(range(len(samples) // mel.HOP + 1))
    whole = found.hops.ravel()
    half = mel.HOP // 2
    assert (whole[:half] == 0).all()
    assert (whole[half : half + len(samples)] == samples).all()
    assert (whole[half + len(samples) :] == 0).all()


@pytest.mark.parametrize("frames", [7, 100, 1_000])
def test_where_nobody_speaks_nothing_is_handed_out_and_each_frame_keeps_its_own_samples(frames):
    samples, speech = clip(900), np.zeros(900)
    speech[200:260] = speech[700:800] = 1
    found = spoken(samples, speech, frames)
    at_s = found.numbers * mel.FRAME_S
    assert ((at_s > 3.3) & (at_s < 4.5) | (at_s > 11.7) & (at_s < 13.6)).all()
    assert len(found.numbers) == pytest.approx(160 * Activity.FRAME_S * 100, abs=3)
    for number, hop in zip(found.numbers.tolist(), found.hops, strict=True):
        first = number * mel.HOP - mel.HOP // 2
        assert (hop == samples[first : first + mel.HOP]).all()


def test_asking_for_the_rest_changes_nothing():
    picked, samples = SpeechFrames(), clip(100)
    part = np.ones(100, np.float32)
    voices = np.stack((part, 0 * part, 0 * part), axis=1)
    picked.feed(
        Block(samples[:, None], 0, RATE_HZ, samples, Activity(0, part, -26 * part, voices, 0 * part, "pyannet"))
    )
    once, twice = picked.rest(), picked.rest()
    assert (once.hops == twice.hops).all()
    assert once.numbers.tolist() == twice.numbers.tolist()
