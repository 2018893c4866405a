"""Who speaks when, from looks made by hand: voices are known points with a spread, a look over a change of turns lies between."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pipeline import voiceprints
from pipeline.partials import Partials
from pipeline.turns import Sound, another, foreign, grouped, main_of, together
from pipeline.voiceprints import main_voice, read, unit, without_room, written


def found_in(partials):
    return foreign(partials, main_of(partials).voice)


@pytest.mark.parametrize("frames", [150, 200, 350, 500])
def test_another_voice_is_found_where_it_is(frames, talk, people):
    partials = talk([(0, 3_000), (1, frames), (0, 2_000)], people(2))
    (stretch,) = found_in(partials)
    # Looks are 0.4 s apart and a change in one shows when a quarter of it is past.
    assert stretch.start == pytest.approx(3_000, abs=60)
    assert stretch.end == pytest.approx(3_000 + frames, abs=60)
    assert stretch.lowest < 0.75


def test_edges_move_into_the_gaps_between_turns(talk, people):
    partials = talk([(0, 3_000), (1, 300), (0, 2_000)], people(2), gaps=30)
    (stretch,) = found_in(partials)
    assert (stretch.start, stretch.end) == (3_000, 3_300)


def test_one_voice_is_one(talk, people):
    assert found_in(talk([(0, 60_000)], people(2), step=200)) == []


@pytest.mark.parametrize("first", [True, False])
def test_another_voice_at_the_very_ends_is_found(first, talk, people):
    turns = [(1, 400), (0, 3_000)] if first else [(0, 3_000), (1, 400)]
    (stretch,) = found_in(talk(turns, people(2)))
    assert stretch.start == 0 if first else stretch.end == 3_400
    assert stretch.end - stretch.start == pytest.approx(400, abs=60)


def test_every_turn_of_a_conversation_is_found(talk, people):
    turns = [(i % 2, 400 + 60 * i) for i in range(9)]
    found = found_in(talk(turns, people(2), gaps=20))
    starts = np.cumsum([0, *(frames for _, frames in turns)])
    main = main_voice_of(turns)
    expected = [(starts[i], starts[i + 1]) for i, (voice, _) in enumerate(turns) if voice != main]
    assert [(s.start, s.end) for s in found] == expected


def main_voice_of(turns):
    spoken = [sum(frames for voice, frames in turns if voice == who) for who in (0, 1)]
    return int(np.argmax(spoken))


def test_the_main_voice_is_the_one_with_the_most_speech_however_many_there_are(talk, people):
    voices = people(4)
    partials = talk([(1, 700), (2, 900), (0, 700), (2, 700), (3, 800)], voices)
    assert int(np.argmax(voices @ main_of(partials).voice)) == 2


def test_close_looks_weigh_no_more_than_the_speech_they_are_of(talk, people):
    """A minute looked at every 2 s against 20 s looked at every 0.4 s."""
    voices = people(2)
    sparse, dense = talk([(0, 6_000)], voices, step=200), talk([(1, 2_000)], voices, step=20)
    at = np.concatenate((sparse.at, 6_000 + dense.at))
    together = Partials(
        at,
        np.concatenate((sparse.voices, dense.voices)),
        np.arange(8_000),
        np.concatenate((sparse.sounds, dense.sounds)),
    )
    assert int(np.argmax(voices @ main_of(together).voice)) == 0


def test_looks_far_apart_are_not_pooled_and_judge_nothing(talk, people):
    partials = talk([(0, 3_000), (1, 300), (0, 3_000)], people(2), step=200)
    assert found_in(partials) == []


def test_a_single_look_is_its_own_main_voice(talk, people):
    partials = talk([(0, 120)], people(1))
    assert found_in(partials) == []
    assert main_of(partials).pitch_semitones == pytest.approx(3.0)


def test_of_too_few_pitched_frames_no_pitch_is_told(talk, people):
    partials = talk([(0, 160)], people(1))
    whispered = Partials(partials.at, partials.voices, partials.spoken, np.float32([[30, 3.0, -14.0]]))
    assert main_of(whispered).pitch_semitones is None


AXES = np.linalg.qr(without_room(np.random.default_rng(8).standard_normal((2, 256)).astype(np.float32)).T)[0].T
"""Two directions in which no room moves a voice."""


def sound(likeness, semitones=3.0, decay_db=-14.0):
    """A voice that is so like the first axis."""
    return Sound(np.float32([likeness, np.sqrt(1 - likeness**2)]) @ AXES, semitones, decay_db)


def test_less_like_and_of_another_pitch_is_surer_and_another_room_less_sure():
    main = sound(1.0)
    assert another(main, sound(0.5)) > another(main, sound(0.7)) > another(main, sound(0.9))
    assert another(main, sound(0.6, 8.0)) > another(main, sound(0.6, 3.0))
    assert another(main, sound(0.6, decay_db=-6.0)) < another(main, sound(0.6, decay_db=-14.0))
    assert another(main, sound(0.6, decay_db=-20.0)) == pytest.approx(another(main, sound(0.6, decay_db=-8.0)))


def test_what_a_room_does_to_a_voice_is_no_other_person():
    main, directions = sound(1.0), np.load(Path(voiceprints.__file__).parent / "rooms.npy").astype(np.float32)
    for direction in directions:
        moved = Sound(unit(0.6 * main.voice + 0.8 * direction), 3.0, -14.0)
        assert float(moved.voice @ main.voice) < 0.65
        assert another(main, moved) < 0.1
    assert another(main, sound(0.6)) > 0.9


def test_a_small_difference_of_rooms_says_nothing():
    main = sound(1.0)
    assert another(main, sound(0.6, decay_db=-11.5)) == another(main, sound(0.6))


def test_a_whisper_makes_it_less_sure_and_two_whispers_do_not():
    main = sound(1.0)
    assert another(main, sound(0.6, None)) < another(main, sound(0.6, 3.0)) - 0.2
    assert another(sound(1.0, None), sound(0.6, None)) == another(main, sound(0.6, 3.0))


def test_which_of_two_is_first_does_not_matter():
    one, other = sound(1.0, 2.0, -16.0), sound(0.6, 7.0, -9.0)
    assert another(one, other) == another(other, one)


def test_voices_that_are_alike_are_one_person_s_in_the_order_they_come(people):
    one, other = people(2)
    voices = [one, other, unit(one + 0.3 * other), other, one]
    found = grouped(voices, np.ones(5), np.full(5, 0.75))
    assert [group.tolist() for group in found] == [[0, 2, 4], [1, 3]]
    assert [group.tolist() for group in grouped(voices, np.ones(5), np.full(5, 0.4))] == [[0, 1, 2, 3, 4]]
    assert grouped([], np.empty(0), np.empty(0)) == []


def test_a_group_is_as_its_weightiest_voices_are(people):
    """Two voices 0.5 alike, and a third between them: it goes to the one with more speech behind its middle."""
    one, other = people(2)
    between = unit(one + other)
    voices = [one, between, unit(one + 1.2 * other)]
    least = np.array([0.9, 0.8, 0.93])
    assert len(grouped(voices, np.array([1.0, 9.0, 1.0]), least)) == 1
    assert len(grouped(voices, np.array([9.0, 1.0, 1.0]), least)) == 2


def test_pitch_and_room_of_several_are_weighed_and_a_whisper_has_no_say_in_the_pitch(people):
    voice = people(1)[0]
    whole = together([Sound(voice, 4.0, -10.0), Sound(voice, None, -14.0)], np.array([3.0, 1.0]))
    assert (whole.pitch_semitones, whole.decay_db) == (4.0, -11.0)
    assert together([Sound(voice, None, -14.0)], np.ones(1)).pitch_semitones is None


def test_a_voice_survives_being_written():
    voice = unit(np.abs(np.random.default_rng(4).standard_normal(256)))
    assert float(read(written(voice)) @ voice) > 0.9999
    assert written(read(written(voice))) == written(voice)
    assert len(written(voice)) == 344


def test_other_text_is_no_voice():
    with pytest.raises(ValueError, match=r"base64|padding|Only"):
        read("not a voice")


def test_of_more_voices_than_can_be_compared_the_largest_is_still_found(people):
    voices = people(2)
    random = np.random.default_rng(6)
    many = unit(voices[(np.arange(5_000) % 3 == 0).astype(int)] + 0.02 * random.standard_normal((5_000, 256)))
    assert float(main_voice(many, np.ones(5_000)) @ unit(many[1])) > 0.9


def test_hours_of_talk_take_little_memory_and_every_turn_is_found(talk, people):
    """Two hours of turns of 8 s, looked at every 0.4 s: 18,000 looks, of which 18 MB are the voices."""
    partials = talk([(0, 400), *[(i % 2, 800) for i in range(1, 900)]], people(2), gaps=20)
    main = main_of(partials)
    tracemalloc.start()
    found = foreign(partials, main.voice)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == pytest.approx(450, abs=1)
    assert peak < 64 << 20
