"""A run goes on where it stopped: what was measured in the very same bytes is not decoded again."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from pipeline import examine as examining
from pipeline import run
from pipeline.errors import MeasuringChanged, NothingToCheck, OutputError, RecordError, UsageError
from pipeline.records import Fault

FAST = ("speech.engine=webrtcvad", "extent.minimum_s=1", "extent.target_s=2")


@pytest.fixture
def examined(monkeypatch):
    """The ids of the clips that were examined, as they are."""
    ids = []
    examine = examining.examine

    def noting(source, activity, unwanted):
        ids.append(source.id)
        return examine(source, activity, unwanted)

    monkeypatch.setattr(examining, "examine", noting)
    return ids


@pytest.fixture
def check(recordings, tmp_path):
    """`check(*inputs, **request)` runs in this process and returns the report."""

    def made(*inputs, overrides=FAST, **request):
        given = tuple(map(str, inputs)) or (str(recordings),)
        return run.check(run.Request(inputs=given, out=tmp_path / "out", overrides=overrides, **request))

    return made


def test_a_second_run_over_unchanged_files_decodes_nothing(check, examined):
    first = check()
    assert sorted(examined) == ["take1.wav", "take2.wav", "take3.wav"]
    examined.clear()
    second = check()
    assert (examined, second) == ([], first)


def test_other_limits_need_no_decoding(check, examined):
    check()
    examined.clear()
    assert check(overrides=(*FAST, "loudness.min_lufs=-10")).clips[0].findings[0].code == "TOO_QUIET"
    assert examined == []


def test_other_measuring_settings_need_a_new_decoding(check, examined, monkeypatch):
    check()
    examined.clear()
    monkeypatch.setattr(run.config.Settings, "measuring_sha256", "other")
    check()
    assert sorted(examined) == ["take1.wav", "take2.wav", "take3.wav"]


def test_another_version_measures_again(check, examined, monkeypatch):
    check()
    examined.clear()
    monkeypatch.setattr(run, "__version__", "99")
    check()
    assert len(examined) == 3


def test_a_changed_file_is_measured_again(check, examined, recordings, write_wav, speechlike):
    check()
    examined.clear()
    write_wav(recordings / "take2.wav", speechlike(2.0, seed=9))
    check()
    assert examined == ["take2.wav"]


def test_a_renamed_a_moved_and_a_copied_file_are_known_again(check, examined, recordings):
    before = {clip.sha256: clip.readings for clip in check().clips}
    examined.clear()
    (recordings / "take1.wav").rename(recordings / "first.wav")
    (recordings / "sub").mkdir()
    (recordings / "take2.wav").rename(recordings / "sub" / "take2.wav")
    (recordings / "copy.wav").write_bytes((recordings / "take3.wav").read_bytes())
    report = check()
    assert [clip.source.id for clip in report.clips] == ["copy.wav", "first.wav", "sub/take2.wav", "take3.wav"]
    assert all(clip.readings == before[clip.sha256] for clip in report.clips)
    assert examined == []


def test_another_extension_is_measured_again(check, examined, recordings):
    check()
    examined.clear()
    (recordings / "take1.wav").rename(recordings / "take1.mp3")
    report = check()
    assert examined == ["take1.mp3"]
    assert [f.code for f in report.clips[0].findings if f.code == "EXTENSION_MISMATCH"]


def test_fresh_measures_everything_again(check, examined):
    check()
    examined.clear()
    check(fresh=True)
    assert len(examined) == 3


def test_a_clip_that_we_failed_to_examine_is_examined_again(check, examined, monkeypatch):
    whole = examining.examine

    def failing(source, activity, unwanted):
        clip = whole(source, activity, unwanted)
        return replace(clip, faults=(Fault("speech", "no model"),)) if source.id == "take2.wav" else clip

    monkeypatch.setattr(examining, "examine", failing)
    assert check().verdict == "undecided"
    examined.clear()
    monkeypatch.setattr(examining, "examine", whole)
    assert check().verdict == "approved"
    assert examined == ["take2.wav"]


def test_the_same_files_under_other_inputs_are_known_and_can_be_judged(check, examined, recordings, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (recordings / "take3.wav").rename(other / "take3.wav")
    check(recordings)
    check(other)
    examined.clear()
    both = check(recordings, other)
    assert [clip.source.id for clip in both.clips] == ["other/take3.wav", "rec/take1.wav", "rec/take2.wav"]
    assert examined == []
    assert run.judge(tmp_path / "out") == both


def test_only_the_current_inputs_enter_the_report(check, examined, recordings, tmp_path):
    """Also where the same id stood for another file in an earlier run."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "take1.wav").write_bytes((recordings / "take2.wav").read_bytes())
    check(recordings)
    report = check(other)
    assert [(c.source.id, c.source.path) for c in report.clips] == [("take1.wav", str(other / "take1.wav"))]
    judged = run.judge(tmp_path / "out")
    assert [c.source.path for c in judged.clips] == [str(other / "take1.wav")]
    examined.clear()
    check(recordings)
    assert examined == []


def test_a_clip_that_is_gone_is_in_no_report(check, recordings):
    check()
    (recordings / "take2.wav").unlink()
    assert [clip.source.id for clip in check().clips] == ["take1.wav", "take3.wav"]


def test_judging_again_changes_nothing_but_what_was_asked_for(check, tmp_path):
    report = check(language="en", leave_out=frozenset({"take3.wav"}))
    assert run.judge(tmp_path / "out") == report
    stricter = run.judge(tmp_path / "out", overrides=("extent.minimum_s=3600",))
    assert stricter.verdict == "rejected"
    assert run.judge(tmp_path / "out", overrides=("loudness.min_lufs=-10",), strict=True).verdict == "rejected"


def test_judging_by_another_profile_keeps_what_was_measured(check, tmp_path):
    check()
    profile = tmp_path / "mine.toml"
    profile.write_text("[extent]\nminimum_s = 3\n")
    judged = run.judge(tmp_path / "out", str(profile))
    assert (judged.settings.profile.name, judged.minimum_s) == ("mine", 3.0)
    assert judged.settings.values["speech.engine"] == "webrtcvad"
    profile.write_text('[speech]\nengine = "pyannet"\n')
    assert run.judge(tmp_path / "out", str(profile)).settings.values["speech.engine"] == "webrtcvad"


def test_judging_cannot_change_the_measuring(check, tmp_path):
    check(overrides=FAST[:1])
    with pytest.raises(MeasuringChanged):
        run.judge(tmp_path / "out", overrides=("speech.engine=pyannet",))


def test_leaving_out_what_is_not_there_or_everything_is_wrong_use(check):
    with pytest.raises(UsageError, match=r"--leave-out take9\.wav: there is no clip of that id"):
        check(leave_out=frozenset({"take9.wav"}))
    with pytest.raises(NothingToCheck, match="leaves no clip"):
        check(leave_out=frozenset({f"take{number}.wav" for number in (1, 2, 3)}))


def test_an_unknown_engine_is_wrong_use_with_the_known_ones(check):
    with pytest.raises(UsageError, match="there is no engine ray; there are local, serial"):
        check(engine="ray")


def test_a_stale_manifest_is_gone_before_anything_is_examined(check, monkeypatch, tmp_path):
    check()
    seen = []

    def looking(source, activity, unwanted):
        seen.append((tmp_path / "out" / "manifest.json").exists())
        raise KeyboardInterrupt

    monkeypatch.setattr(examining, "examine", looking)
    with pytest.raises(KeyboardInterrupt):
        check(fresh=True)
    assert seen == [False]


def test_a_disk_that_fills_up_leaves_no_manifest_and_no_half_file(check, monkeypatch, tmp_path):
    check()
    write = run.write_atomic

    def full(path, text):
        if path.name == "report.html":
            raise OutputError(f"{path} cannot be written (No space left on device)")
        write(path, text)

    monkeypatch.setattr(run, "write_atomic", full)
    with pytest.raises(OutputError, match="No space left"):
        check()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["journal.jsonl", "report.html", "report.json"]


@pytest.mark.parametrize("engine", ["serial", "local"])
def test_a_run_that_was_killed_is_taken_up_where_it_was(many, tmp_path, examined, check, engine):
    out = tmp_path / "out"
    words = ["check", str(many), "-o", str(out), "--engine", engine, "--jobs", "1"]
    words += [part for override in FAST for part in ("--set", override)]
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 30
    while time.monotonic() < until and journalled(out) < 3:
        time.sleep(0.002)
    process.kill()
    process.wait()
    done = journalled(out)
    assert 3 <= done < 39
    assert not (out / "report.json").exists()
    with pytest.raises(RecordError, match="was not finished; run check again, it goes on from there"):
        run.judge(out)
    report = check()
    assert len(report.clips) == 39
    assert len(examined) == 39 - done
    assert run.judge(out) == report
    with pytest.raises(ProcessLookupError):
        wait_for_the_end_of(process.pid)


def wait_for_the_end_of(group, within_s=10.0):
    """Raises ProcessLookupError when the last process of a group has ended, which workers do when their parent has."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        os.killpg(group, 0)
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)


def journalled(out):
    """How many whole lines there are in a journal."""
    try:
        lines = (out / "journal.jsonl").read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return 0
    return sum(1 for line in lines if line.endswith("\n") and json.loads(line)["source"])
