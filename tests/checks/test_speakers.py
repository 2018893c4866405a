"""Who speaks in a clip: what the reading holds and tells, and real conversations, where the real recordings are."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline import config, models
from pipeline.checks import speakers
from pipeline.checks.speakers import SUBJECT
from pipeline.errors import ModelMissing
from pipeline.meters import at_once
from pipeline.readings import Speakers, Turn, Voice
from pipeline.records import Activity, Block, Readings, Severity, Span, StreamInfo
from pipeline.stages import flag

RATE_HZ = 16_000
AUDIO = Path(os.environ.get("VOXGATE_TEST_AUDIO", Path(__file__).parents[3] / "shared" / "audio"))
MEETINGS = AUDIO / "pyannote__pyannote-audio" / "tests" / "data"
INFO = StreamInfo("wav", "pcm_s16le", RATE_HZ, 1)


def found(reading, *overrides):
    """What the checks find in a reading, by code."""
    made = flag.findings(SUBJECT, reading, Readings({Speakers: reading}), config.load(overrides=overrides))
    return {finding.code: finding for finding in made}


def cast(*others, of_s=600.0):
    """A clip in which such voices, (seconds, sure), speak besides its own."""
    voices = [Voice("A", of_s, 1.0, None, 3.0, -14.0)]
    turns, at = [], 10.0
    for number, (speech_s, sure) in enumerate(others, 1):
        name = "ABCDEFG"[number]
        voices.append(Voice(name, speech_s, 0.5, sure, 8.0, -14.0))
        turns += [Turn(at, at + speech_s, name), Turn(at + speech_s, at + speech_s + 10, "A")]
        at += speech_s + 10
    return Speakers(len(voices), of_s, tuple(turns), tuple(voices), ("AQID",) * len(voices), (), 0.0, "embedded")


def test_a_slip_is_a_warning_with_its_times_its_share_and_how_sure_it_is():
    finding = found(cast((4.0, 0.93)))["SECOND_SPEAKER"]
    assert finding.severity is Severity.WARNING
    assert finding.evidence.spans == (Span(10.0, 14.0),)
    for told in ("4.0 s", "0.7%", "93% sure"):
        assert told in finding.message


def test_an_interview_is_an_error_and_counts_everybody_in_it():
    finding = found(cast((100.0, 0.9), (60.0, 0.8)))["SECOND_SPEAKER"]
    assert finding.severity is Severity.ERROR
    assert "160.0 s, of 2 people" in finding.message
    assert len(finding.evidence.spans) == 2


def test_what_may_be_another_room_leaves_a_question_open_and_is_no_second_speaker():
    findings = found(cast((100.0, 0.2)))
    assert set(findings) == {"UNSURE"}
    assert "20% sure" in findings["UNSURE"].message
    assert findings["UNSURE"].evidence.spans


def test_sure_and_unsure_voices_are_told_apart():
    findings = found(cast((4.0, 0.9), (6.0, 0.2)))
    assert findings["SECOND_SPEAKER"].evidence.spans == (Span(10.0, 14.0),)
    assert findings["UNSURE"].evidence.spans == (Span(24.0, 30.0),)


def test_what_is_hardly_likely_is_left_to_the_checks_of_rooms():
    assert found(cast((100.0, 0.05))) == {}


class Colours:
    """In the encoder's place: a voice is the mean spectrum of a look."""

    def run(self, _outputs, given):
        means = given["mel"].mean(axis=1)
        voices = np.pad(means, ((0, 0), (0, 256 - means.shape[1])))
        return [voices / np.maximum(np.linalg.norm(voices, axis=1, keepdims=True), 1e-9)]


class Strangers:
    """In the place of the second encoder: nobody is like anybody heard before."""

    def __init__(self):
        self.heard = 0

    def run(self, _outputs, given):
        looks = given["fbank"]
        assert looks.shape[1:] == (200, 80) or (len(looks) == 1 and looks.shape[1] % 200 == 0)
        self.heard += 1
        return [np.eye(192, dtype=np.float32)[[self.heard] * len(looks)]]


class Loud:
    """In the segmentation's place, and in that of the layers in front of it: two speak where it is loud."""

    def get_modelmeta(self):
        return SimpleNamespace(custom_metadata_map={})

    def bands(self, waveforms):
        return waveforms

    def run(self, _outputs, given):
        own = given["bands"][:, 360 : 360 + 293 * Activity.HOP].reshape(-1, 293, Activity.HOP)
        return [(np.sqrt(np.square(own).mean(axis=2)) > 0.07).astype(np.float32)[:, :, None]]


class OnePerson(Strangers):
    """Everybody is the same."""

    def run(self, outputs, given):
        super().run(outputs, given)
        return [np.eye(192, dtype=np.float32)[[0] * len(given["fbank"])]]


def noise(low_hz, high_hz, seconds, seed):
    bins = np.fft.rfft(np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)))
    hz = np.fft.rfftfreq(round(seconds * RATE_HZ), 1 / RATE_HZ)
    samples = np.fft.irfft(np.where((hz > low_hz) & (hz < high_hz), bins, 0), round(seconds * RATE_HZ))
    return (0.05 * samples / samples.std()).astype(np.float32)


def read(samples, overlap=None):
    """The meter's reading where somebody speaks all the time, and two at once where `overlap` says."""
    meter = SUBJECT.meter(INFO)
    count = -(-len(samples) // Activity.HOP)
    both = np.array([0.0 if overlap is None else overlap(n * Activity.FRAME_S) for n in range(count)], np.float32)
    for first in range(0, count, 100):
        part = slice(first, first + 100)
        mono = samples[first * Activity.HOP : (first + 100) * Activity.HOP]
        ones = np.ones(len(both[part]), np.float32)
        voices = np.stack((ones, both[part], 0 * ones), axis=1)
        activity = Activity(first, ones, -26 * ones, voices, both[part], "pyannet")
        meter.feed(Block(mono[:, None], first * Activity.HOP, RATE_HZ, mono, activity))
    return meter.read()


def put_in(monkeypatch, second_encoder):
    """Stand-ins for all networks of the subject."""
    networks = {"ge2e": Colours(), "campplus": second_encoder, "segmentation": Loud()}
    monkeypatch.setattr(speakers, "session", networks.__getitem__)
    monkeypatch.setattr(at_once, "SincNet", lambda _metadata: networks["segmentation"])


@pytest.fixture
def colours(monkeypatch):
    put_in(monkeypatch, Strangers())


def test_the_voices_come_in_the_order_of_their_speech_and_the_turns_in_that_of_time(colours):
    host, guest, third = (200, 900), (1_500, 4_000), (5_000, 7_500)
    turns = [(host, 12), (third, 3), (host, 10), (guest, 5), (host, 8)]
    reading = read(np.concatenate([noise(*band, seconds, i) for i, (band, seconds) in enumerate(turns)]))
    assert [voice.speaker for voice in reading.voices] == ["A", "B", "C"]
    assert [turn.speaker for turn in reading.turns] == ["A", "C", "A", "B", "A"]
    # Edges are trimmed for the real network, which hears another voice sooner than this one.
    assert [turn.start_s for turn in reading.turns] == pytest.approx([0, 12, 15, 25, 30], abs=0.9)
    assert reading.speech_s == pytest.approx(38, abs=0.1)
    assert sum(voice.speech_s for voice in reading.voices) == pytest.approx(reading.speech_s)
    assert len(reading.prints) == 3


def test_how_sure_it_is_is_the_second_encoders_word(monkeypatch):
    guest = noise(200, 900, 4, 2) + 2 * noise(1_500, 4_000, 4, 4)  # somewhat like the host
    samples = np.concatenate([noise(200, 900, 12, 1), guest, noise(200, 900, 10, 3)])
    for encoder, sure in ((Strangers(), True), (OnePerson(), False)):
        put_in(monkeypatch, encoder)
        reading = read(samples)
        assert len(reading.voices) == 2
        assert (reading.voices[1].sure_ratio > 0.9) == sure
        assert ("SECOND_SPEAKER" in found(reading)) == sure
        assert encoder.heard == 2, "it hears the main voice once, and the other one"


def test_of_one_voice_the_second_encoder_hears_as_much_as_it_takes_to_know_it_in_another_clip(monkeypatch):
    for seconds, prints in ((30, 1), (1.3, 0)):
        encoder = Strangers()
        put_in(monkeypatch, encoder)
        reading = read(noise(200, 900, seconds, 1))
        assert reading.count == 1
        assert encoder.heard == prints
        assert [print_ is not None for print_ in reading.second_prints] == [prints == 1]


def test_a_voice_that_comes_back_is_the_same_one(colours):
    turns = [((200, 900), 12), ((1_500, 4_000), 3), ((200, 900), 10), ((1_500, 4_000), 4), ((200, 900), 8)]
    reading = read(np.concatenate([noise(*band, seconds, i) for i, (band, seconds) in enumerate(turns)]))
    assert [turn.speaker for turn in reading.turns] == ["A", "B", "A", "B", "A"]


@pytest.mark.parametrize(
    ("hint", "seconds", "band_hz", "expected"),
    [
        (0.8, 2.0, (200, 900), 1),
        (0.11, 2.0, (200, 900), 1),
        (0.8, 0.15, (200, 900), 0),
        (0.09, 2.0, (200, 900), 0),
        (0.0, 2.0, (1_500, 4_000), 1),  # GE2E hears that it is not the voice alone
    ],
)
def test_an_overlap_lasts_a_word_where_there_is_a_hint_of_one(colours, hint, seconds, band_hz, expected):
    samples = noise(200, 900, 30, 1)
    samples[20 * RATE_HZ : round((20 + seconds) * RATE_HZ)] += 2 * noise(*band_hz, seconds, 2)
    reading = read(samples, lambda s: hint if 20 <= s < 20 + max(seconds, 1.0) else 0.0)
    assert len(reading.overlaps) == expected
    # In a narrow band noise swells and falls, and where it falls the stand-in hears one.
    assert reading.overlap_s == pytest.approx(expected * seconds, abs=0.12)
    for span in reading.overlaps:
        assert (span.start_s, span.end_s) == pytest.approx((20, 20 + seconds), abs=0.12)


def test_an_overlap_that_lasts_to_the_end_ends_with_the_clip(colours):
    samples = noise(200, 900, 30, 1)
    samples[25 * RATE_HZ :] += 2 * noise(1_500, 4_000, 5, 2)
    samples = samples[: 1_660 * Activity.HOP - 1]  # the last frame lacks one
    reading = read(samples, lambda s: 0.8 if s >= 25 else 0.0)
    assert reading.overlaps[-1].end_s == len(samples) / RATE_HZ
    assert reading.turns[-1].end_s == len(samples) / RATE_HZ


def test_without_voices_nothing_is_measured_and_it_says_why():
    meter = SUBJECT.meter(INFO)
    mono = np.zeros(2_700, np.float32)
    meter.feed(
        Block(mono[:, None], 0, RATE_HZ, mono, Activity(0, np.ones(10, np.float32), np.zeros(10), engine="webrtcvad"))
    )
    reading = meter.read()
    assert reading.count is None
    assert reading.why == "webrtcvad hears no voices"


# From here on with the networks themselves, and with real recordings.


@pytest.fixture(scope="module")
def networks():
    for name in ("pyannet", "ge2e", "campplus", "segmentation"):
        try:
            models.locate(name)
        except ModelMissing as missing:
            pytest.skip(str(missing))


@pytest.fixture(scope="module")
def cases(networks):
    """The module that measures how well voices are told apart."""
    if not AUDIO.is_dir():
        pytest.skip("the real recordings are not here; VOXGATE_TEST_AUDIO names their folder")
    sys.path.insert(0, str(Path(__file__).parents[1] / "accuracy"))
    import speakers as module

    return module


@pytest.fixture(scope="module")
def cast_of(cases):
    return cases.Cast("tuning")


def engaged(reading_of, samples):
    return reading_of(SUBJECT, samples, RATE_HZ, "pyannet")


def minute(cases, cast_of, number, seed=1):
    return cases.takes(cast_of.host(number)[1], 40, np.random.default_rng(seed))


@pytest.mark.parametrize("number", range(4))
def test_another_reader_is_found_in_a_minute_of_one(cases, cast_of, reading_of, number):
    reader, _ = cast_of.host(number)
    other = next(u for u in cast_of.others if cases.sexes()[u.reader] != cases.sexes()[reader])
    pieces, foreign = minute(cases, cast_of, number), cases.cut(other, 4.0)
    before = np.concatenate(pieces[:4])
    reading = engaged(reading_of, np.concatenate((before, foreign, pieces[1], *pieces[4:])))
    (turn,) = (turn for turn in reading.turns if turn.speaker == "B")
    # Edges are at pauses, and of two pauses close together it may be the wrong one: 95 % are within 0.9 s, the worst 1.2.
    assert turn.start_s == pytest.approx(len(before) / RATE_HZ, abs=1.2)
    assert turn.end_s == pytest.approx((len(before) + len(foreign)) / RATE_HZ, abs=1.2)
    assert "SECOND_SPEAKER" in found(reading)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("gain_db", [0, -25])
def test_one_reader_is_one_at_any_level(cases, cast_of, reading_of, number, gain_db):
    samples = np.concatenate(minute(cases, cast_of, number)) * np.float32(10 ** (gain_db / 20))
    reading = engaged(reading_of, samples)
    assert reading.count == 1
    assert found(reading) == {}


def test_the_same_reader_in_a_hall_is_no_second_speaker(cases, cast_of, reading_of):
    import recordings
    from scipy.signal import fftconvolve

    pieces = minute(cases, cast_of, 1)
    hall = recordings.response("rir48000", RATE_HZ)
    pieces[2] = recordings.unit(fftconvolve(pieces[2], hall)[: len(pieces[2])]) * 0.05
    assert "SECOND_SPEAKER" not in found(engaged(reading_of, np.concatenate(pieces)))


def test_two_readers_at_once_are_an_overlap(cases, cast_of, reading_of):
    samples = np.concatenate(minute(cases, cast_of, 1))
    over = cases.cut(cast_of.others[0], 3.0)
    samples[8 * RATE_HZ : 8 * RATE_HZ + len(over)] += over
    spans = engaged(reading_of, samples).overlaps
    assert spans
    assert all(span.start_s > 7.5 and span.end_s < 11.5 for span in spans)


def test_a_meeting_is_told_apart_as_its_labels_say(networks, reading_of):
    """AMI's dev00, two men at -45 LUFS: the diarization error rate by pyannote.metrics, no collar, overlap counted.

    9 % when this was written; labels by hand are off by 0.1 s at every turn. All of it as one speaker would be 45 %.
    """
    if not MEETINGS.is_dir():
        pytest.skip("the real recordings are not here; VOXGATE_TEST_AUDIO names their folder")
    import av
    from pyannote.core import Annotation, Segment
    from pyannote.metrics.diarization import DiarizationErrorRate

    with av.open(str(MEETINGS / "dev00.wav")) as file:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)]) / 32768
    labels, heard = Annotation(), Annotation()
    for line in (MEETINGS / "debug.development.rttm").read_text().splitlines():
        _, name, _, start, length, _, _, who, *_ = line.split()
        if name == "dev00":
            labels[Segment(float(start), float(start) + float(length)), line] = who
    reading = engaged(reading_of, samples.astype(np.float32))
    for turn in reading.turns:
        heard[Segment(turn.start_s, turn.end_s)] = turn.speaker
    assert reading.count == 2
    assert DiarizationErrorRate()(labels, heard, uem=Segment(0, 30)) < 0.25
