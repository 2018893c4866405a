"""What every check owes: it is quiet on a clean clip and just inside its limit, and fires just outside of it.

The table has a row for every code, with readings made to lie on either side of a limit.
"""

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from pipeline import catalogue, config
from pipeline.readings import (
    Channels,
    Container,
    Fingerprint,
    Levels,
    Loudness,
    Music,
    Noise,
    Quality,
    Room,
    Speakers,
    Spectrum,
    Speech,
    Turn,
    Voice,
)
from pipeline.records import Readings, Severity, Span
from pipeline.set_readings import (
    Consistency,
    Deviation,
    Duplicates,
    Extent,
    Likeness,
    MainVoice,
    Match,
    NearDuplicates,
    Person,
    Piece,
)
from pipeline.stages import flag

WARNING, ERROR = Severity.WARNING, Severity.ERROR

CONTAINER = Container(
    format="flac",
    extension=".flac",
    extensions=(".flac",),
    codec="flac",
    sample_rate=48_000,
    channels=1,
    bits=24,
    lossy=False,
    declared_s=600.0,
    exact=True,
    decoded_s=600.0,
    frames=28_800_000,
    kbps=500.0,
    pcm="1f",
)
LOSSY = replace(CONTAINER, format="mp3", extension=".mp3", extensions=(".mp3",), codec="mp3", lossy=True, kbps=128.0)
LEVELS = Levels(peak_dbfs=-6.0, rms_dbfs=-24.0, dc_offset_ratio=0.0001, decoded_s=600.0)
LOUDNESS = Loudness(
    integrated_lufs=-23.0,
    dual_mono_lufs=-20.0,
    range_lu=5.0,
    max_momentary_lufs=-15.0,
    max_short_term_lufs=-18.0,
    true_peak_dbtp=-5.8,
    active_speech_level_dbfs=-22.0,
    activity_ratio=0.8,
    speech_drift_db=0.8,
    speech_step_db=-1.9,
)
SPEECH = Speech(
    speech_s=540.0,
    speech_ratio=0.9,
    pauses=(Span(10.0, 10.5), Span(20.0, 21.0)),
    leading_s=0.4,
    trailing_s=0.5,
    engine="pyannet",
)
CHANNELS = Channels(count=2, correlation=0.9, coherence=0.9, level_correlation=0.95, downmix_loss_db=0.3)
ROOM = Room(t60_s=0.2)
NOISE = Noise(
    snr_db=40.0,
    floor_dbfs=-62.0,
    pause_snr_db=40.0,
    valley_snr_db=32.0,
    speech_dbfs=-22.0,
    hum_hz=50.0,
    hum_dbfs=-80.0,
)
EXTENT = Extent(clips=20, decoded_s=9_000.0, speech_s=8_000.0, approved_s=9_000.0, approved_speech_s=8_000.0)
FINGERPRINT = Fingerprint(peaks="AAAAAA==")
MUSIC = Music((), 0.0, 0.0)
QUALITY = Quality(3.6, 4.1, 3.4, 2)
CONSISTENCY = Consistency(
    (Deviation("a.wav", 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 3.0),), Deviation("", 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 3.0)
)
SPEAKERS = Speakers(
    count=1,
    speech_s=540.0,
    turns=(Turn(0.4, 599.5, "A"),),
    voices=(Voice("A", 540.0, 1.0, None, 3.0, -14.0),),
    prints=("AQID",),
    second_prints=("AQID",),
    telephone=False,
    overlap_s=0.0,
    engine="embedded",
)
MAIN_VOICE = MainVoice(
    (Likeness("a.wav", True, True, False, 0.01, 1.0),), (Person(540.0, ("a.wav",), None),), reference="me.wav"
)
SPECTRUM = Spectrum(bandwidth_hz=20_000.0, bands_db=(0.0,) * 19)
CLEAN = {
    type(clean): clean
    for clean in (
        CONTAINER,
        LEVELS,
        LOUDNESS,
        SPEECH,
        SPECTRUM,
        CHANNELS,
        NOISE,
        MUSIC,
        QUALITY,
        EXTENT,
        ROOM,
        Duplicates(),
        NearDuplicates(),
        CONSISTENCY,
        FINGERPRINT,
        SPEAKERS,
        MAIN_VOICE,
    )
}
"""One clean reading a subject; a subject that is added brings its own."""


def pauses(*lengths_s):
    """Pauses of those lengths, a minute apart."""
    return tuple(Span(60.0 * i, 60.0 * i + length_s) for i, length_s in enumerate(lengths_s, 1))


@dataclass(frozen=True)
class Row:
    """A code with a reading made for a value, the last value that passes and the first that does not.

    `key` is the limit that lies between the two, `None` where there is no number to set; `settings` are given besides.
    """

    code: str
    key: str | None
    make: Callable[[object], object]
    inside: object
    outside: object
    severity: Severity
    settings: tuple[str, ...] = ()

    def __str__(self):
        return f"{self.code}-{self.key}"

    @property
    def subject(self):
        kind = type(self.make(self.outside))
        return next(subject for subject in catalogue.verified() if subject.kind is kind)


def of(reading, field):
    """A maker of readings that differ in one field."""
    return lambda value: replace(reading, **{field: value})


def loudness(value):
    return replace(LOUDNESS, integrated_lufs=value, active_speech_level_dbfs=value - 1)


def near_duplicates(ratio):
    """A clip that is in a better one to that part."""
    match = Match("b.wav", "a.wav", ratio, (Piece(Span(0.0, 60.0 * ratio), 3.0),))
    return NearDuplicates(order=("a.wav", "b.wav"), matches=(match,))


def deviating(field):
    """A maker of sets in which one clip differs in one respect."""
    return lambda value: replace(CONSISTENCY, deviations=(Deviation("a.wav", **{field: value}),))


def second(sure_ratio=0.9, speech_s=5.0, of_s=540.0):
    """A clip in which another voice speaks for so long, which so surely is another person's."""
    other = Voice("B", speech_s, 0.5, sure_ratio, 9.0, -14.0)
    turns = (Turn(0.0, 60.0, "A"), Turn(60.0, 60.0 + speech_s, "B"))
    prints = ("AQID", "AwIB")
    voices = (*SPEAKERS.voices, other)
    return replace(SPEAKERS, speech_s=of_s, turns=turns, voices=voices, prints=prints, second_prints=prints)


def overlapping(seconds):
    spans = (Span(10.0, 10.0 + seconds),) if seconds else ()
    return replace(SPEAKERS, overlaps=spans, overlap_s=seconds)


def odd_speaker(sure_ratio):
    return replace(MAIN_VOICE, likenesses=(Likeness("a.wav", False, True, False, sure_ratio, 0.0),))


def shared(others_ratio, sure_ratio=0.9):
    """A set of which so much is by somebody else than the most frequent voice."""
    people = (Person(1 - others_ratio, ("a.wav",), None), Person(others_ratio, ("b.wav",), sure_ratio))
    return MainVoice(MAIN_VOICE.likenesses, people)


ROWS = [
    Row("UNREADABLE", None, of(Container(extension=".mp3"), "unreadable"), None, "it is damaged", ERROR),
    Row("NO_AUDIO", None, of(Container(extension=".mp4"), "no_audio"), None, "there is only video", ERROR),
    Row("UNSUPPORTED_FORMAT", "container.formats", of(CONTAINER, "format"), "wav", "aiff", ERROR),
    Row("FORMAT_AT_RISK", "container.safe_formats", of(CONTAINER, "format"), "ogg", "m4a", WARNING),
    Row("EXTENSION_MISMATCH", None, of(CONTAINER, "extension"), ".flac", ".wav", WARNING),
    Row("TRUNCATED", None, of(CONTAINER, "cut"), None, "it ends inside a frame", ERROR),
    Row("TRUNCATED", "container.max_lost_s", of(replace(CONTAINER, cut="cut"), "lost_s"), 0.99, 1.0, ERROR),
    Row(
        "TRUNCATED",
        "container.max_lost_ratio",
        of(replace(CONTAINER, cut="cut", decoded_s=10.0), "lost_s"),
        0.10,
        0.11,
        ERROR,
    ),
    Row("DURATION_MISMATCH", "container.max_mismatch_ratio", of(CONTAINER, "declared_s"), 606.0, 606.1, WARNING),
    Row(
        "DURATION_MISMATCH",
        "container.max_mismatch_s",
        of(replace(CONTAINER, decoded_s=10.0), "declared_s"),
        9.5,
        9.49,
        WARNING,
    ),
    Row("TOO_SHORT", "container.min_clip_s", of(CONTAINER, "decoded_s"), 5.0, 4.9, ERROR, ("container.min_clip_s=5",)),
    Row("TOO_LONG", "container.max_clip_s", of(CONTAINER, "decoded_s"), 900, 901, ERROR, ("container.max_clip_s=900",)),
    Row("LOW_SAMPLE_RATE", "container.min_full_sample_rate_hz", of(CONTAINER, "sample_rate"), 24_000, 23_999, WARNING),
    Row("LOW_SAMPLE_RATE", "container.min_sample_rate_hz", of(CONTAINER, "sample_rate"), 24_000, 15_999, ERROR),
    *(
        Row(
            "LOW_BITRATE",
            f"container.min_{family}_kbps",
            of(replace(LOSSY, codec=codec, channels=2), "kbps"),
            2 * least,
            2 * least - 0.1,
            WARNING,
        )
        for family, codec, least in (
            ("mp3", "mp3float", 48),
            ("aac", "aac", 32),
            ("vorbis", "vorbis", 32),
            ("opus", "opus", 14),
            ("wma", "wmav2", 48),
            ("ac3", "eac3", 48),
        )
    ),
    Row(
        "CLIPPED",
        "levels.max_clipped_runs_per_minute",
        of(replace(LEVELS, clipped_ratio=1e-6), "clipped_runs"),
        20,
        21,
        WARNING,
    ),
    Row(
        "CLIPPED",
        "levels.max_clipped_ratio",
        of(replace(LEVELS, clipped_runs=9), "clipped_ratio"),
        0.0045,  # of a clip that is nine tenths speech
        0.0046,
        ERROR,
    ),
    Row("DROPOUT", "levels.max_dropouts_per_minute", of(LEVELS, "dropout_count"), 5, 6, WARNING),
    Row("DC_OFFSET", "levels.max_dc_offset_ratio", of(LEVELS, "dc_offset_ratio"), 0.01, 0.0101, WARNING),
    Row(
        "RMS_LEVEL",
        "levels.min_rms_dbfs",
        of(LEVELS, "rms_dbfs"),
        -23.0,
        -23.1,
        WARNING,
        ("levels.min_rms_dbfs=-23",),
    ),
    Row(
        "RMS_LEVEL",
        "levels.max_rms_dbfs",
        of(LEVELS, "rms_dbfs"),
        -18.0,
        -17.9,
        WARNING,
        ("levels.max_rms_dbfs=-18",),
    ),
    Row("HOT_PEAK", "loudness.max_true_peak_dbtp", of(LOUDNESS, "true_peak_dbtp"), -1.0, -0.99, WARNING),
    Row("UNEVEN_LEVEL", "loudness.max_speech_step_db", of(LOUDNESS, "speech_step_db"), -6.0, -6.01, WARNING),
    Row("UNEVEN_LEVEL", "loudness.max_speech_drift_db", of(LOUDNESS, "speech_drift_db"), 5.5, 5.51, WARNING),
    Row("TOO_QUIET", "loudness.min_lufs", loudness, -30.0, -30.01, WARNING),
    Row("TOO_QUIET", "loudness.min_usable_lufs", loudness, -30.0, -45.01, ERROR),
    Row("TOO_LOUD", "loudness.max_lufs", loudness, -16.0, -15.99, WARNING),
    Row("TOO_LOUD", "loudness.max_usable_lufs", loudness, -16.0, -8.99, ERROR),
    Row("UNSURE", None, lambda why: Loudness(why=why), None, "it is too short", WARNING),
    Row("LONG_PAUSE", "speech.long_pause_s", lambda s: replace(SPEECH, pauses=pauses(s)), 1.94, 1.96, WARNING),
    Row("PAUSE_HEAVY", "speech.max_heavy_ratio", lambda s: replace(SPEECH, pauses=pauses(s, s, s)), 30, 30.1, ERROR),
    Row("PAUSE_HEAVY", "speech.heavy_min_pauses", lambda n: replace(SPEECH, pauses=pauses(*[59] * n)), 2, 3, ERROR),
    Row(
        "PAUSE_HEAVY",
        "speech.heavy_min_clip_s",
        lambda s: replace(SPEECH, speech_s=0.5 * s, speech_ratio=0.5, pauses=pauses(9, 9, 9)),
        59.9,
        60.0,
        ERROR,
    ),
    Row("EDGE_SILENCE", "speech.max_edge_silence_s", of(SPEECH, "leading_s"), 2.0, 2.01, WARNING),
    Row("EDGE_SILENCE", "speech.max_edge_silence_s", of(SPEECH, "trailing_s"), 2.0, 2.01, WARNING),
    Row("NO_SPEECH", "speech.min_speech_ratio", of(SPEECH, "speech_ratio"), 0.10, 0.0999, ERROR),
    Row("NOISY", "noise.min_full_snr_db", of(NOISE, "snr_db"), 25.0, 24.99, WARNING),
    Row("NOISY", "noise.min_snr_db", of(NOISE, "snr_db"), 25.0, 19.99, ERROR),
    Row("NOISE_FLOOR", "noise.max_floor_dbfs", of(NOISE, "floor_dbfs"), -50.0, -49.99, WARNING),
    Row(
        "NOISE_FLOOR",
        "noise.max_recorded_floor_dbfs",
        of(NOISE, "floor_dbfs"),
        -60.0,
        -59.9,
        WARNING,
        ("noise.max_recorded_floor_dbfs=-60",),
    ),
    Row("HUM", "noise.max_hum_db", of(NOISE, "hum_dbfs"), -54.0, -53.99, WARNING),  # of speech at -22
    Row("UNSURE", None, lambda why: Noise(why=why), None, "its pauses are digital silence", WARNING),
    Row(
        "UNSURE",
        "noise.max_disagreement_db",
        of(replace(NOISE, pause_snr_db=25.0, valley_snr_db=14.0), "pause_snr_db"),
        24.0,
        25.0,
        WARNING,
        ("noise.min_full_snr_db=20",),
    ),
    Row(
        "UNSURE",
        "noise.min_valley_snr_db",
        of(replace(NOISE, pause_snr_db=29.0), "valley_snr_db"),
        15.0,
        14.99,
        WARNING,
    ),
    Row("DEAD_CHANNEL", None, of(CHANNELS, "dead"), (), (2,), WARNING),
    Row("INVERTED_CHANNELS", "channels.min_correlation", of(CHANNELS, "correlation"), -0.5, -0.51, ERROR),
    Row(
        "DIFFERENT_CHANNELS",
        "channels.min_same_coherence",
        of(replace(CHANNELS, level_correlation=0.1), "coherence"),
        0.6,
        0.59,
        WARNING,
    ),
    Row(
        "DIFFERENT_CHANNELS",
        "channels.min_same_level_correlation",
        of(replace(CHANNELS, coherence=0.1), "level_correlation"),
        0.35,
        0.34,
        WARNING,
    ),
    Row("NARROW_BAND", "spectrum.min_full_bandwidth_hz", of(SPECTRUM, "bandwidth_hz"), 11_000.0, 10_999.0, WARNING),
    Row(
        "NARROW_BAND",
        "spectrum.min_nyquist_ratio",
        of(SPECTRUM, "bandwidth_hz"),
        21_600.0,
        21_599.0,
        WARNING,
        ("spectrum.min_full_bandwidth_hz=24000",),
    ),
    Row("NARROW_BAND", "spectrum.min_bandwidth_hz", of(SPECTRUM, "bandwidth_hz"), 11_000.0, 5_999.0, ERROR),
    Row("REVERBERANT", "room.max_t60_s", of(ROOM, "t60_s"), 0.59, 0.6, WARNING),
    Row("MUSIC", "music.max_music_s", of(replace(MUSIC, music_ratio=0.1), "music_s"), 4.0, 4.1, WARNING),
    Row("POOR_QUALITY", "quality.min_dnsmos_ovrl", of(QUALITY, "dnsmos_ovrl"), 3.0, 2.99, WARNING),
    Row("SECOND_SPEAKER", "speakers.min_sure_ratio", second, 0.49, 0.5, WARNING),
    Row("SECOND_SPEAKER", "speakers.max_second_s", lambda s: second(speech_s=s, of_s=3600.0), 10.0, 10.1, ERROR),
    Row(
        "SECOND_SPEAKER",
        "speakers.max_second_ratio",
        lambda r: second(speech_s=400 * r, of_s=400.0),
        0.02,
        0.021,
        ERROR,
    ),
    Row("UNSURE", None, second, 0.09, 0.1, WARNING),
    Row("OVERLAP", None, overlapping, 0.0, 0.3, WARNING),
    Row("OVERLAP", "speakers.max_overlap_ratio", lambda r: overlapping(540 * r), 0.02, 0.021, ERROR),
    Row("ODD_SPEAKER", "main_voice.min_sure_ratio", odd_speaker, 0.49, 0.5, ERROR),
    Row("UNSURE", None, lambda r: shared(r, sure_ratio=0.2), 0.39, 0.41, WARNING),
    Row("UNSURE", "main_voice.max_others_ratio", shared, 0.4, 0.41, ERROR),
    Row("DUPLICATE", None, Duplicates, (), (("a.wav", "b.wav"),), ERROR),
    Row("NEAR_DUPLICATE", "near_duplicates.max_copied_ratio", near_duplicates, 0.5, 0.51, ERROR),
    Row("ODD_LEVEL", "consistency.max_level_difference_db", deviating("level_db"), 6.0, 6.1, WARNING),
    Row("ODD_SOUND", "consistency.max_spectrum_difference_db", deviating("spectrum_db"), 2.6, 2.7, WARNING),
    Row("ODD_SOUND", "consistency.max_bandwidth_difference_octaves", deviating("bandwidth_octaves"), 0.5, 0.6, WARNING),
    Row("ODD_SOUND", "consistency.max_t60_difference_s", deviating("t60_s"), 0.3, 0.31, WARNING),
    Row("ODD_SOUND", "consistency.max_floor_difference_db", deviating("floor_db"), 15.0, 15.1, WARNING),
    Row("TOO_LITTLE_AUDIO", "extent.minimum_s", of(EXTENT, "approved_s"), 1_800.0, 1_799.9, ERROR),
    Row("BELOW_TARGET", "extent.target_s", of(EXTENT, "approved_s"), 7_200.0, 7_199.9, WARNING),
    Row("LITTLE_SPEECH", "extent.minimum_s", of(EXTENT, "approved_speech_s"), 1_800.0, 1_799.9, WARNING),
]

LISTS = {key for key, declared in catalogue.declared_limits().items() if isinstance(declared.default, tuple)}
LOSSES = {"container.max_lost_s", "container.max_lost_ratio"}
"""A loss is told whatever these are; they say when it is grave, and each does so alone."""
NUMBERS = set(catalogue.declared_limits()) - LISTS - LOSSES

each_row = pytest.mark.parametrize("row", ROWS, ids=str)


def graded(row, value, *overrides):
    """The findings of that code in the reading made of a value, by their severities."""
    reading = row.make(value)
    kept = Readings(CLEAN | {type(reading): reading})
    settings = config.load(overrides=[*row.settings, *overrides])
    (subject,) = (s for s in catalogue.verified() if s.kind is type(reading))
    found = [finding for finding in flag.findings(subject, reading, kept, settings) if finding.code == row.code]
    return [finding.severity for finding in found], found


def test_every_code_has_a_row():
    rules = {rule.code for subject in catalogue.verified() for rule in subject.rules}
    assert {row.code for row in ROWS} == rules


def test_every_limit_that_a_check_reads_has_a_row():
    chosen = {key for key, declared in catalogue.declared_limits().items() if declared.choices}
    assert {row.key for row in ROWS if row.key is not None} == set(catalogue.declared_limits()) - chosen


def test_every_severity_that_a_rule_may_have_has_a_row():
    for subject in catalogue.verified():
        for rule in subject.rules:
            reached = {row.severity for row in ROWS if row.code == rule.code and row.subject is subject}
            assert reached <= {rule.severity, rule.gravest}
            assert max(reached) is (rule.gravest or rule.severity), rule.code


@pytest.mark.parametrize("subject", catalogue.verified(), ids=lambda subject: subject.name)
def test_a_clean_clip_and_a_clean_set_are_found_fault_with_by_nobody(subject):
    found = flag.findings(subject, CLEAN[subject.kind], Readings(CLEAN), config.load())
    assert [finding.message for finding in found] == []


@each_row
def test_it_fires_just_outside_its_limit_and_not_inside(row):
    assert row.severity not in graded(row, row.inside)[0]
    assert graded(row, row.outside)[0] == [row.severity]


@pytest.mark.parametrize("row", [row for row in ROWS if row.key in NUMBERS], ids=str)
def test_a_limit_that_is_off_lets_it_pass(row):
    assert row.severity not in graded(row, row.outside, f"{row.key}=off")[0]


def numbers_in(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text)]


@pytest.mark.parametrize("row", [row for row in ROWS if row.key in NUMBERS], ids=str)
def test_it_tells_its_value_and_its_limit(row):
    """As numbers, as per cent or as minutes, rounded as people read them."""
    for finding in graded(row, row.outside)[1]:
        told = numbers_in(f"{finding.message} {finding.hint}")
        for number in (finding.evidence.value, finding.evidence.limit):
            if isinstance(number, (int, float)):
                spellings = (number, 100 * number, number / 60)
                assert any(abs(a - b) <= max(0.051, 0.02 * abs(b)) for a in told for b in spellings), (number, told)


@pytest.mark.parametrize("row", [row for row in ROWS if row.key in LISTS], ids=str)
def test_a_list_that_has_it_lets_it_pass(row):
    assert graded(row, row.outside, f"{row.key}={row.inside},{row.outside}")[0] == []


@each_row
def test_its_texts_are_whole(row):
    _, found = graded(row, row.outside)
    for finding in found:
        for text in (finding.message, finding.hint):
            assert text
            assert not set("{}") & set(text)
            assert "None" not in text
            assert "nan" not in text.split()


@pytest.mark.parametrize("kind", [Levels, Loudness, Noise, Speech, Channels, Room])
def test_a_reading_that_knows_nothing_leaves_a_question_open_at_most(kind):
    (subject,) = (s for s in catalogue.verified() if s.kind is kind)
    unknown = kind(why="it could not be measured")
    codes = {f.code for f in flag.findings(subject, unknown, Readings({kind: unknown}), config.load())}
    assert codes <= {"UNSURE"}


def test_clean_readings_leave_no_field_out_that_a_check_could_stumble_over():
    for kind, reading in CLEAN.items():
        fields = [f.name for f in dataclasses.fields(kind) if getattr(reading, f.name) is None]
        assert set(fields) <= {"why", "cut", "lost_s", "unreadable", "no_audio"}
