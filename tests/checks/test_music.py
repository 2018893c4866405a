import numpy as np
import pytest
from scipy import signal

from pipeline.checks.music import SUBJECT, hum_tones, stretches

RATE_HZ = 16_000
CHORDS = ((261.6, 329.6, 392.0), (220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7))


def times(seconds):
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def played(seconds, beat_s=1.0):
    """Chords of decaying notes with six harmonics each, one a beat."""
    at = times(beat_s)
    notes = [
        sum(np.sin(2 * np.pi * k * hz * at + k) / k for hz in chord for k in range(1, 7)) * np.exp(-0.5 * at)
        for chord in CHORDS
    ]
    return 0.03 * np.resize(np.concatenate(notes), round(seconds * RATE_HZ))


def voice(seconds, seed=0):
    """Harmonics of a pitch that never rests, in syllables, with a little noise."""
    random = np.random.default_rng(seed)
    at = times(seconds)
    cents = sum(random.uniform(100, 250) * np.sin(2 * np.pi * hz * at + random.uniform(0, 6)) for hz in (0.7, 1.9, 3.1))
    phase = 2 * np.pi * np.cumsum(140 * 2 ** (cents / 1200)) / RATE_HZ
    syllables = np.clip(np.sin(2 * np.pi * 2.2 * at) + 0.6, 0, 1)
    return 0.1 * syllables * sum(np.sin(k * phase) / k for k in range(1, 20)) + 0.001 * random.standard_normal(len(at))


def placed(samples, under, at_s):
    """A sound under another from a time on."""
    mixed = np.array(samples)
    first = round(at_s * RATE_HZ)
    mixed[first : first + len(under)] += under
    return mixed


def in_a_room(samples, t60_s):
    """The same with a tail that falls by 60 dB in that time."""
    at = times(t60_s)
    tail = np.random.default_rng(3).standard_normal(len(at)) * 10 ** (-3 * at / t60_s)
    return signal.fftconvolve(samples, tail / np.sqrt(np.sum(tail**2)))[: len(samples)]


def test_music_under_a_voice_is_found_where_it_is(reading_of):
    (span,) = reading_of(SUBJECT, placed(voice(30), played(10), 12)).spans
    assert span.start_s == pytest.approx(12, abs=1.0)
    assert span.end_s == pytest.approx(22, abs=1.0)


def test_music_between_speech_is_found_where_it_is(reading_of):
    (span,) = reading_of(SUBJECT, np.concatenate((voice(10), played(8), voice(10, 1)))).spans
    assert span.start_s == pytest.approx(10, abs=1.0)
    assert span.end_s == pytest.approx(18, abs=1.0)


def test_a_clip_that_is_all_music_is_music_from_end_to_end(reading_of):
    music = reading_of(SUBJECT, played(20))
    assert music.music_ratio > 0.95


def test_the_share_is_that_of_the_spans(reading_of):
    music = reading_of(SUBJECT, placed(voice(30), played(10), 12))
    assert music.music_s == pytest.approx(sum(span.length_s for span in music.spans))
    assert music.music_ratio == pytest.approx(music.music_s / 30)


def test_a_voice_alone_is_no_music(reading_of):
    assert reading_of(SUBJECT, voice(30)).spans == ()


def test_a_held_chord_under_a_whole_clip_is_music(reading_of):
    drone = sum(np.sin(2 * np.pi * k * hz * times(30)) / k for hz in (110.0, 130.8, 164.8, 246.9) for k in range(1, 7))
    assert reading_of(SUBJECT, voice(30) + 0.04 * drone).music_ratio > 0.8


@pytest.mark.parametrize("hz", [50, 60])
def test_mains_hum_is_no_music(reading_of, hz):
    hum = sum(np.sin(2 * np.pi * k * hz * 1.001 * times(20) + k) / k for k in range(1, 20))
    assert reading_of(SUBJECT, voice(20) + 0.02 * hum).spans == ()


def test_a_machine_that_runs_at_one_speed_is_no_music(reading_of):
    machine = sum(np.sin(2 * np.pi * k * 93.7 * times(20) + k) / k**0.5 for k in range(1, 20))
    assert reading_of(SUBJECT, voice(20) + 0.01 * machine).spans == ()


def test_a_whistle_all_along_is_no_music(reading_of):
    assert reading_of(SUBJECT, voice(20) + 0.02 * np.sin(2 * np.pi * 1_300 * times(20))).spans == ()


def test_a_test_tone_is_no_music(reading_of):
    assert reading_of(SUBJECT, placed(voice(20), 0.05 * np.sin(2 * np.pi * 1_000 * times(5)), 8)).spans == ()


def test_beeps_are_no_music(reading_of):
    at = times(20)
    assert reading_of(SUBJECT, voice(20) + 0.05 * (at % 1 < 0.4) * np.sin(2 * np.pi * 1_000 * at)).spans == ()


def test_a_voice_in_a_room_that_rings_is_no_music(reading_of):
    assert reading_of(SUBJECT, in_a_room(voice(30), t60_s=0.5)).spans == ()


@pytest.mark.parametrize("seconds", [0.01, 0.3, 1.0, 4.0])
def test_a_short_clip_is_read(reading_of, seconds):
    assert reading_of(SUBJECT, voice(seconds)).spans == ()


def test_digital_silence_has_no_music(reading_of):
    assert reading_of(SUBJECT, np.zeros(RATE_HZ * 10)).music_s == 0.0


def test_an_empty_clip_says_why(reading_of):
    assert reading_of(SUBJECT, np.zeros(0)).why == "no samples"


def test_noise_has_no_music(reading_of):
    assert reading_of(SUBJECT, 0.1 * np.random.default_rng(0).standard_normal(RATE_HZ * 20)).spans == ()


@pytest.mark.parametrize("frames", [100, 4_001, 16_000, 200_000])
def test_the_reading_does_not_depend_on_the_blocks(reading_of, frames):
    clip = placed(voice(15), played(6), 4)
    assert reading_of(SUBJECT, clip, frames=frames) == reading_of(SUBJECT, clip)


@pytest.mark.parametrize(("frames", "is_music"), [(50, False), (110, True)])
def test_sparse_notes_are_music_when_they_go_on_for_ten_seconds(frames, is_music):
    """A partial of a chord in every second frame: half of what 5 s would need, more than 10 s do."""
    frame = np.arange(100, 100 + frames, 2)
    hz = np.resize([523.3, 659.3, 784.0, 987.8, 1174.7], len(frame))
    assert bool(stretches(frame, hz, 400, 40.0)) == is_music


@pytest.mark.parametrize(("seconds", "hums"), [(10, False), (60, True)])
def test_a_note_near_the_mains_is_hum_only_when_it_is_there_all_the_time(seconds, hums):
    frame = np.arange(0, 10 * seconds, 3)
    assert hum_tones(frame, np.full(len(frame), 600.2), 600).all() == hums
