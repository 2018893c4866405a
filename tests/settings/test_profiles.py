"""Every shipped profile loads, says what it is for and where its numbers are from, and judges by them."""

from dataclasses import replace
from datetime import date

import pytest

from pipeline import config
from pipeline.catalogue import clip_subjects, corpus_subjects
from pipeline.readings import Container, Levels, Loudness, Noise, Speech
from pipeline.records import Readings, Severity, Span
from pipeline.set_readings import Extent
from pipeline.stages import flag

each_profile = pytest.mark.parametrize("name", config.shipped_profiles())

NAMED = {
    "cartesia-pro",
    "cartesia-instant-similarity",
    "cartesia-instant-stability",
    "fish",
    "elevenlabs-pvc",
    "audiobook-acx",
    "take",
}


def test_the_profiles_that_the_readme_names_are_shipped():
    assert set(config.shipped_profiles()) == NAMED


@each_profile
def test_a_profile_says_what_it_is_for_and_when_its_source_was_read(name):
    profile = config.load(name).profile
    assert profile.use
    assert profile.source
    assert date(2026, 1, 1) <= date.fromisoformat(profile.checked)
    assert (profile.provider is None) == (name == "take")


@each_profile
def test_a_shipped_profile_is_no_relaxation_of_itself(name):
    assert config.load(name).relaxed == ()


@each_profile
def test_a_profile_changes_something_and_every_change_is_one(name):
    settings, plain = config.load(name), config.load()
    changed = {key for key, origin in settings.origins.items() if origin == f"profile {name}"}
    assert all(settings.values[key] != plain.values[key] for key in changed if key in settings.values)
    assert bool(changed) == (name != config.DEFAULT_PROFILE)


def codes(name, *readings):
    """What a profile finds in some readings, with the severities."""
    kept, settings = Readings({type(reading): reading for reading in readings}), config.load(name)
    return {
        finding.code: finding.severity
        for subject in (*clip_subjects(), *corpus_subjects())
        for reading in readings
        if subject.kind is type(reading)
        for finding in flag.findings(subject, reading, kept, settings)
    }


def clip(format_, decoded_s):
    return Container(
        format=format_,
        extension=f".{format_}",
        extensions=(f".{format_}",),
        codec="pcm_s16le",
        sample_rate=48_000,
        channels=1,
        decoded_s=decoded_s,
    )


@pytest.mark.parametrize(
    ("name", "too_short_s", "fits_s", "too_long_s"),
    [
        ("cartesia-instant-similarity", 2.9, 5.0, 10.1),
        ("cartesia-instant-stability", 9.9, 15.0, 20.1),
        ("fish", 9.9, 60.0, None),
        ("take", None, 3.0, None),
    ],
)
def test_lengths_of_a_clip_are_those_that_the_provider_names(name, too_short_s, fits_s, too_long_s):
    assert not {"TOO_SHORT", "TOO_LONG"} & set(codes(name, clip("wav", fits_s)))
    if too_short_s is not None:
        assert codes(name, clip("wav", too_short_s))["TOO_SHORT"] is Severity.ERROR
    if too_long_s is not None:
        assert codes(name, clip("wav", too_long_s))["TOO_LONG"] is Severity.WARNING


@pytest.mark.parametrize(
    ("name", "takes", "refuses"),
    [
        ("fish", "opus", "flac"),
        ("cartesia-instant-similarity", "flac", "m4a"),
        ("audiobook-acx", "mp3", "wav"),
    ],
)
def test_formats_are_those_that_the_provider_names(name, takes, refuses):
    assert "UNSUPPORTED_FORMAT" not in codes(name, clip(takes, 15.0))
    assert "UNSUPPORTED_FORMAT" in codes(name, clip(refuses, 15.0))


@pytest.mark.parametrize("name", ["take", "audiobook-acx"])
def test_no_minimum_means_that_no_length_is_too_little(name):
    assert not codes(name, Extent(1, 5.0, 4.0, 5.0, 4.0))


def test_acx_rejects_by_rms_peak_and_recorded_floor():
    loud = Loudness(integrated_lufs=-20.0, true_peak_dbtp=-2.9)
    noise = Noise(snr_db=40.0, pause_snr_db=40.0, floor_dbfs=-59.0)
    found = codes("audiobook-acx", Levels(rms_dbfs=-17.9), loud, noise)
    assert {code: found.get(code) for code in ("RMS_LEVEL", "HOT_PEAK", "NOISE_FLOOR")} == dict.fromkeys(
        ("RMS_LEVEL", "HOT_PEAK", "NOISE_FLOOR"), Severity.ERROR
    )
    assert "RMS_LEVEL" not in codes("audiobook-acx", Levels(rms_dbfs=-20.0))
    assert "RMS_LEVEL" not in codes("cartesia-pro", Levels(rms_dbfs=-17.9))


def mp3(kbps=192.0, channels=2, **facts):
    """A file that ACX takes, but for what is said."""
    return replace(
        clip("mp3", 60.0), codec="mp3", lossy=True, kbps=kbps, channels=channels, **{"sample_rate": 44_100} | facts
    )


def paused(seconds):
    return Speech(speech_s=60.0, speech_ratio=0.9, pauses=(Span(5.0, 5.0 + seconds),), engine="pyannet")


def ended(seconds):
    return Speech(speech_s=60.0, speech_ratio=0.9, leading_s=seconds, trailing_s=0.1, engine="pyannet")


def approved(seconds):
    return Extent(1, seconds, seconds, seconds, seconds)


EDGES = [
    # profile, code, what passes by a hair, and what does not; pauses are told in tenths
    ("audiobook-acx", "LOW_BITRATE", mp3(192.0), mp3(191.0)),
    ("audiobook-acx", "LOW_SAMPLE_RATE", mp3(), mp3(sample_rate=44_099)),
    ("audiobook-acx", "TOO_LONG", mp3(decoded_s=7_200.0), mp3(decoded_s=7_200.1)),
    ("audiobook-acx", "RMS_LEVEL", Levels(rms_dbfs=-23.0), Levels(rms_dbfs=-23.1)),
    ("audiobook-acx", "RMS_LEVEL", Levels(rms_dbfs=-18.0), Levels(rms_dbfs=-17.9)),
    ("audiobook-acx", "HOT_PEAK", Loudness(true_peak_dbtp=-3.0), Loudness(true_peak_dbtp=-2.9)),
    (
        "audiobook-acx",
        "NOISE_FLOOR",
        Noise(floor_dbfs=-60.0, pause_snr_db=40.0),
        Noise(floor_dbfs=-59.9, pause_snr_db=40.0),
    ),
    ("audiobook-acx", "EDGE_SILENCE", ended(5.0), ended(5.01)),
    ("elevenlabs-pvc", "LOW_BITRATE", mp3(128.0), mp3(127.0)),
    ("elevenlabs-pvc", "LOW_SAMPLE_RATE", mp3(), mp3(sample_rate=44_000)),
    ("elevenlabs-pvc", "RMS_LEVEL", Levels(rms_dbfs=-23.0), Levels(rms_dbfs=-23.1)),
    ("elevenlabs-pvc", "RMS_LEVEL", Levels(rms_dbfs=-18.0), Levels(rms_dbfs=-17.9)),
    ("elevenlabs-pvc", "HOT_PEAK", Loudness(true_peak_dbtp=-3.0), Loudness(true_peak_dbtp=-2.9)),
    ("elevenlabs-pvc", "FORMAT_AT_RISK", clip("opus", 60.0), None),
    ("take", "FORMAT_AT_RISK", clip("opus", 60.0), None),
    ("fish", "LONG_PAUSE", paused(0.94), paused(1.0)),
    ("fish", "TOO_LITTLE_AUDIO", approved(10.0), approved(9.9)),
    ("fish", "BELOW_TARGET", approved(60.0), approved(59.0)),
    ("cartesia-instant-similarity", "LONG_PAUSE", paused(0.74), paused(0.8)),
    ("cartesia-instant-similarity", "EDGE_SILENCE", ended(0.5), ended(0.51)),
    ("cartesia-instant-similarity", "TOO_LITTLE_AUDIO", approved(3.0), approved(2.9)),
    ("cartesia-instant-similarity", "BELOW_TARGET", approved(5.0), approved(4.9)),
    ("cartesia-instant-stability", "LONG_PAUSE", paused(0.94), paused(1.0)),
    ("cartesia-instant-stability", "EDGE_SILENCE", ended(0.5), ended(0.51)),
    ("cartesia-instant-stability", "TOO_LITTLE_AUDIO", approved(10.0), approved(9.9)),
    ("cartesia-pro", "TOO_LITTLE_AUDIO", approved(1_800.0), approved(1_799.0)),
    ("cartesia-pro", "BELOW_TARGET", approved(7_200.0), approved(7_199.0)),
]


@pytest.mark.parametrize(("name", "code", "passes", "fires"), EDGES)
def test_the_edge_of_each_limit_is_where_the_profile_puts_it(name, code, passes, fires):
    assert code not in codes(name, passes)
    if fires is not None:
        assert code in codes(name, fires)


def test_what_acx_and_others_forbid_is_an_error_there_and_elsewhere_a_warning():
    for reading, code in ((mp3(150.0), "LOW_BITRATE"), (Loudness(true_peak_dbtp=0.5), "HOT_PEAK")):
        assert codes("audiobook-acx", reading)[code] is Severity.ERROR
    assert codes("audiobook-acx", mp3(sample_rate=22_050))["LOW_SAMPLE_RATE"] is Severity.ERROR
    assert codes("elevenlabs-pvc", Loudness(true_peak_dbtp=-2.0))["HOT_PEAK"] is Severity.WARNING
