"""How long a room rings, told from a voice in rooms of known reverberation time, and when it is too long."""

import tracemalloc

import numpy as np
import pytest
from scipy import signal

from pipeline.checks.room import SUBJECT, RoomLimits, reverberant
from pipeline.readings import Room
from pipeline.records import Block, StreamInfo
from pipeline.spectra import FrameSpectra

RATE_HZ = 16_000


def within(t60_s):
    """A quarter of it or 0.1 s: what rooms differ by within themselves."""
    return pytest.approx(t60_s, rel=0.25, abs=0.1)


@pytest.fixture(scope="module")
def voice(speechlike):
    """A voice that pauses for half a second every two, as speakers do for breath."""
    voice = speechlike(16.0, rate_hz=RATE_HZ, seed=2)
    voice[np.arange(len(voice)) % (2 * RATE_HZ) > 1.5 * RATE_HZ] *= 1e-3
    return voice


def in_room(voice, t60_s, direct=0.0, seed=3):
    """The voice in noise that decays by 60 dB in that time; `direct` is how much of the voice comes on the straight way."""
    at = np.arange(round(1.2 * t60_s * RATE_HZ)) / RATE_HZ
    tail = np.random.default_rng(seed).standard_normal(len(at)) * 10 ** (-3 * at / t60_s)
    tail /= np.linalg.norm(tail)
    tail[0] += direct
    return (signal.fftconvolve(voice, tail)[: len(voice)] / (1 + direct)).astype(np.float32)


def noise(frames, dbfs, seed=4):
    return (10 ** (dbfs / 20) * np.random.default_rng(seed).standard_normal(frames)).astype(np.float32)


def snr(voice, snr_db):
    """Noise so far under the voice's mean power."""
    return noise(len(voice), 10 * np.log10(np.mean(np.square(voice))) - snr_db)


def is_reverberant(room):
    return bool(list(reverberant(room, RoomLimits())))


@pytest.mark.parametrize("t60_s", [0.25, 0.4, 0.6, 0.8, 1.0, 1.5, 2.2])
def test_the_reverberation_time_of_a_room_is_measured(voice, reading_of, t60_s):
    for seed in (3, 4, 5):
        assert reading_of(SUBJECT, in_room(voice, t60_s, seed=seed)).t60_s == within(t60_s)


def test_a_dry_voice_reads_less_than_any_room(voice, reading_of):
    room = reading_of(SUBJECT, voice)
    assert room.t60_s < 0.2
    assert not is_reverberant(room)


def test_a_living_room_passes_and_a_bare_one_does_not(voice, reading_of):
    assert not is_reverberant(reading_of(SUBJECT, in_room(voice, 0.45)))
    assert is_reverberant(reading_of(SUBJECT, in_room(voice, 0.9)))


def test_the_direct_sound_changes_little(voice, reading_of):
    for direct in (0.7, 1.4):  # -3 and 3 dB over the reverberation
        assert reading_of(SUBJECT, in_room(voice, 0.8, direct)).t60_s == within(0.8)


def test_a_tail_25_db_under_the_voice_is_not_called_reverberant(voice, reading_of):
    assert not is_reverberant(reading_of(SUBJECT, in_room(voice, 1.2, direct=18.0)))


@pytest.mark.parametrize("snr_db", [30, 20])
def test_noise_20_db_under_the_voice_does_not_spoil_it(voice, reading_of, snr_db):
    for t60_s in (0.5, 0.9):
        wet = in_room(voice, t60_s)
        assert reading_of(SUBJECT, wet + snr(wet, snr_db)).t60_s == within(t60_s)
    assert reading_of(SUBJECT, voice + snr(voice, snr_db)).t60_s < 0.25


def test_a_voice_that_barely_stands_out_of_noise_is_not_measured(voice, reading_of):
    wet = in_room(voice, 0.8)
    room = reading_of(SUBJECT, wet + snr(wet, 0))
    assert room.t60_s is None
    assert "over the noise" in room.why
    assert not is_reverberant(room)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
def test_the_rate_and_the_number_of_channels_do_not_matter(voice, reading_of, rate_hz):
    wet = in_room(voice, 0.8)
    made = signal.resample_poly(wet, rate_hz // 50, RATE_HZ // 50)
    room = reading_of(SUBJECT, np.stack([made, made], axis=1), rate_hz)
    assert room.t60_s == pytest.approx(reading_of(SUBJECT, wet).t60_s, rel=0.03)


def test_the_level_does_not_matter(voice, reading_of):
    wet = in_room(voice, 0.8)
    assert reading_of(SUBJECT, 0.1 * wet).t60_s == pytest.approx(reading_of(SUBJECT, wet).t60_s, rel=0.01)


def test_pauses_cut_to_digital_silence_do_not_make_a_room_dry(voice, reading_of):
    wet = in_room(voice, 1.5)
    wet[np.arange(len(wet)) % (2 * RATE_HZ) > 1.85 * RATE_HZ] = 0
    assert reading_of(SUBJECT, wet).t60_s == within(1.5)


def test_a_file_of_many_takes_is_judged_by_its_usual_one(voice, reading_of):
    dry, wet = np.tile(voice, 5), np.tile(in_room(voice, 0.8), 5)
    assert reading_of(SUBJECT, np.concatenate((wet, wet, dry))).t60_s == within(0.8)
    assert reading_of(SUBJECT, np.concatenate((dry, wet, dry))).t60_s < 0.2


def test_ten_minutes_leave_no_more_behind_than_one(voice):
    meter = SUBJECT.meter(StreamInfo("wav", "pcm_s16le", RATE_HZ, 1))
    spectra = FrameSpectra().feed(in_room(voice, 0.8))
    block = Block(np.empty((0, 1), np.float32), 0, RATE_HZ, spectra=spectra)
    for _ in range(4):
        meter.feed(block)
    tracemalloc.start()
    for _ in range(40):
        meter.feed(block)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 100_000  # the levels of ten minutes are 450 kB


@pytest.mark.parametrize(
    ("seconds", "dbfs", "why"),
    [(0.01, -30, "over the noise"), (5.0, -30, "over the noise"), (5.0, -400, "over the noise")],
)
def test_without_decays_nothing_is_measured_and_it_is_said_why(reading_of, seconds, dbfs, why):
    room = reading_of(SUBJECT, noise(round(seconds * RATE_HZ), dbfs))
    assert room.t60_s is None
    assert why in room.why


def test_sound_that_never_falls_is_no_speech(reading_of):
    at = np.arange(20 * RATE_HZ) / RATE_HZ
    swelling = noise(len(at), -20) * 10 ** (-1.5 * np.abs((at % 10) / 5 - 1))
    room = reading_of(SUBJECT, swelling)
    assert room.t60_s is None
    assert "no decay of 20 dB" in room.why


def test_the_limit_itself_is_too_long():
    assert not is_reverberant(Room(0.59))
    assert is_reverberant(Room(0.6))
