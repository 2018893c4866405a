"""Clips of a dataset made by hand, and what is found when they are compared."""

import pytest

from pipeline import config
from pipeline.records import Clip, Finding, Readings, Severity, Source
from pipeline.records import Evidence as Seen
from pipeline.stages import flag


@pytest.fixture(scope="session")
def clip():
    """`clip(id, *readings, codes=())`: a clip with those readings, and errors of those codes."""

    def make(id_, *readings, codes=()):
        found = tuple(Finding(code, Severity.ERROR, "is so", "Do.", Seen()) for code in codes)
        by_type = {type(reading): reading for reading in readings}
        return Clip(Source(id_, f"/rec/{id_}", 1000), id_, readings=Readings(by_type), findings=found)

    return make


@pytest.fixture(scope="session")
def compared():
    """`compared(subject, clips, *overrides)`: what the subject finds in the clips, by code and clip."""

    def make(subject, clips, *overrides):
        meter = subject.meter()
        for each in clips:
            meter.feed(each)
        found = flag.findings(subject, meter.read(), Readings(), config.load(overrides=overrides))
        return {(finding.code, *finding.evidence.clips): finding for finding in found}

    return make
