"""Whose voice it is, on the command line: the project's own recordings, of one voice and of another."""

import shutil
from pathlib import Path

import pytest

from pipeline import config, models
from pipeline.errors import ModelMissing
from pipeline.run import reference_voice

SAMPLES = Path(__file__).parents[2] / "sample_data"
SHORT = (
    "--engine",
    "serial",
    "--set",
    "extent.minimum_s=1",
    "--set",
    "extent.target_s=2",
    "--set",
    "quality.engine=off",
)


@pytest.fixture(autouse=True)
def networks():
    for name in ("pyannet", "ge2e", "campplus", "segmentation"):
        try:
            models.locate(name)
        except ModelMissing as missing:
            pytest.skip(str(missing))


@pytest.fixture
def readings(tmp_path):
    """Five passages of one voice, and one of another."""
    folder = tmp_path / "rec"
    folder.mkdir()
    for suffix in ("flac", "mp3", "ogg", "wav", "opus"):
        shutil.copy(SAMPLES / "formats" / f"passage.{suffix}", folder)
    shutil.copy(SAMPLES / "flawed" / "odd-speaker.webm", folder / "other.webm")
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def odd(ran):
    return {clip["id"] for clip in ran.report["clips"] for f in clip["findings"] if f["code"] == "ODD_SPEAKER"}


def judged(voxgate, out, *options):
    ran = voxgate("judge", out, *options)
    ran.out = out
    return ran


OWN = {f"passage.{suffix}" for suffix in ("flac", "mp3", "ogg", "wav", "opus")}


def test_another_person_s_file_stays_out_and_the_voices_are_told(voxgate, readings, out):
    ran = voxgate("check", readings, "-o", out, *SHORT)
    assert odd(ran) == {"other.webm"}
    assert "other.webm" not in {clip["id"] for clip in ran.manifest["clips"]}
    assert [len(person["clips"]) for person in ran.report["speakers"]["people"]] == [5, 1]
    assert "main voice" in ran.stdout
    assert "other.webm" in (out / "report.html").read_text()


def test_another_reference_needs_no_decoding_of_the_set(voxgate, readings, out, tmp_path):
    wanted = shutil.copy(SAMPLES / "flawed" / "odd-speaker.webm", tmp_path / "wanted.webm")
    voxgate("check", readings, "-o", out, *SHORT)
    for path in readings.iterdir():
        path.rename(path.with_suffix(".gone"))
    ran = judged(voxgate, out, "--reference", wanted)
    assert odd(ran) == OWN
    assert [clip["id"] for clip in ran.manifest["clips"]] == ["other.webm"]
    assert ran.report["speakers"]["reference"] == str(wanted)
    again = judged(voxgate, out)
    assert odd(again) == {"other.webm"}


def test_a_reference_is_known_by_both_encoders():
    reference = reference_voice(str(SAMPLES / "formats" / "passage.flac"), config.load())
    assert reference.second_print not in (None, reference.print)
    assert not reference.telephone


def test_judging_keeps_the_reference_of_the_run(voxgate, readings, out):
    checked = voxgate("check", readings, "-o", out, *SHORT, "--reference", SAMPLES / "flawed" / "odd-speaker.webm")
    assert odd(checked) == OWN
    assert odd(judged(voxgate, out, "--set", "loudness.min_lufs=-40")) == OWN


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("flawed/no-speech.webm", "holds no voice to compare with"),
        ("flawed/unreadable.mp3", "holds no voice to compare with"),
        ("flawed/second-speaker.webm", "holds 2 voices"),
        ("flawed", "there is no such file"),
    ],
)
def test_a_reference_is_one_voice(voxgate, readings, name, told):
    ran = voxgate("check", readings, "--reference", SAMPLES / name, *SHORT)
    assert ran.status == 2
    assert told in ran.stderr
    assert not (ran.out / "report.json").exists()


def test_a_reference_that_is_none_leaves_an_earlier_run_as_it_was(voxgate, readings, out):
    before = voxgate("check", readings, "-o", out, *SHORT).manifest
    ran = voxgate("check", readings, "-o", out, *SHORT, "--reference", SAMPLES / "flawed" / "no-speech.webm")
    assert ran.status == 2
    assert ran.manifest == before


def test_without_a_look_at_voices_they_are_listed_as_not_examined(voxgate, readings, out):
    off = voxgate("check", readings, "-o", out, *SHORT, "--speakers", "off")
    assert odd(off) == set()
    assert {"subject": "speakers", "why": "switched off with speakers.engine=off"} in off.report["not_examined"]
    deaf = voxgate("check", readings, "-o", out, *SHORT, "--set", "speech.engine=webrtcvad")
    assert {"subject": "speakers", "why": "speech.engine=webrtcvad hears no voices"} in deaf.report["not_examined"]
    back = voxgate("check", readings, "-o", out, *SHORT, "--speakers", "embedded")
    assert odd(back) == {"other.webm"}


def test_an_agency_s_references_are_called_as_its_folders(voxgate, readings, out, tmp_path):
    for who, name in (("anna", "formats/passage.wav"), ("bea", "flawed/odd-speaker.webm")):
        (tmp_path / "voices" / who).mkdir(parents=True)
        (tmp_path / "refs").mkdir(exist_ok=True)
        shutil.copy(SAMPLES / name, tmp_path / "refs" / f"{who}{Path(name).suffix}")
        for path in readings.iterdir():
            shutil.copy(path, tmp_path / "voices" / who)
    (tmp_path / "voices" / "carl").mkdir()
    shutil.copy(readings / "passage.wav", tmp_path / "voices" / "carl")
    ran = voxgate("check", tmp_path / "voices", "--each-folder", "--reference", tmp_path / "refs", "-o", out, *SHORT)
    assert ran.status == 0, ran.stderr
    ran.out = out / "anna"
    assert odd(ran) == {"other.webm"}
    ran.out = out / "bea"
    assert odd(ran) == OWN
    ran.out = out / "carl"
    assert ran.report["speakers"]["reference"] is None
    assert "no reference is called as carl" in ran.stdout


def test_two_references_of_one_voice_are_wrong_use_before_any_is_checked(voxgate, readings, out, tmp_path):
    refs = tmp_path / "refs"
    refs.mkdir()
    for name in ("zoe.wav", "zoe.flac", "anna.wav", "anna.txt"):
        shutil.copy(SAMPLES / "formats" / "passage.wav", refs / name)
    (refs / "anna.txt").write_text("What she says.")
    for who in ("anna", "zoe"):
        shutil.copytree(readings, tmp_path / "voices" / who)
    ran = voxgate("check", tmp_path / "voices", "--each-folder", "--reference", refs, "-o", out, *SHORT)
    assert (ran.status, out.exists()) == (2, False)
    assert "there are zoe.flac and zoe.wav for one voice" in ran.stderr


def test_one_reference_for_several_voices_is_wrong_use(voxgate, readings):
    ran = voxgate("check", readings.parent, "--each-folder", "--reference", readings / "passage.wav", *SHORT)
    assert ran.status == 2
    assert "name a folder that holds a recording of each" in ran.stderr


def test_weights_of_the_voice_encoder_that_are_another_s_cost_that_subject_alone(voxgate, readings, out, tmp_path):
    wrong = tmp_path / "site" / "resemblyzer-0.1.4.dist-info"
    wrong.mkdir(parents=True)
    (wrong / "METADATA").write_text("Metadata-Version: 2.1\nName: resemblyzer\nVersion: 0.1.4\n")
    (wrong / "RECORD").write_text("resemblyzer/pretrained.pt,,\n")
    (tmp_path / "site" / "resemblyzer").mkdir()
    (tmp_path / "site" / "resemblyzer" / "pretrained.pt").write_bytes(b"not the weights")
    ran = voxgate("check", readings, "-o", out, *SHORT, PYTHONPATH=str(tmp_path / "site"))
    assert (ran.status, ran.report["verdict"]) == (3, "undecided")
    for clip in ran.report["clips"]:
        assert "speakers" not in clip["readings"]
        assert "speech" in clip["readings"]
        (found,) = [f for f in clip["findings"] if f["code"] == "NOT_MEASURED"]
        assert "speakers: " in found["message"]
        assert "is not the file that ge2e was tested with" in found["message"]
    reference = SAMPLES / "formats" / "passage.wav"
    held = voxgate("check", readings, "-o", out, *SHORT, "--reference", reference, PYTHONPATH=str(tmp_path / "site"))
    assert held.status == 3
    assert "could not be examined" in held.stderr


def test_the_manifest_does_not_depend_on_the_workers(voxgate, readings, tmp_path):
    made = []
    for number, options in enumerate((("--jobs", "1"), ("--engine", "local", "--jobs", "2"))):
        ran = voxgate("check", readings, "-o", tmp_path / f"out{number}", *SHORT, *options)
        made.append((ran.out / "manifest.json").read_bytes())
    assert made[0] == made[1]
