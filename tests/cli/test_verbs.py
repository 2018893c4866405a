"""The small verbs, and the same from Python."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pipeline
from pipeline import doctor, exits, run
from pipeline.cli import main
from pipeline.errors import RecordError, SettingsError, UsageError
from pipeline.stages import compare


@pytest.fixture
def agency(tmp_path, recordings):
    """A folder with two voices, a folder without audio, and a file beside them."""
    top = tmp_path / "agency"
    top.mkdir()
    for name, files in (("anna", ("take1.wav", "take2.wav")), ("b[red]ob", ("take3.wav",))):
        (top / name).mkdir()
        for file in files:
            (top / name / file).write_bytes((recordings / file).read_bytes())
    (top / "empty").mkdir()
    (top / "notes.txt").write_text("nothing to hear")
    return top


def test_every_folder_is_a_voice_of_its_own(voxgate, agency, tmp_path, passing):
    out = tmp_path / "out"
    ran = voxgate("check", agency, "--each-folder", "-o", out, *passing)
    assert ran.status == 0, ran.stdout + ran.stderr
    assert "b[red]ob" in ran.stdout
    overview = json.loads((out / "overview.json").read_text())
    assert overview["schema"] == "voxgate.overview/1"
    told = [(entry["folder"], entry["verdict"]) for entry in overview["folders"]]
    assert told == [("anna", "approved"), ("b[red]ob", "approved"), ("empty", None)]
    manifest = json.loads((out / "anna" / "manifest.json").read_text())
    assert [clip["id"] for clip in manifest["clips"]] == ["take1.wav", "take2.wav"]


def test_one_voice_that_falls_short_is_1_and_the_others_keep_their_manifests(voxgate, agency, tmp_path, passing):
    out = tmp_path / "out"
    ran = voxgate("check", agency, "--each-folder", "-o", out, *passing, "--set", "extent.minimum_s=3")
    assert ran.status == 1
    assert (out / "anna" / "manifest.json").exists()
    assert not (out / "b[red]ob" / "manifest.json").exists()


def test_folders_of_one_name_under_two_inputs_do_not_share_results(voxgate, agency, tmp_path, passing):
    second = tmp_path / "second"
    for folder in (second / "anna", second / "anna-2"):
        folder.mkdir(parents=True)
        (folder / "take3.wav").write_bytes((agency / "b[red]ob" / "take3.wav").read_bytes())
    out = tmp_path / "out"
    assert voxgate("check", agency, second, "--each-folder", "-o", out, *passing).status == 0
    roots = [json.loads((out / name / "report.json").read_text())["root"] for name in ("anna", "anna-2", "anna-3")]
    assert roots == [str(folder) for folder in (agency / "anna", second / "anna-2", second / "anna")]


def test_recordings_that_lie_in_no_voice_s_folder_are_named(voxgate, agency, tmp_path, passing):
    (agency / "loose.wav").write_bytes((agency / "anna" / "take1.wav").read_bytes())
    ran = voxgate("check", agency, "--each-folder", "-o", tmp_path / "out", *passing)
    assert f"passed over, for it is in no voice's folder: {agency / 'loose.wav'}" in ran.stdout
    assert "notes.txt" not in ran.stdout


def test_a_voice_without_recordings_keeps_no_manifest_of_earlier(voxgate, agency, tmp_path, passing):
    out = tmp_path / "out"
    assert voxgate("check", agency, "--each-folder", "-o", out, *passing).status == 0
    (agency / "b[red]ob" / "take3.wav").unlink()
    assert voxgate("check", agency, "--each-folder", "-o", out, *passing).status == 0
    assert not (out / "b[red]ob" / "manifest.json").exists()
    assert (out / "anna" / "manifest.json").exists()


@pytest.mark.parametrize("inside", [[], ["empty"]], ids=["no folder", "no audio in any"])
def test_an_agency_without_voices_is_wrong_use(voxgate, tmp_path, inside):
    for name in ("top", *(f"top/{name}" for name in inside)):
        (tmp_path / name).mkdir()
    ran = voxgate("check", tmp_path / "top", "--each-folder")
    assert ran.status == 2
    assert not (tmp_path / "voxgate-out").exists()


def test_voices_and_a_clip_to_leave_out_do_not_go_together(voxgate, agency):
    ran = voxgate("check", agency, "--each-folder", "--leave-out", "take1.wav")
    assert ran.status == 2
    assert "check that folder by itself" in ran.stderr


def test_a_difference_names_what_came_went_and_changed(voxgate, recordings, tmp_path, passing, write_wav, speechlike):
    before, after = tmp_path / "before", tmp_path / "after"
    assert voxgate("check", recordings, "-o", before, *passing).status == 0
    assert voxgate("diff", before, before).stdout == "nothing changed\n"
    (recordings / "take1.wav").unlink()
    write_wav(recordings / "take2.wav", np.clip(speechlike(2.0, seed=2) * 20, -0.5, 0.5))
    write_wav(recordings / "take4.wav", speechlike(2.0, seed=9))
    assert voxgate("check", recordings, "-o", after, *passing).status == 0
    ran = voxgate("diff", before, after)
    assert ran.status == 0
    lines = ran.stdout.splitlines()
    assert "take1.wav: gone, accept" in lines
    assert any(line.startswith("take4.wav: new, ") for line in lines)
    assert "take2.wav: other bytes" in lines
    assert any(line.startswith("take2.wav: +CLIPPED") for line in lines)


def report(**changes):
    """A report as far as two are compared."""
    clip = {"id": "a.wav", "sha256": "1", "verdict": "accept", "findings": []}
    return {
        "verdict": "approved",
        "profile": "take",
        "settings_sha256": "1",
        "totals": {"decoded_s": 60.0, "speech_s": 50.0, "approved_s": 60.0},
        "findings": [],
        "not_examined": [],
        "clips": [clip],
    } | changes


def codes(*pairs):
    return [{"code": code, "severity": severity} for code, severity in pairs]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"verdict": "rejected"}, "verdict: approved -> rejected"),
        ({"profile": "fish"}, "profile: take -> fish"),
        ({"settings_sha256": "2"}, "settings: 1 -> 2"),
        ({"totals": {"decoded_s": 66.0, "speech_s": 50.0, "approved_s": 60.0}}, "decoded: 1.0 -> 1.1 minutes"),
        ({"totals": {"decoded_s": 60.0, "speech_s": 56.0, "approved_s": 60.0}}, "speech: 0.8 -> 0.9 minutes"),
        ({"totals": {"decoded_s": 60.0, "speech_s": 50.0, "approved_s": 0.0}}, "approved: 1.0 -> 0.0 minutes"),
        ({"findings": codes(("UNSURE", "error"))}, "set: +UNSURE"),
        ({"not_examined": [{"subject": "speakers", "why": "off"}]}, "speakers: not examined any more"),
    ],
)
def test_whatever_a_person_would_want_to_know_is_a_difference(changes, told):
    assert list(compare.differences(report(), report(**changes))) == [told]


def test_a_graver_finding_and_another_verdict_of_a_clip_are_differences():
    clip = report()["clips"][0]
    before = report(clips=[clip | {"findings": codes(("NOISY", "warning"), ("HUM", "warning"))}])
    after = report(clips=[clip | {"verdict": "reject", "findings": codes(("NOISY", "error"), ("NOISY", "warning"))}])
    lines = ["a.wav: accept -> reject", "a.wav: -HUM NOISY warning -> error"]
    assert list(compare.differences(before, after)) == lines


def test_a_difference_needs_two_runs(voxgate, tmp_path):
    ran = voxgate("diff", tmp_path, tmp_path)
    assert ran.status == 2
    assert "run check" in ran.stderr


@pytest.mark.parametrize(
    "held", ["{}", "[]", '{"schema": "voxgate.report/1"}', '{"schema": "voxgate.overview/1", "folders": []}']
)
def test_what_is_no_whole_report_is_neither_compared_nor_exported(voxgate, tmp_path, held):
    (tmp_path / "report.json").write_text(held)
    for command in (("diff", tmp_path, tmp_path), ("export", tmp_path, "--to", "csv")):
        ran = voxgate(*command)
        assert ran.status == 2
        assert "is no report of this voxgate's; run check" in ran.stderr


def test_the_doctor_finds_this_machine_well(voxgate, tmp_path):
    ran = voxgate("doctor", "-o", tmp_path)
    assert ran.status == 0, ran.stdout
    assert all(line.startswith("ok ") for line in ran.stdout.splitlines())
    for looked_at in ("python", "numpy", "kernels", "decoders", "model pyannet", "model dnsmos", "room"):
        assert f" {looked_at} " in ran.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_looks_for_room_where_a_folder_would_be_made_and_does_not_make_it(voxgate, tmp_path):
    ran = voxgate("doctor", "-o", tmp_path / "not" / "yet")
    assert ran.status == 0, ran.stdout
    assert str(tmp_path / "not" / "yet") in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["file/in it", "link", "link/in it"])
def test_the_doctor_tells_where_nothing_can_be_written_and_what_to_do(voxgate, tmp_path, where):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at all")
    ran = voxgate("doctor", "-o", tmp_path / where)
    assert ran.status == 3, ran.stdout
    (missing,) = (line for line in ran.stdout.splitlines() if line.startswith("MISSING"))
    assert "use -o elsewhere" in missing


LIBRARIES = ["one<2,>=1", "other<3,>=2", "extra>=1; extra == 'dev'", "elsewhere>=1; sys_platform == 'none'"]


@pytest.mark.parametrize(
    ("installed", "ails"),
    [
        ({"one": "1.0", "other": "2.9"}, {}),
        ({"one": "1.0"}, {"other": "is not installed; run: {python} -m pip install 'other<3,>=2'"}),
        (
            {"one": "0.9", "other": "3.0"},
            {
                "one": "voxgate is not known to work with 0.9; run: {python} -m pip install 'one<2,>=1'",
                "other": "voxgate is not known to work with 3.0; run: {python} -m pip install 'other<3,>=2'",
            },
        ),
    ],
)
def test_the_doctor_looks_for_every_library_in_a_version_that_will_do(monkeypatch, installed, ails):
    def version(name):
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(importlib.metadata, "requires", lambda _name: LIBRARIES)
    monkeypatch.setattr(importlib.metadata, "version", version)
    found = {symptom.name: symptom for symptom in doctor.libraries()}
    assert list(found) == ["one", "other"]
    told = {name: told.format(python=sys.executable) for name, told in ails.items()}
    assert {name: symptom.told for name, symptom in found.items() if not symptom.well} == told


def test_the_doctor_asks_for_what_it_looks_with_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    (symptom,) = doctor.libraries()
    assert (symptom.name, symptom.well) == ("packaging", False)
    assert symptom.told.endswith("-m pip install packaging")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete_it(voxgate, shell):
    ran = voxgate("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert ran.status == 0
    assert "voxgate" in ran.stdout


def test_an_export_lists_its_files_and_refuses_what_is_not_approved(voxgate, recordings, tmp_path, passing):
    out = tmp_path / "out"
    assert voxgate("check", recordings, "-o", out, *passing).status == 0
    ran = voxgate("export", out, "--to", "csv")
    assert ran.status == 0
    assert ran.stdout.strip() == str(out / "export-csv" / "clips.csv")
    ran = voxgate("export", out, "--to", "audacity")
    assert (ran.status, ran.stdout) == (0, "")
    assert "nothing to write" in ran.stderr
    assert voxgate("judge", out, "--set", "extent.minimum_s=1000").status == 1
    ran = voxgate("export", out, "--to", "nemo")
    assert ran.status == 1
    assert "rejected" in ran.stderr
    assert voxgate("export", out, "--to", "word").status == 2


def test_from_python_the_same_files_and_verdicts_come_out(recordings, tmp_path):
    settings = ("speech.engine=webrtcvad", "quality.engine=off", "extent.minimum_s=1", "extent.target_s=2")
    report = pipeline.check(recordings, tmp_path / "out", settings=settings)
    assert (report.verdict, len(report.clips)) == ("approved", 3)
    assert (tmp_path / "out" / "manifest.json").exists()
    assert pipeline.judge(tmp_path / "out", settings=("extent.minimum_s=1000",)).verdict == "rejected"
    assert pipeline.judge(tmp_path / "out").verdict == "approved"
    manifest = tmp_path / "out" / "manifest.json"
    receipt = pipeline.upload(manifest, "folder", consent="yes", name=str(tmp_path / "staged"), allow_unexamined=True)
    assert len(receipt.delivered) == 3
    with pytest.raises(SettingsError):
        pipeline.check([recordings], tmp_path / "out", profile="nobody")
    with pytest.raises(RecordError):
        pipeline.judge(tmp_path)


@pytest.mark.parametrize(("inputs", "jobs"), [(["there"], 0), (["there"], -1), ([], 1)])
def test_from_python_too_what_asks_for_nothing_is_wrong_use(tmp_path, inputs, jobs):
    with pytest.raises(UsageError):
        pipeline.check(inputs, tmp_path / "out", jobs=jobs)


def test_its_types_are_there_for_whoever_calls_it():
    assert (Path(pipeline.__file__).parent / "py.typed").is_file()


def test_from_python_every_option_arrives(monkeypatch):
    asked = []
    monkeypatch.setattr(run, "check", asked.append)
    monkeypatch.setattr(run, "judge", lambda *given, **named: asked.append((given, named)))
    pipeline.check("in", "out", profile="take", settings=("noise.min_snr_db=9",), reference=Path("me.wav"), jobs=2)
    pipeline.judge("out", profile="take", settings=("noise.min_snr_db=9",), reference=Path("me.wav"))
    wanted = run.Request(
        ("in",), Path("out"), "take", ("noise.min_snr_db=9",), reference="me.wav", engine="local", jobs=2
    )
    given = (Path("out"), "take", ("noise.min_snr_db=9",))
    assert asked == [wanted, (given, {"reference": "me.wav"})]


def test_on_the_command_line_every_option_arrives(monkeypatch):
    asked = []
    monkeypatch.setattr(run, "check", lambda request, _watcher: asked.append(request) or sys.exit(0))
    words = "check in -o out --profile take --set a=b --language de --reference me.wav --jobs 3 --leave-out x --fresh --strict"
    monkeypatch.setattr(sys, "argv", ["voxgate", *words.split(), "--engine", "serial"])
    with pytest.raises(SystemExit):
        main()
    (request,) = asked
    assert request == run.Request(
        ("in",), Path("out"), "take", ("a=b",), frozenset("x"), "de", "me.wav", "serial", 3, fresh=True, strict=True
    )


@pytest.mark.parametrize("verdict", ["approved", "rejected", "undecided"])
def test_what_could_not_be_examined_wins_over_any_verdict(verdict):
    assert exits.status_of(SimpleNamespace(faults=1, verdict=verdict)) == 3


def test_the_api_is_what_it_says():
    assert sorted(pipeline.__all__) == ["__version__", "check", "judge", "upload"]
    assert all(hasattr(pipeline, name) for name in pipeline.__all__)


def test_the_process_that_hands_out_work_loads_no_decoder():
    program = "import sys, pipeline.run; print(sorted({'av', 'soxr', 'scipy', 'onnxruntime'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


def test_a_clip_is_examined_without_scipy_where_the_kernels_were_compiled(recordings, tmp_path):
    pytest.importorskip("pipeline.kernels.compiled", reason="the kernels were not compiled")
    program = (
        "import sys; from pathlib import Path; from pipeline import run\n"
        "request = run.Request((sys.argv[1],), Path(sys.argv[2]), overrides=('speech.engine=webrtcvad', 'quality.engine=off'))\n"
        "report = run.check(request)\n"
        "print(not report.faults, 'pipeline.examine' in sys.modules, 'scipy' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(recordings), str(tmp_path / "out")]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    assert told.stdout.split() == ["True", "True", "False"]
