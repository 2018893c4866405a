"""The numbers that the accuracy page states are counted as it says."""

from pathlib import Path

import goals
import pytest
import render
import score
from cases import Case, Result

from pipeline.catalogue import NOT_MEASURED, rules


def result(part="held out", group="all", flags=None, fired=(), **case):
    findings = [{"code": code, "spans": [{"start_s": a, "end_s": b} for a, b in spans]} for code, spans in fired]
    readings = case.pop("readings", {})
    return Result(Case("a.wav", part, group, flags or {}, **case), {"findings": findings, "readings": readings})


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 20, 0.0, 0.1684), (20, 20, 0.8316, 1.0), (95, 100, 0.8872, 0.9836), (10, 20, 0.2720, 0.7280)],
)
def test_the_interval_is_that_of_clopper_and_pearson(successes, trials, low, high):
    """Tabulated values, to four digits."""
    assert score.interval(successes, trials) == pytest.approx((low, high), abs=1e-4)


def test_no_trials_have_no_interval():
    assert score.interval(0, 0) is None
    assert score.share(0, 0) == "–"


def test_hits_misses_and_false_alarms_are_counted_by_code():
    results = [
        result(flags={"HUM": True}, fired=[("HUM", [])]),
        result(flags={"HUM": True}),
        result(flags={"HUM": False}, fired=[("HUM", [])]),
        result(flags={"HUM": False}),
        result(flags={"HUM": False}),
    ]
    (flagging,) = score.flaggings(results).values()
    assert (flagging.hits, flagging.missed, flagging.false, flagging.quiet) == (1, 1, 1, 2)
    assert flagging.wrong == ["missed a.wav", "false a.wav"]


def test_a_case_in_the_grey_zone_is_left_out():
    assert score.flaggings([result(flags={"HUM": None}, fired=[("HUM", [])])]) == {}


def test_parts_are_never_pooled_with_each_other():
    results = [result(part=part, group=group, flags={"HUM": True}) for part in ("tuning", "held out") for group in "ab"]
    assert score.pooled(score.flaggings(results), "HUM", "held out").missed == 2


def test_what_was_not_measured_is_counted_and_no_error():
    readings = ({"noise": {"snr_db": 21.0}}, {"noise": {"snr_db": None}}, {})
    results = [result(numbers={"noise.snr_db": 20.0}, readings=each) for each in readings]
    (errors,) = score.errors(results).values()
    assert errors.unmeasured == 2
    assert list(errors.errors) == [1.0]


def test_a_listed_stretch_is_matched_with_the_true_one_that_it_overlaps():
    listed = [("LONG_PAUSE", [(1.1, 4.0), (20.0, 22.0)])]
    found = score.events([result(fired=listed, spans={"LONG_PAUSE": [(1.0, 4.2), (9.0, 12.0)]})])
    (events,) = found.values()
    assert (events.true, events.found, events.false) == (2, 1, 1)
    assert events.edges_s == pytest.approx([0.1, -0.2])


def test_a_goal_that_no_case_tells_is_not_met():
    assert len(goals.unmet([])) == len(goals.GOALS) - sum("false alarms" in goal.says for goal in goals.GOALS)


@pytest.mark.parametrize(("measured", "met"), [(0.70, True), (0.80, False), (0.29, False)])
def test_a_reverberation_time_may_be_off_by_a_quarter_or_a_tenth_of_a_second(measured, met):
    results = [result(numbers={"room.t60_s": 0.6}, readings={"room": {"t60_s": measured}})]
    (goal,) = (goal for goal in goals.GOALS if goal.says.startswith("T60"))
    assert goal.met(results)[1] is met


def test_every_finding_is_measured_or_said_to_be_unmeasured():
    """By the page as it was last written."""
    page = (Path(render.__file__).parent / "RESULTS.md").read_text(encoding="utf-8")
    untold = [code for code in {*rules(), NOT_MEASURED.code} if code not in page]
    assert untold == []
