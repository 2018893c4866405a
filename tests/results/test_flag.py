"""Findings follow from readings and limits alone, and are told with the numbers that they rest on."""

import pytest

from pipeline import catalogue, config
from pipeline.readings import Container, Loudness, Speech
from pipeline.records import Clip, Evidence, Fault, Finding, Readings, Severity, Source, Span
from pipeline.stages.flag import flag


def flagged(*readings, faults=(), overrides=()):
    found = Readings({type(reading): reading for reading in readings})
    clip = Clip(Source("a.wav", "/a.wav", 1), readings=found, faults=tuple(faults))
    return flag(clip, catalogue.clip_subjects(), config.load(overrides=overrides))


PAUSE = Speech(speech_s=9.0, speech_ratio=0.75, pauses=(Span(4.0, 7.0),), leading_s=0.1, trailing_s=0.1)


def test_a_finding_quotes_its_value_its_limit_and_its_place():
    (finding,) = flagged(PAUSE).findings
    assert (finding.code, finding.severity) == ("LONG_PAUSE", Severity.WARNING)
    assert finding.message == "pauses for 3.0 s; less than 2 s is wanted"
    assert (finding.evidence.value, finding.evidence.limit, finding.evidence.spans) == (3.0, 2.0, (Span(4.0, 7.0),))


def test_findings_follow_the_limits():
    assert flagged(PAUSE, overrides=["speech.long_pause_s=3.1"]).findings == ()
    assert flagged(PAUSE, overrides=["speech.long_pause_s=off"]).findings == ()


def test_a_moved_severity_moves_the_verdict():
    assert flagged(PAUSE, overrides=["severity.LONG_PAUSE=error"]).verdict == "reject"
    assert flagged(PAUSE, overrides=["severity.LONG_PAUSE=info"]).verdict == "accept"


def test_a_moved_severity_holds_for_grave_evidence_too():
    quiet = Loudness(integrated_lufs=-50.0, active_speech_level_dbfs=-50.0)
    assert [f.severity for f in flagged(quiet).findings] == [Severity.ERROR]
    assert [f.severity for f in flagged(quiet, overrides=["severity.TOO_QUIET=warning"]).findings] == [Severity.WARNING]


def test_a_fault_names_its_subject_and_its_cause():
    clip = flagged(PAUSE, faults=[Fault("noise", "a model is missing"), Fault(None, "its worker died")])
    found = [f.message for f in clip.findings if f.code == "NOT_MEASURED"]
    assert found == ["could not be examined: noise: a model is missing", "could not be examined: its worker died"]
    assert clip.verdict == "undecided"


def test_the_gravest_finding_comes_first():
    loud = Loudness(integrated_lufs=-5.0, true_peak_dbtp=0.5)
    codes = [f.code for f in flagged(loud, PAUSE, faults=[Fault(None, "x")]).findings]
    assert codes == ["TOO_LOUD", "NOT_MEASURED", "HOT_PEAK", "LONG_PAUSE"]


def test_flagging_again_forgets_what_was_found_before():
    once = flagged(PAUSE)
    assert flag(once, catalogue.clip_subjects(), config.load()) == once


def test_a_clip_that_does_not_decode_carries_that_finding_alone():
    for field, code in (("unreadable", "UNREADABLE"), ("no_audio", "NO_AUDIO")):
        (finding,) = flagged(Container(extension=".wav", **{field: "it is damaged"})).findings
        assert finding.code == code
        assert finding.message.endswith("it is damaged")


def test_what_was_not_measured_is_not_found():
    assert flagged().findings == ()


@pytest.mark.parametrize("kind", [Finding, Evidence, Fault])
def test_what_a_worker_sends_back_can_be_pickled(kind):
    import pickle

    made = {
        Finding: Finding("A", Severity.ERROR, "m", "h", Evidence(1.0)),
        Evidence: Evidence(1.0, 2.0, (Span(0, 1),), ("a",), "d", Severity.ERROR),
        Fault: Fault("speech", "w"),
    }[kind]
    assert pickle.loads(pickle.dumps(made)) == made
