"""The command line as a script sees it: exit statuses, what goes to which stream, and names that nobody expects."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline import catalogue, config
from pipeline.cli import main

MAIN = [sys.executable, "-c", "from pipeline.cli import main; main()"]

WITHOUT_WEIGHTS = """
import importlib.metadata

def nowhere(name):
    raise importlib.metadata.PackageNotFoundError(name)

importlib.metadata.files = nowhere
"""

DEADLY = """
import multiprocessing, os, signal
from pipeline.stages import decode

opened = decode.Stream.__init__

def dying(self, path, *more, **named):
    if path.endswith("take2.wav") and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)
    opened(self, path, *more, **named)

decode.Stream.__init__ = dying
"""


@pytest.fixture
def customised(tmp_path):
    """`customised(code)`: the environment of processes that run this code before anything else."""

    def make(code):
        folder = tmp_path / "custom"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code)
        return {"PYTHONPATH": str(folder)}

    return make


@pytest.fixture
def in_process(monkeypatch, capsys, tmp_path):
    """`in_process(*words)`: the command line without the time that a process takes to start."""

    def run(*words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["voxgate", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return SimpleNamespace(status=left.value.code, stdout=told.out, stderr=told.err)

    return run


@pytest.fixture
def missing(customised, tmp_path):
    """The environment of a machine that has no model weights anywhere."""
    return customised(WITHOUT_WEIGHTS) | {"VOXGATE_CACHE": str(tmp_path / "none"), "VOXGATE_MODELS": str(tmp_path)}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_a_set_that_passes_is_0(voxgate, recordings, passing, out):
    ran = voxgate("check", recordings, "-o", out, *passing)
    assert ran.status == 0, ran.stdout + ran.stderr
    assert "APPROVED" in ran.stdout
    assert ran.report["verdict"] == "approved"
    assert [clip["id"] for clip in ran.manifest["clips"]] == ["take1.wav", "take2.wav", "take3.wav"]
    assert sorted(path.name for path in out.iterdir()) == [
        "journal.jsonl",
        "manifest.json",
        "report.html",
        "report.json",
    ]


def test_results_go_beside_where_the_user_is(voxgate, recordings, passing, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert voxgate("check", recordings, *passing, cwd=elsewhere).status == 0
    assert (elsewhere / "voxgate-out" / "manifest.json").exists()


def test_a_set_that_is_too_short_is_1(voxgate, recordings, out):
    ran = voxgate("check", recordings, "-o", out, "--set", "speech.engine=webrtcvad", "--engine", "serial")
    assert ran.status == 1
    assert "REJECTED" in ran.stdout
    assert not (out / "manifest.json").exists()


def test_strictly_a_warning_is_1(voxgate, recordings, passing, out):
    demanding = (*passing, "--set", "loudness.min_lufs=-10")
    assert voxgate("check", recordings, "-o", out, *demanding).status == 0
    assert voxgate("check", recordings, "-o", out, *demanding, "--strict").status == 1
    assert voxgate("judge", out, "--strict").status == 1
    assert voxgate("judge", out).status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["check"], "Missing argument"),
        (["check", "rec", "--colour"], "No such option: --colour"),
        (["check", "rec", "--jobs", "0"], "--jobs"),
        (["check", "rec", "--set", "loudness.min_luf=-30"], "did you mean loudness.min_lufs?"),
        (["check", "rec", "--profile", "nobody"], "there is no profile 'nobody'"),
        (["check", "rec", "--engine", "cloud"], "there is no engine cloud; there are local, serial"),
        (["check", "rec", "--speakers", "pyannote"], "--speakers pyannote is not available in this version"),
        (["check", "rec", "--reference", "nobody.wav"], "--reference nobody.wav: there is no such file"),
        (["check", "rec", "--reference", "rec", "--speakers", "off"], "--reference needs the subject speakers"),
        (["check", "rec", "--leave-out", "take9.wav"], "there is no clip of that id"),
        (["check", "empty"], "no audio found under empty"),
        (["check", "nowhere"], "there is no nowhere"),
        (["check", "rec/*.ogg"], "there is no rec/*.ogg"),
        (["judge", "nowhere"], "holds no finished run; run check first"),
        (["judge", "empty"], "holds no finished run; run check first"),
        (["judge", "rec", "--set", "speech.engine=webrtcvad"], "holds no finished run"),
        (["explain", "NOISE_FLOR"], "there is no finding NOISE_FLOR; did you mean"),
        (["list", "voices"], "there is no list of voices; there are checks, formats, profiles, providers, engines"),
        (["sing"], "No such command 'sing'"),
        ([], "Usage: voxgate"),
    ],
)
def test_wrong_use_is_2_and_says_what_is_wrong(in_process, recordings, tmp_path, words, told):
    (tmp_path / "empty").mkdir()
    ran = in_process(*words)
    assert ran.status == 2
    assert told in ran.stderr + ran.stdout
    assert not (tmp_path / "voxgate-out" / "report.json").exists()


def test_a_wrong_profile_is_2_with_its_line(in_process, recordings, tmp_path):
    (tmp_path / "mine.toml").write_text("[speech]\nlong_pauses_s = 3\n")
    ran = in_process("check", recordings, "--profile", "mine.toml")
    assert ran.status == 2
    assert "mine.toml, line 2: there is no key speech.long_pauses_s; did you mean speech.long_pause_s?" in ran.stderr


def test_judging_is_refused_what_only_decoding_can_tell(in_process, recordings, passing, out):
    in_process("check", recordings, "-o", out, *passing)
    ran = in_process("judge", out, "--set", "speech.engine=pyannet")
    assert ran.status == 2
    assert "run check with it instead of judge" in ran.stderr
    assert (out / "manifest.json").exists()


def test_a_missing_model_is_3_and_everything_else_is_measured(voxgate, recordings, passing, out, missing):
    short = ("--set", "extent.minimum_s=1", "--set", "extent.target_s=2")
    ran = voxgate("check", recordings, "-o", out, *short, "--jobs", "2", **missing)
    assert (ran.status, ran.report["verdict"]) == (3, "undecided")
    for clip in ran.report["clips"]:
        assert clip["verdict"] == "undecided"
        assert {"container", "levels", "loudness", "channels"} <= set(clip["readings"])
        assert "speech" not in clip["readings"]
        (found,) = [f for f in clip["findings"] if f["code"] == "NOT_MEASURED" and ": speech: " in f["message"]]
        assert found["severity"] == "fault"
        assert re.search(r"install them with: .+ -m pip install --no-deps whisperx==", found["message"])
    assert not (out / "manifest.json").exists()
    again = voxgate("judge", out, **missing)
    assert again.status == 3
    without = voxgate("check", recordings, "-o", out, *passing, "--set", "quality.engine=off", **missing)
    assert (without.status, without.report["verdict"]) == (0, "approved")


def test_a_worker_that_dies_is_3_and_costs_its_own_clip(voxgate, recordings, passing, out, customised):
    ran = voxgate("check", recordings, "-o", out, *passing, "--engine", "local", **customised(DEADLY))
    assert (ran.status, ran.report["verdict"]) == (3, "undecided")
    verdicts = {clip["id"]: clip["verdict"] for clip in ran.report["clips"]}
    assert verdicts == {"take1.wav": "accept", "take2.wav": "undecided", "take3.wav": "accept"}
    assert "its worker died" in ran.report["clips"][1]["findings"][0]["message"]
    again = voxgate("check", recordings, "-o", out, *passing)
    assert (again.status, again.report["verdict"]) == (0, "approved")


@pytest.mark.parametrize("out", ["/proc/voxgate", "rec/take1.wav", "rec/take1.wav/inside"])
def test_results_that_cannot_be_written_are_3(in_process, recordings, passing, out):
    ran = in_process("check", "rec", "-o", out, *passing)
    assert ran.status == 3
    assert "cannot be made" in ran.stderr
    assert "name another one with -o" in ran.stderr


def test_a_disk_that_fills_up_is_3_and_leaves_no_half_file(recordings, passing, out, tmp_path):
    limited = ["bash", "-c", 'ulimit -f 4; exec "$@"', "-", *MAIN]
    done = subprocess.run(
        [*limited, "check", "rec", "-o", out, *passing], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "cannot be written (File too large); free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in out.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize("engine", ["serial", "local"])
@pytest.mark.parametrize("after", ["at once", "some clips"])
def test_an_interrupt_is_130_and_keeps_the_journal(many, passing, out, engine, after):
    process = subprocess.Popen(
        [*MAIN, "check", many, "-o", out, *passing, "--engine", engine, "--jobs", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wanted = out if after == "at once" else out / "journal.jsonl"
    until = time.monotonic() + 30
    while not wanted.exists() and time.monotonic() < until:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.splitlines()[-1].startswith("voxgate: interrupted; what was done is written down")
    assert "Traceback" not in stderr
    assert [path.name for path in out.iterdir()] in ([], ["journal.jsonl"])
    for line in (out / "journal.jsonl").read_text().splitlines() if after == "some clips" else []:
        assert json.loads(line)["readings"]


def test_a_summary_goes_to_stdout_and_progress_to_stderr(voxgate, recordings, passing, out):
    ran = voxgate("check", recordings, "-o", out, *passing)
    assert ran.stderr == "checking 3 files\n"
    assert "checking" not in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr
    assert "\r" not in ran.stdout


def test_quiet_is_silent_and_the_status_tells(voxgate, recordings, passing, out):
    ran = voxgate("check", recordings, "-o", out, *passing, "--quiet")
    assert (ran.status, ran.stdout, ran.stderr) == (0, "", "")
    ran = voxgate("judge", out, "--quiet", "--set", "extent.minimum_s=3600")
    assert (ran.status, ran.stdout, ran.stderr) == (1, "", "")


def test_quiet_does_not_hide_what_is_wrong_with_the_use(in_process):
    ran = in_process("check", "nowhere", "--quiet")
    assert (ran.status, ran.stdout) == (2, "")
    assert ran.stderr.startswith("voxgate: there is no nowhere")


def test_no_colour_is_no_colour(voxgate, recordings, passing, out):
    coloured = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])m")
    voxgate("check", recordings, "-o", out, *passing, "-q")
    assert coloured.search(voxgate("judge", out, FORCE_COLOR="1").stdout)
    assert not coloured.search(voxgate("judge", out, FORCE_COLOR="1", NO_COLOR="1").stdout)


def test_a_reader_that_leaves_early_changes_no_status(voxgate, recordings, passing, out):
    voxgate("check", recordings, "-o", out, *passing, "-q")
    for more, status in ([], 0), (["--set", "extent.minimum_s=3600"], 1):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([*MAIN, "judge", out, *more], stdout=writing, stderr=subprocess.PIPE, check=False)
        os.close(writing)
        assert (done.returncode, done.stderr) == (status, b"")


@pytest.mark.parametrize("words", [[], ["check"], ["judge"], ["explain"], ["list"]])
def test_every_verb_explains_itself(in_process, words):
    ran = in_process(*words, "--help")
    assert (ran.status, ran.stderr) == (0, "")
    assert "Usage: voxgate" in ran.stdout


def test_help_names_the_profile_that_is_used(in_process):
    for verb in ("check", "explain"):
        assert f"[default:({config.DEFAULT_PROFILE})]" in "".join(in_process(verb, "--help").stdout.split())


def test_the_version_is_told(voxgate):
    import pipeline

    assert voxgate("--version").stdout == f"voxgate {pipeline.__version__}\n"


def test_help_waits_for_no_heavy_library():
    code = "import sys, pipeline.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "scipy", "av", "onnxruntime", "onnx", "soxr", "pebble", "jinja2", "pooch", "librosa", "torch"}
    assert set(done.stdout.split()) & heavy == set()


def test_explaining_a_finding_tells_meaning_limits_reason_source_and_layer(in_process, tmp_path):
    (tmp_path / "mine.toml").write_text("[speech]\nmax_heavy_ratio = 0.2\n")
    ran = in_process("explain", "pause_heavy", "--profile", "mine.toml", "--set", "speech.long_pause_s=1.5")
    assert ran.status == 0
    assert ran.stdout.startswith("PAUSE_HEAVY  error\n")
    assert "Long pauses make up so much of the clip" in ran.stdout
    assert "What to do: Cut the pauses down" in ran.stdout
    assert "speech.long_pause_s = 1.5  (--set)\n  default: 2.0, because: long pauses make the clone drift" in ran.stdout
    assert "speech.max_heavy_ratio = 0.2  (profile mine)" in ran.stdout
    assert "speech.heavy_min_pauses = 3  (declared default)" in ran.stdout
    assert "max_edge_silence_s" not in ran.stdout


def test_a_limit_of_a_profile_is_explained_by_the_profile_s_source_and_not_by_the_default_s(in_process, tmp_path):
    told = in_process("explain", "LONG_PAUSE", "--profile", "fish").stdout
    fish = config.load("fish").profile
    assert f"speech.long_pause_s = 1.0  (profile fish)\n  profile: after {fish.source}, read {fish.checked}\n" in told
    assert told.index("  default: 2.0, because: long pauses") > told.index("  profile: ")
    (tmp_path / "mine.toml").write_text("speech.long_pause_s = 4")
    bare = in_process("explain", "LONG_PAUSE", "--profile", str(tmp_path / "mine.toml")).stdout
    assert "speech.long_pause_s = 4.0  (profile mine)\n  default: 2.0" in bare


def test_explaining_tells_a_severity_that_was_moved(in_process):
    assert in_process("explain", "CLIPPED").stdout.startswith("CLIPPED  warning, error when grave\n")
    assert in_process("explain", "CLIPPED", "--set", "severity.CLIPPED=info").stdout.startswith(
        "CLIPPED  info (--set)\n"
    )


def test_every_finding_is_explained_and_listed(in_process):
    listed = in_process("list", "checks").stdout
    for code in (*catalogue.rules(), "NOT_MEASURED"):
        told = in_process("explain", code).stdout
        assert told.startswith(f"{code}  ")
        assert "{" not in told
        assert re.search(rf"^{code} ", listed, re.MULTILINE)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here is always full")
@pytest.mark.parametrize("words", [("list", "checks"), ("explain", "NOISY"), ("doctor",)], ids=" ".join)
def test_where_nothing_more_can_be_written_it_says_so_in_a_sentence(words):
    program = (sys.executable, "-c", "from pipeline.cli import main; main()", *words)
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 3
    assert ran.stderr == (
        "voxgate: what was to be shown cannot be written (No space left on device); make room and run it again\n"
    )


def test_lists_tell_what_there_is(in_process):
    assert "cartesia-pro" in in_process("list", "profiles").stdout
    assert [line.split()[0] for line in in_process("list", "engines").stdout.splitlines()] == ["local", "serial"]
    formats = [line.split()[0] for line in in_process("list", "formats").stdout.splitlines()]
    assert len(formats) == 12
    assert ".wav" in formats


ODD = [
    "with space.wav",
    "Grüße – 日本語.wav",
    "new\nline.wav",
    "n" * 251 + ".wav",
    os.fsdecode(b"latin1-\xe9\xff.wav"),
    "-dash.wav",
    "[bold]markup[/bold].wav",
    "back\\slash.wav",
    "take1.mp3",
]


@pytest.fixture
def oddly_named(recordings, write_wav, speechlike):
    for number, name in enumerate(ODD):
        write_wav(recordings / name, speechlike(1.5, seed=20 + number))
    return recordings


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_odd_names_survive_from_the_folder_to_the_verdict(voxgate, oddly_named, passing, out, locale):
    wanted = sorted([*ODD, "take1.wav", "take2.wav", "take3.wav"])
    ran = voxgate("check", oddly_named, "-o", out, *passing, "--engine", "serial" if locale else "local", **locale)
    assert ran.status == 0, ran.stdout + ran.stderr
    if not locale:
        assert [clip["id"] for clip in ran.report["clips"]] == wanted
        assert [clip["id"] for clip in ran.manifest["clips"]] == wanted
        assert [clip["path"] for clip in ran.manifest["clips"]] == wanted
        assert all(Path(clip["path"]).stat().st_size == clip["bytes"] for clip in ran.report["clips"])
    before = (out / "manifest.json").read_bytes()
    judged = voxgate("judge", out, **locale)
    assert judged.status == 0
    assert (out / "manifest.json").read_bytes() == before
    assert "take1.mp3  review" in judged.stdout
    assert "new\\nline.wav" in voxgate("judge", out, "--set", "loudness.min_lufs=-10", **locale).stdout


def test_an_output_folder_of_any_name_is_told(voxgate, recordings, passing, tmp_path):
    out = tmp_path / os.fsdecode(b"caf\xe9 \xff")
    ran = voxgate("check", recordings, "-o", out, *passing)
    assert ran.status == 0
    assert (out / "manifest.json").exists()


def test_a_link_to_nowhere_and_an_empty_file_are_findings_and_no_failures(voxgate, recordings, passing, out):
    (recordings / "lost.wav").symlink_to("gone.wav")
    (recordings / "empty.wav").touch()
    ran = voxgate("check", recordings, "-o", out, *passing)
    assert ran.status == 0
    found = {clip["id"]: [f["code"] for f in clip["findings"]] for clip in ran.report["clips"]}
    assert found["lost.wav"] == ["UNREADABLE"]
    assert found["empty.wav"] == ["NO_AUDIO"]
