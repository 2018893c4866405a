"""Speech that is kept for a second look: what is in it, and that it stays small."""

import numpy as np
import pytest

from pipeline.kept_speech import MOST_FRAMES, MOST_OWN, PIECE, KeptSpeech
from pipeline.mel import HOP


def hops(start, count):
    """Frames of which every sample is the frame's number, a thousandth each."""
    return np.repeat(np.arange(start, start + count, dtype=np.float32)[:, None] / 1000, HOP, axis=1)


def numbers(samples):
    """Which frames these are."""
    return np.round(samples[::HOP] * 1000).astype(int).tolist()


def kept(*ranges):
    made = KeptSpeech()
    for start, end in ranges:
        made.keep_unlike(start, hops(start, end - start))
    return made


def test_frames_given_twice_are_kept_once():
    assert numbers(kept((0, 360), (200, 560), (800, 900)).unlike([(100, 850)], 1_000)) == [
        *range(100, 560),
        *range(800, 850),
    ]


def test_the_longest_stretch_comes_first_and_no_more_than_asked_for():
    speech = kept((0, 1_000))
    assert numbers(speech.unlike([(10, 20), (500, 600)], 105)) == [*range(500, 600), *range(10, 15)]


def test_of_what_was_not_kept_there_is_nothing():
    assert len(kept((0, 100)).unlike([(300, 400)], 50)) == 0


def test_the_main_voice_is_its_looks_and_then_the_rest_that_no_other_voice_holds():
    speech = kept((0, 400))
    speech.keep_own(100, hops(100, 160))
    speech.keep_own(500, hops(500, 160))
    assert numbers(speech.own([(550, 560), (0, 50)], 1_000)) == [*range(100, 260), *range(50, 100), *range(260, 400)]


def test_looks_at_the_main_voice_are_few_and_spread_over_all_of_it():
    speech = KeptSpeech()
    for look in range(100):
        speech.keep_own(200 * look, hops(0, 160))
    assert 4 <= len(speech.own([], 10**6)) / 160 / HOP <= MOST_OWN
    for third in range(3):
        others = [(0, 7_000 * third), (7_000 * (third + 1), 10**6)]
        assert len(speech.own(others, 10**6)) > 0, f"nothing of the {third + 1}. third"


def test_of_hours_of_two_voices_pieces_are_kept_from_beginning_to_end():
    speech, nothing = KeptSpeech(), np.zeros((360, HOP), np.float32)
    for start in range(0, 360_000, 200):
        speech.keep_unlike(start, nothing)
    assert MOST_FRAMES / 3 < len(speech.unlike([(0, 10**6)], 10**6)) / HOP <= MOST_FRAMES
    parts = [len(speech.unlike([(at, at + 18_000)], 10**6)) for at in range(0, 360_000, 18_000)]
    assert min(parts) > 0


def test_of_hours_what_is_kept_is_kept_five_seconds_at_a_time():
    speech, nothing = KeptSpeech(), np.zeros((360, HOP), np.float32)
    for start in range(0, 72_000, 200):
        speech.keep_unlike(start, nothing)
    lengths = [len(speech.unlike([(at, at + PIECE)], PIECE)) // HOP for at in range(0, 72_000, PIECE)]
    assert set(lengths) == {0, PIECE}


def test_a_copy_goes_on_by_itself():
    speech = kept((0, 100))
    copy = speech.copied()
    copy.keep_unlike(100, hops(100, 50))
    copy.keep_own(0, hops(0, 160))
    assert len(speech.unlike([(0, 200)], 200)) == 100 * HOP
    assert len(speech.own([(0, 200)], 200)) == 0
    assert len(copy.unlike([(0, 200)], 200)) == 150 * HOP


@pytest.mark.parametrize("level", [1.0, 1e-4])
def test_faint_speech_keeps_its_form(level):
    speech, wave = KeptSpeech(), level * np.sin(np.arange(100 * HOP, dtype=np.float32)).reshape(100, HOP)
    speech.keep_unlike(0, wave)
    # A float of 16 bits has 11 of them for the digits, fewer under 6e-5.
    assert speech.unlike([(0, 100)], 100) == pytest.approx(wave.ravel(), abs=level * 2**-11 + 2**-25)
