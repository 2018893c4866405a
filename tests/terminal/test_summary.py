"""The summary in the terminal tells verdict, clocks, what to do next, where the faults are, and what nobody looked at."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from pipeline import catalogue, config
from pipeline.outcome import Report
from pipeline.readings import Container, Levels
from pipeline.records import Absence, Clip, DatasetVerdict, Fault, Readings, Relaxed, Source, Span
from pipeline.set_readings import Extent, MainVoice, Person
from pipeline.stages.advise import advise
from pipeline.stages.flag import flag
from pipeline.terminal import summary


def clip(name: str, minutes: float = 10.0, *, clipped: bool = False, faults: tuple[Fault, ...] = ()) -> Clip:
    """A flagged clip of that many minutes, clipped all over or clean."""
    readings = Readings().with_reading(
        Container(
            format="wav",
            extension=".wav",
            extensions=(".wav",),
            codec="pcm_s16le",
            sample_rate=48_000,
            channels=1,
            lossy=False,
            declared_s=minutes * 60,
            decoded_s=minutes * 60,
        )
    )
    if clipped:
        spans = (Span(3.2, 3.3), Span(65.0, 65.5))
        readings = readings.with_reading(
            Levels(peak_dbfs=0.0, clipped_runs=900, clipped_ratio=0.2, clipped_spans=spans, decoded_s=60 * minutes)
        )
    made = Clip(Source(name, f"/takes/{name}", 1000), "0" * 64, readings=readings, faults=faults)
    return flag(made, catalogue.clip_subjects(), config.load())


def report(*clips: Clip, verdict: DatasetVerdict = DatasetVerdict.REJECTED, **changes: object) -> Report:
    """A report of those clips against 30 minutes and 2 hours."""
    seconds = sum(c.readings[Container].decoded_s or 0.0 for c in clips)
    approved = sum(c.readings[Container].decoded_s or 0.0 for c in clips if c.verdict.counts)
    extent = Extent(len(clips), seconds, seconds, approved, approved)
    made = Report(verdict, config.load(), "/takes", clips, (), extent, 1800.0, 7200.0)
    return replace(made, **changes)


def shown(made: Report, width: int = 100) -> str:
    """What the terminal prints, as plain text."""
    console = Console(file=io.StringIO(), width=width)
    summary.show(made, Path("voxgate-out"), console)
    return console.file.getvalue()


def test_the_summary_names_the_verdict_and_all_three_clocks():
    text = shown(report(clip("a.wav", 31.0), verdict=DatasetVerdict.APPROVED))
    assert "APPROVED" in text
    assert [line.split()[0] for line in text.splitlines() if "31:00" in line] == ["decoded", "speech", "approved"]
    assert "30:00 is the minimum" in text
    assert "manifest.json" in text


def test_other_voices_are_told_with_their_minutes_their_files_and_how_sure_it_is():
    people = [Person(1_800.0, ("a.wav",), None), *(Person(30.0, (f"talk{i}.wav",), 0.9) for i in range(8))]
    text = shown(report(clip("a.wav", 31.0), voices=MainVoice((), tuple(people))))
    assert "30:00" in text
    assert "the most frequent, in 1 file" in text
    assert text.count("90% sure") == 6
    assert "and 2 more in the report" in text
    named = shown(report(clip("a.wav", 31.0), voices=MainVoice((), tuple(people), "me.wav")))
    assert "as in me.wav" in named


def test_one_voice_is_not_worth_a_table():
    assert "Voices" not in shown(
        report(clip("a.wav", 31.0), voices=MainVoice((), (Person(1_800.0, ("a.wav",), None),)))
    )


def test_a_set_that_is_not_approved_has_no_manifest_to_show():
    assert "manifest.json" not in shown(report(clip("a.wav", clipped=True)))


def test_what_to_do_next_begins_with_the_step_that_gains_most():
    steps = advise(report(clip("a.wav", 5.0), clip("loud.wav", 12.0, clipped=True)))
    assert steps[0].text == "record 25 more minutes"
    assert steps[1].text.startswith("CLIPPED in 1 file, 12 min to gain")
    assert [step.gain_s for step in steps] == sorted((step.gain_s for step in steps), reverse=True)


@pytest.mark.parametrize(("there", "told"), [(5.54, "25"), (20.0, "10"), (20.52, "9.5"), (29.99, "0.1")])
def test_what_is_advised_to_record_is_enough(there, told):
    assert advise(report(clip("a.wav", there)))[0].text == f"record {told} more minutes"


def test_what_could_not_be_examined_comes_before_everything_else():
    failed = clip("b.wav", faults=(Fault("speech", "its weights are missing; install them"),))
    first = advise(report(clip("a.wav", clipped=True), failed))[0]
    assert first.clips == ("b.wav",)
    assert "install them" in first.hint


def test_a_flagged_file_is_listed_with_the_times_of_its_faults():
    text = shown(report(clip("takes/loud.wav", clipped=True)))
    assert "takes/loud.wav" in text
    assert "CLIPPED" in text
    assert "0:03.2–0:03.3" in text
    assert "1:05.0–1:05.5" in text


def test_a_subject_that_nobody_examined_is_said_to_be_so():
    text = shown(report(clip("a.wav"), not_examined=(Absence("speakers", "not yet"),)))
    assert "Not examined" in text
    assert "speakers" in text


def test_a_relaxed_limit_is_shown_with_what_it_was():
    settings = replace(config.load(), relaxed=(Relaxed("loudness.min_lufs", -30.0, -50.0),))
    assert "loudness.min_lufs: -50.0 instead of -30.0" in shown(report(clip("a.wav"), settings=settings))


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int):
    text = shown(report(clip("a" * 120 + ".wav", clipped=True), clip("b.wav")), width)
    assert max(map(len, text.splitlines())) <= width


def test_a_name_with_control_characters_cannot_write_to_the_terminal():
    text = shown(report(clip("evil\x1b[2J\n.wav", clipped=True)))
    assert "\x1b" not in text
    assert "evil\\x1b[2J\\n.wav" in text


def test_what_many_files_share_is_said_once():
    text = shown(report(*(clip(f"take{number}.wav", clipped=True) for number in range(9))))
    assert text.count("is clipped") == 1
    assert "9 files alike" in text
