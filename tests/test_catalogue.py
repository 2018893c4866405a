"""The catalogue of findings: which codes there are, and that each is declared once, with all that it owes its reader."""

import dataclasses
import string
import typing

import pytest

from pipeline import catalogue, config
from pipeline.catalogue import Limits, Subject, limit
from pipeline.readings import BY_SUBJECT, Levels
from pipeline.records import SUBJECTS, Evidence, Severity
from pipeline.set_readings import Extent

CODES = {
    "BELOW_TARGET": "warning",
    "CLIPPED": "warning/error",
    "DC_OFFSET": "warning",
    "RMS_LEVEL": "warning",
    "DEAD_CHANNEL": "warning",
    "DIFFERENT_CHANNELS": "warning",
    "DROPOUT": "warning",
    "DUPLICATE": "error",
    "DURATION_MISMATCH": "warning",
    "EDGE_SILENCE": "warning",
    "EXTENSION_MISMATCH": "warning",
    "FORMAT_AT_RISK": "warning",
    "HOT_PEAK": "warning",
    "HUM": "warning",
    "INVERTED_CHANNELS": "error",
    "LITTLE_SPEECH": "warning",
    "LONG_PAUSE": "warning",
    "LOW_BITRATE": "warning",
    "LOW_SAMPLE_RATE": "warning/error",
    "MUSIC": "warning",
    "NARROW_BAND": "warning/error",
    "NEAR_DUPLICATE": "error",
    "NOISE_FLOOR": "warning",
    "NOISY": "warning/error",
    "NO_AUDIO": "error",
    "NO_SPEECH": "error",
    "ODD_LEVEL": "warning",
    "ODD_SOUND": "warning",
    "ODD_SPEAKER": "error",
    "OVERLAP": "warning/error",
    "PAUSE_HEAVY": "error",
    "POOR_QUALITY": "warning",
    "REVERBERANT": "warning",
    "SECOND_SPEAKER": "warning/error",
    "TOO_LITTLE_AUDIO": "error",
    "TOO_LONG": "error",
    "TOO_LOUD": "warning/error",
    "TOO_QUIET": "warning/error",
    "TOO_SHORT": "error",
    "TRUNCATED": "warning/error",
    "UNEVEN_LEVEL": "warning",
    "UNREADABLE": "error",
    "UNSUPPORTED_FORMAT": "error",
    "UNSURE": "warning/error",
}
"""A code is a promise to scripts: it is never renamed, and its weight changes only with a word in CHANGELOG.md."""

RULES = [(subject, rule) for subject in catalogue.verified() for rule in subject.rules]
WITHOUT_A_SETTING = {"EXTENSION_MISMATCH"}
"""Its {limit} is what the file's content asks for."""

each_rule = pytest.mark.parametrize(("subject", "rule"), RULES, ids=[f"{s.name}-{r.code}" for s, r in RULES])
each_limit = pytest.mark.parametrize("declared", catalogue.declared_limits().values(), ids=lambda d: d.key)


def test_these_are_the_codes_and_their_weights():
    weights = {}
    for _, rule in RULES:
        weights.setdefault(rule.code, set()).update({rule.severity} | ({rule.gravest} - {None}))
    assert {code: "/".join(map(str, sorted(found))) for code, found in weights.items()} == CODES


def test_not_measured_is_a_fault_and_no_check_yields_it():
    assert catalogue.NOT_MEASURED.severity is Severity.FAULT
    assert "NOT_MEASURED" not in {rule.code for _, rule in RULES}


@each_rule
def test_every_rule_says_what_it_found_what_to_do_and_what_it_means(subject, rule):
    for text in (rule.says, rule.hint, rule.means):
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        assert fields <= {"value", "limit", "detail"}
        assert text.strip() == text != ""
    assert rule.hint.endswith(".")
    assert rule.means.endswith(".")
    assert rule.check.__doc__


@each_rule
def test_a_rule_that_quotes_a_limit_reads_one(subject, rule):
    if "{limit" in rule.says and rule.code not in WITHOUT_A_SETTING:
        assert subject.reads(rule)
    assert set(subject.reads(rule)) <= set(subject.declared())


def test_every_limit_is_read_by_some_rule():
    read = {declared.key for subject, rule in RULES for declared in subject.reads(rule)}
    assert read == {key for key, declared in catalogue.declared_limits().items() if not declared.measuring}


def test_limits_that_a_rule_reads_through_a_function_of_its_module_are_found():
    found = {rule.code: [d.key for d in subject.reads(rule)] for subject, rule in RULES}
    assert found["LONG_PAUSE"] == ["speech.long_pause_s"]
    assert found["TRUNCATED"] == ["container.max_lost_s", "container.max_lost_ratio"]
    assert "speech.long_pause_s" in found["PAUSE_HEAVY"]
    assert found["UNREADABLE"] == []


@each_limit
def test_every_limit_has_a_reason(declared):
    assert declared.reason
    assert config.load().values[declared.key] is not None or declared.default is None


@pytest.mark.parametrize("subject", catalogue.verified(), ids=lambda s: s.name)
def test_every_number_may_be_switched_off(subject):
    """Typed so, mypy makes every check ask before it compares."""
    hints = typing.get_type_hints(subject.limits)
    numbers = [f.name for f in dataclasses.fields(subject.limits) if isinstance(f.default, (int, float))]
    assert [name for name in numbers if type(None) not in typing.get_args(hints[name])] == []


def test_every_subject_of_a_clip_has_its_place_in_report_and_journal():
    """One without checks, which only serves to compare clips, is in the journal alone."""
    for subject in catalogue.clip_subjects():
        assert (subject.name in SUBJECTS) is bool(subject.rules)
        assert BY_SUBJECT[subject.name] is subject.kind


def test_copies_are_found_before_clips_are_compared_and_these_before_they_are_counted():
    turns = [subject.turn for subject in catalogue.corpus_subjects()]
    assert list(dict.fromkeys(turns)) == ["copies", "compare", "count"]
    assert turns == sorted(turns, key=("copies", "compare", "count").index)


@dataclasses.dataclass(frozen=True, slots=True)
class SomeLimits(Limits):
    """One limit."""

    max_noise_db: float | None = limit(1.0, "a reason")


def subject(name, *codes):
    made = Subject(name, SomeLimits, Levels)
    for code in codes:
        made.check(code, Severity.WARNING, says="is so", hint="Do.", means="It means.")(lambda *_: iter(()))
    return made


@pytest.fixture
def with_clip_subjects(monkeypatch):
    """`with_clip_subjects(*subjects)`: the catalogue, checked, as if these were all that there are."""

    def check(*subjects):
        monkeypatch.setattr(catalogue, "clip_subjects", lambda: subjects)
        monkeypatch.setattr(catalogue, "corpus_subjects", tuple)
        return catalogue.verified.__wrapped__()

    return check


def test_a_code_that_two_subjects_declare_is_refused(with_clip_subjects):
    with pytest.raises(TypeError, match="LOUD is declared by both one and two"):
        with_clip_subjects(subject("one", "LOUD"), subject("two", "LOUD"))


def test_two_subjects_of_one_name_are_refused(with_clip_subjects):
    with pytest.raises(TypeError, match="share a name"):
        with_clip_subjects(subject("one", "LOUD"), subject("one", "QUIET"))


def test_an_open_question_may_be_left_by_any_subject(with_clip_subjects):
    found = with_clip_subjects(subject("one", "UNSURE"), subject("two", "UNSURE"))
    assert [s.name for s in found] == ["one", "two"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (dataclasses.field(default=1.0), "needs a default and a reason"),
        (limit(1.0, ""), "needs a default and a reason"),
        (limit(1.0, "a reason"), "must say which side is looser"),
    ],
)
def test_a_limit_that_does_not_say_what_it_must_is_refused(with_clip_subjects, field, told):
    limits = dataclasses.make_dataclass("Bad", [("threshold", float, field)], bases=(Limits,), frozen=True)
    with pytest.raises(TypeError, match=told):
        with_clip_subjects(Subject("bad", limits))


def test_a_check_is_given_the_readings_that_it_asked_for():
    made = Subject("one", SomeLimits, Levels)

    @made.check("ODD", Severity.WARNING, says="x", hint="x", means="x", also=(Extent,))
    def odd(levels, extent, limits):
        yield Evidence(value=levels.peak_dbfs, limit=limits.max_noise_db, detail=repr(extent))

    from pipeline.records import Readings

    levels = Levels(peak_dbfs=-3.0)
    (evidence,) = made.evidence(made.rules[0], levels, Readings({Levels: levels}), SomeLimits())
    assert evidence == Evidence(-3.0, 1.0, detail="None")
