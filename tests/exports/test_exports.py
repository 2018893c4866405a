"""What is exported says of every clip what the report says, in the form that the other tool reads."""

import csv
import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import config, run
from pipeline.errors import RecordError, Refused, UsageError
from pipeline.selection import Selection

RATE_HZ = 24_000
SETTINGS = ("speech.engine=webrtcvad", "quality.engine=off", "extent.minimum_s=1", "extent.target_s=2")

each_export = pytest.mark.parametrize("name", run.export_names())


@pytest.fixture(scope="module")
def checked(tmp_path_factory, speechlike, write_wav):
    """A run that is approved: three clips, one with a transcript, one with a long pause, one with an odd name."""
    folder, out = tmp_path_factory.mktemp("rec"), tmp_path_factory.mktemp("out")
    (folder / "day 2").mkdir()
    voice = [speechlike(3.0, rate_hz=RATE_HZ, seed=seed) for seed in (1, 2, 3, 4)]
    voice[1] = np.concatenate((voice[1], np.zeros(3 * RATE_HZ), voice.pop()))
    for name, samples in zip(("a.wav", "day 2/b.wav", 'odd, "name" é.wav'), voice, strict=True):
        write_wav(folder / name, samples, RATE_HZ)
    (folder / "a.txt").write_text("Hello,\n  world.", encoding="utf-8")
    request = run.Request((str(folder),), out, config.DEFAULT_PROFILE, SETTINGS, language="en")
    assert run.check(request).verdict == "approved"
    return out


@pytest.fixture
def exported(checked, tmp_path):
    """`exported(name)`: the texts of an export's files by their names."""

    def make(name):
        paths = run.export(checked, name, tmp_path)
        return {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in paths}

    return make


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


@each_export
def test_an_export_says_whom_it_lists_and_is_described(name):
    module = importlib.import_module(f"pipeline.exports.{name}")
    assert isinstance(module.APPROVED, bool)
    assert module.__doc__


@each_export
def test_an_export_of_nothing_is_written_without_an_error(name):
    module = importlib.import_module(f"pipeline.exports.{name}")
    assert all(isinstance(text, str) for _, text in module.files(Selection("/", ())))


@each_export
def test_an_export_has_the_same_bytes_again(exported, name):
    assert exported(name) == exported(name)


@each_export
def test_what_is_not_approved_is_not_listed_for_training(checked, tmp_path, name):
    out = tmp_path / "rejected"
    out.mkdir()
    for file in ("journal.jsonl",):
        (out / file).write_bytes((checked / file).read_bytes())
    run.judge(out, overrides=("extent.minimum_s=1000",))
    if importlib.import_module(f"pipeline.exports.{name}").APPROVED:
        with pytest.raises(Refused, match="rejected"):
            run.export(out, name, tmp_path / "x")
        assert not (tmp_path / "x").exists()
    else:
        assert run.export(out, name, tmp_path / "x")


def test_the_table_has_every_clip_with_its_numbers_whatever_its_name(exported, checked):
    report = json.loads((checked / "report.json").read_text())
    rows = list(csv.DictReader(exported("csv")["clips.csv"].splitlines()))
    assert [row["id"] for row in rows] == [clip["id"] for clip in report["clips"]]
    for row, clip in zip(rows, report["clips"], strict=True):
        assert float(row["integrated_lufs"]) == clip["readings"]["loudness"]["integrated_lufs"]
        assert row["findings"].split() == [finding["code"] for finding in clip["findings"]]
        assert row["dnsmos_ovrl"] == ""


def test_labels_stand_where_the_report_has_spans(exported, checked):
    report = json.loads((checked / "report.json").read_text())
    spans = {
        (clip["id"], span["start_s"], span["end_s"])
        for clip in report["clips"]
        for finding in clip["findings"]
        for span in finding["spans"]
    }
    found = set()
    for name, text in exported("audacity").items():
        for line in text.splitlines():
            start, end, told = line.split("\t")
            assert told.split()[0].isupper()
            found.add((name.removesuffix(".labels.txt"), float(start), float(end)))
    assert found == spans
    assert "day 2/b.wav" in {id_ for id_, _, _ in found}


def test_nemo_reads_path_length_and_text(exported):
    entries = lines(exported("nemo")["manifest.jsonl"])
    assert len(entries) == 3
    assert {entry["lang"] for entry in entries} == {"en"}
    assert [entry.get("text") for entry in entries] == ["Hello, world.", None, None]
    assert [round(entry["duration"]) for entry in entries] == [3, 9, 3]


def test_lhotse_reads_lengths_in_samples_that_fit_the_seconds(exported):
    files = exported("lhotse")
    for recording in lines(files["recordings.jsonl"]):
        assert recording["duration"] == recording["num_samples"] / recording["sampling_rate"]
        assert recording["sources"][0]["channels"] == recording["channel_ids"] == [0]
    (spoken,) = lines(files["supervisions.jsonl"])
    assert (spoken["recording_id"], spoken["text"], spoken["language"]) == ("a.wav", "Hello, world.", "en")


def test_audiofolder_finds_the_files_from_the_folder_that_was_checked(exported, checked):
    root = json.loads((checked / "report.json").read_text())["root"]
    names = [entry["file_name"] for entry in lines(exported("hf")["metadata.jsonl"])]
    assert all((Path(root) / name).is_file() for name in names)
    assert "day 2/b.wav" in names


def test_an_export_that_there_is_not_and_a_run_that_there_was_not_are_told(checked, tmp_path):
    with pytest.raises(UsageError, match="audacity, csv, hf, lhotse, nemo"):
        run.export(checked, "word", tmp_path)
    with pytest.raises(RecordError, match="run check"):
        run.export(tmp_path, "csv", tmp_path / "x")
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(RecordError, match="is no report of"):
        run.export(tmp_path, "csv", tmp_path / "x")
