"""Speech, pauses and the silence at the ends of a clip, by either engine, in sounds that need no real recordings."""

from pathlib import Path

import numpy as np
import pytest
import soxr

from pipeline.checks import speech
from pipeline.checks.speech import SUBJECT, SpeechLimits, SpeechMeter, edge_silence, long_pause, no_speech, pause_heavy
from pipeline.readings import Speech
from pipeline.records import Activity, Block, Span, StreamInfo
from pipeline.stages import derive
from pipeline.stages.decode import Stream

RATE_HZ = 16_000
EDGE_S = 0.15
SAMPLE = Path(__file__).parents[2] / "sample_data" / "good" / "reading-01.opus"

engines = pytest.mark.parametrize("engine", ["pyannet", "webrtcvad"])


@pytest.fixture(scope="module")
def reader():
    """A synthetic reading of the sample data, which a network takes for speech: float32 (frames,) at 16 kHz."""
    with Stream(str(SAMPLE)) as stream:
        blocks = derive.derive(stream.info, stream.blocks(), None)
        return np.concatenate([block.mono16k for block in blocks])


def with_gaps(voice, *gaps, rate_hz=RATE_HZ):
    """The first 20 s of a voice with silence put in between: from a second of the voice on, for so many seconds."""
    parts, at = [], 0
    for start_s, length_s in (*gaps, (20.0, 0.0)):
        parts += [voice[at : round(start_s * rate_hz)], np.zeros(round(length_s * rate_hz), np.float32)]
        at = round(start_s * rate_hz)
    samples = np.concatenate(parts)
    return samples + 1e-4 * np.random.default_rng(7).standard_normal(len(samples)).astype(np.float32)


def loud_moment(voice, after_s):
    """The middle of the loudest half second of the next two, so that a gap put there has sharp edges."""
    power = np.square(voice[: len(voice) // 320 * 320].reshape(-1, 320)).mean(axis=1)
    level = np.convolve(10 * np.log10(power + 1e-9), np.ones(25), "same")
    first = round(after_s * 50)
    return (first + int(np.argmax(level[first : first + 100]))) / 50


@engines
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_pause_is_found_where_it_is(reader, reading_of, engine, rate_hz):
    at_s = loud_moment(reader, 6.0)
    samples = soxr.resample(with_gaps(reader, (at_s, 3.0)), RATE_HZ, rate_hz)
    read = reading_of(SUBJECT, samples, rate_hz, engine)
    (pause,) = [span for span in read.pauses if span.length_s > 2]
    assert (pause.start_s, pause.end_s) == pytest.approx((at_s, at_s + 3.0), abs=EDGE_S)
    assert read.engine == engine


@engines
def test_silence_at_the_ends_is_measured(reader, reading_of, engine):
    first_s, last_s = loud_moment(reader, 1.0), loud_moment(reader, 15.0)
    cut = reader[round(first_s * RATE_HZ) : round(last_s * RATE_HZ)]
    samples = np.pad(cut, (round(2.5 * RATE_HZ), 3 * RATE_HZ)) + 1e-4 * np.random.default_rng(9).standard_normal(
        len(cut) + round(5.5 * RATE_HZ)
    )
    read = reading_of(SUBJECT, samples, RATE_HZ, engine)
    assert (read.leading_s, read.trailing_s) == pytest.approx((2.5, 3.0), abs=EDGE_S)


@pytest.mark.parametrize("signal", ["noise", "tone", "silence"])
def test_what_nobody_says_is_no_speech(reading_of, signal):
    at = np.arange(15 * RATE_HZ) / RATE_HZ
    samples = {
        "noise": 0.1 * np.random.default_rng(8).standard_normal(len(at)),
        "tone": 0.1 * np.sin(2 * np.pi * 440 * at),
        "silence": np.zeros(len(at)),
    }[signal]
    read = reading_of(SUBJECT, samples, RATE_HZ, "pyannet")
    assert read.speech_ratio < 0.1
    assert list(no_speech(read, SpeechLimits()))


@pytest.mark.parametrize("samples", [1, 2, 100])
def test_what_is_shorter_than_any_word_is_no_speech(reading_of, samples):
    read = reading_of(SUBJECT, np.full(samples, 0.1), 44_100, "webrtcvad")
    assert (read.speech_s, read.speech_ratio, read.why) == (0.0, 0.0, None)
    assert list(no_speech(read, SpeechLimits()))


def test_speech_and_pauses_and_ends_are_the_whole_clip(reader, reading_of):
    read = reading_of(SUBJECT, with_gaps(reader, (6.0, 3.0), (14.0, 0.8)), RATE_HZ, "pyannet")
    pauses_s = sum(span.length_s for span in read.pauses)
    assert read.speech_s + pauses_s + read.leading_s + read.trailing_s == pytest.approx(23.8, abs=1e-6)
    assert read.speech_ratio == pytest.approx(read.speech_s / 23.8)


def test_of_very_many_pauses_the_longest_are_listed(stream_of_pauses, monkeypatch):
    monkeypatch.setattr(speech, "MAX_PAUSES", 3)
    read = stream_of_pauses([0.5, 2.0, 0.6, 3.0, 4.0, 0.5])
    assert [round(span.length_s, 1) for span in read.pauses] == [2.0, 3.0, 4.0]
    assert read.unlisted_pauses == 3


@pytest.fixture
def stream_of_pauses(reading_of):
    """A reading of made-up activity: a second of speech, and these pauses each with a second behind it."""

    def made(pauses_s):
        runs = [(1.0, 1.0), *((length, kind) for pause in pauses_s for length, kind in ((pause, 0.0), (1.0, 1.0)))]
        spoken = np.concatenate([np.full(round(s / Activity.FRAME_S), kind, np.float32) for s, kind in runs])
        meter = SpeechMeter(StreamInfo("wav", "pcm_s16le", RATE_HZ, 1, positions=("FC",)))
        activity = Activity(0, spoken, 40 * spoken - 60, engine="pyannet")
        meter.feed(Block(np.zeros((len(spoken) * Activity.HOP, 1), np.float32), 0, RATE_HZ, activity=activity))
        return meter.read()

    return made


def clip(seconds, *pauses, leading_s=0.3, trailing_s=0.3):
    spans = tuple(Span(start_s, start_s + length_s) for start_s, length_s in pauses)
    spoken_s = seconds - leading_s - trailing_s - sum(span.length_s for span in spans)
    return Speech(spoken_s, spoken_s / seconds, spans, 0, leading_s, trailing_s, "pyannet")


def test_every_long_pause_is_told_with_its_time_in_one_finding():
    (found,) = long_pause(clip(100, (10, 2.5), (30, 1.0), (50, 4.0)), SpeechLimits())
    assert found.spans == (Span(10, 12.5), Span(50, 54.0))
    assert found.value == 4.0


@pytest.mark.parametrize(("length_s", "told"), [(1.9, False), (1.94, False), (1.96, True), (2.0, True)])
def test_a_pause_is_as_long_as_it_is_told_to_be(length_s, told):
    """Its edges are found to a few hundredths of a second, so that one of 2 s may measure 1.97."""
    assert bool(list(long_pause(clip(100, (10, length_s)), SpeechLimits()))) == told


@pytest.mark.parametrize(
    ("seconds", "pauses", "heavy"),
    [
        (100, ((10, 6), (30, 6), (60, 6)), True),
        (100, ((10, 9), (30, 9)), False),  # two are single events
        (200, ((10, 6), (30, 6), (60, 6)), False),  # 9 %
        (55, ((10, 6), (20, 6), (30, 6)), False),  # too short to tell
        (100, tuple((4 * i, 1.8) for i in range(20)), False),  # many, none of them long
    ],
)
def test_pauses_are_heavy_as_several_and_a_share_of_a_long_enough_clip(seconds, pauses, heavy):
    assert bool(list(pause_heavy(clip(seconds, *pauses), SpeechLimits()))) == heavy


def test_silence_at_both_ends_is_one_finding_with_two_places():
    (found,) = edge_silence(clip(60, leading_s=2.5, trailing_s=3.0), SpeechLimits())
    assert found.spans == (Span(0.0, 2.5), Span(57.0, 60.0))
    assert found.value == 3.0
