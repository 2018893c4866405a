"""From probabilities and levels to stretches of speech, with made-up frames: what each of the two decides."""

import numpy as np
import pytest

from pipeline.records import Activity
from pipeline.segments import MIN_PAUSE_FRAMES, MIN_SPEECH_FRAMES, joined, stretches

FLOOR = -120.0


def frames(*runs):
    """Speech and level from runs of (frames, probability, level); the level wavers by a decibel as noise does."""
    counts = [count for count, _, _ in runs]
    speech = np.repeat([probability for _, probability, _ in runs], counts).astype(np.float32)
    level = np.repeat([dbfs for _, _, dbfs in runs], counts).astype(np.float32)
    waver = np.random.default_rng(1).standard_normal(len(level)).astype(np.float32)
    return speech, np.where(level > FLOOR, level + waver, level)


def test_speech_is_where_the_detector_says_it_is():
    speech, level = frames((100, 0.0, -60), (200, 1.0, -20), (150, 0.0, -60), (100, 1.0, -20), (50, 0.0, -60))
    assert stretches(speech, level).tolist() == pytest.approx(np.array([[100, 300], [450, 550]]), abs=1)


@pytest.mark.parametrize("late", [-30, -10, 0, 10, 40, 80])
def test_an_edge_that_the_detector_is_unsure_of_is_put_where_the_level_changes(late):
    """It goes on at 4 to 1 for up to 1.4 s after the voice, or falls to 1 to 4 half a second before it ends."""
    speech, level = frames((300, 1.0, -20), (700, 0.02, -60))
    first, end = sorted((300, 300 + late))
    speech[first:end] = 0.8 if late > 0 else 0.2
    assert stretches(speech, level)[0, 1] == pytest.approx(300, abs=2)


def test_a_detector_that_is_certain_is_not_overruled_by_the_level_alone():
    speech, level = frames((300, 1.0, -20), (40, 1.0, -60), (700, 0.02, -60))
    assert stretches(speech, level)[0, 1] == pytest.approx(340, abs=6)


def test_where_the_level_tells_nothing_the_detector_stands():
    speech, level = frames((200, 1.0, -30), (200, 0.0, -30), (200, 1.0, -30))
    # Noise as loud as the voice: the edge may move by as many frames as noise is over its own 95th percentile.
    assert stretches(speech, level).tolist() == pytest.approx(np.array([[0, 200], [400, 600]]), abs=8)


def test_a_noise_in_a_pause_is_no_speech():
    speech, level = frames((200, 1.0, -20), (60, 0.0, -60), (30, 0.05, -25), (60, 0.0, -60), (200, 1.0, -20))
    assert len(stretches(speech, level)) == 2


def test_a_word_between_two_pauses_is_kept():
    """Half a second of speech, a second after the sentence and before a long pause, as in "… — Sir."."""
    speech, level = frames((200, 1.0, -20), (55, 0.4, -50), (30, 0.7, -22), (200, 0.05, -50), (100, 1.0, -20))
    assert stretches(speech, level)[:, 1].tolist() == pytest.approx([200, 285, 585], abs=3)


def test_a_word_that_the_detector_joins_with_the_sentence_is_not_cut_off():
    """The second of silence before it weighs more than it does."""
    speech, level = frames((200, 1.0, -20), (60, 0.5, -50), (20, 0.9, -22), (200, 0.05, -50), (100, 1.0, -20))
    assert stretches(speech, level)[0, 1] == pytest.approx(280, abs=3)


def test_digital_silence_is_no_speech_whatever_the_detector_says():
    speech, level = frames((200, 1.0, -20), (100, 0.9, FLOOR), (200, 1.0, -20))
    assert stretches(speech, level).tolist() == pytest.approx(np.array([[0, 200], [300, 500]]), abs=1)


def test_no_frames_and_no_speech_give_no_stretches():
    assert stretches(np.zeros(0, np.float32), np.zeros(0, np.float32)).shape == (0, 2)
    assert stretches(*frames((300, 0.2, -30))).shape == (0, 2)
    assert stretches(*frames((300, 1.0, FLOOR))).shape == (0, 2)


def test_speech_from_end_to_end_is_one_stretch():
    assert stretches(*frames((300, 1.0, -20))).tolist() == [[0, 300]]


def test_short_gaps_are_closed_and_short_bursts_dropped():
    gap, burst = MIN_PAUSE_FRAMES - 1, MIN_SPEECH_FRAMES - 1
    apart = np.array([[0, 50], [50 + gap, 100], [200, 200 + burst]])
    assert joined(apart).tolist() == [[0, 100]]
    assert joined(np.array([[0, 50], [50 + MIN_PAUSE_FRAMES, 100]])).tolist() == [[0, 50], [50 + MIN_PAUSE_FRAMES, 100]]


@pytest.mark.parametrize("seed", range(5))
def test_stretches_are_in_order_apart_and_inside_whatever_the_frames(seed):
    random = np.random.default_rng(seed)
    runs = [(int(random.integers(1, 120)), random.uniform(), random.uniform(-90, -10)) for _ in range(200)]
    speech, level = frames(*runs)
    found = stretches(speech, level)
    assert len(found) > 3
    assert np.all(found[:, 1] - found[:, 0] >= MIN_SPEECH_FRAMES)
    assert np.all(found[1:, 0] - found[:-1, 1] >= MIN_PAUSE_FRAMES)
    assert found[0, 0] >= 0
    assert found[-1, 1] <= len(speech)


def test_louder_or_quieter_is_the_same():
    speech, level = frames((100, 0.0, -60), (200, 1.0, -20), (150, 0.0, -60), (100, 1.0, -20))
    assert np.array_equal(stretches(speech, level), stretches(speech, level - 20))


def test_an_hour_takes_less_memory_than_its_frames_a_few_times_over():
    import tracemalloc

    count = round(3_600 / Activity.FRAME_S)
    speech, level = frames(*[(150, 1.0, -20), (60, 0.0, -60)] * (count // 210))
    tracemalloc.start()
    stretches(speech, level)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 8 * count
