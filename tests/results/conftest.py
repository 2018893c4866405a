"""Clips as they come from the workers, made by hand, and what is decided about them."""

import pytest

from pipeline import catalogue, config
from pipeline.readings import Container, Speech
from pipeline.records import Clip, Evidence, Fault, Finding, Readings, Severity, Source
from pipeline.stages import decide, flag


@pytest.fixture(scope="session")
def clip():
    """`clip(id, minutes, *severities, …)`: a clip with findings of those severities."""

    def make(id_, minutes=10.0, *severities, sha256=None, **measured):
        facts = {"format": "wav", "lossy": False, "sample_rate": 48_000, "channels": 1, "pcm": id_}
        facts |= {key: value for key, value in measured.items() if value is not None and key != "speech_ratio"}
        readings = Readings()
        if minutes is not None:
            ratio = measured.get("speech_ratio", 0.9)
            readings = readings.with_reading(Container(decoded_s=minutes * 60, **facts))
            readings = readings.with_reading(Speech(minutes * 60 * ratio, ratio))
        findings = tuple(Finding(f"CODE_{s.name}", s, "is so", "Do.", Evidence()) for s in severities)
        faults = tuple(Fault("speech", "it failed") for s in severities if s is Severity.FAULT)
        return Clip(Source(id_, f"/rec/{id_}", 1000), sha256 or f"sha of {id_}", None, readings, faults, findings)

    return make


@pytest.fixture(scope="session")
def judged():
    """`judged(clips, *overrides)`: the decision about them."""

    def make(clips, *overrides):
        settings = config.load(overrides=overrides)

        def find(subject, reading):
            return flag.findings(subject, reading, Readings(), settings)

        return decide.decide(clips, catalogue.corpus_subjects(), find)

    return make
