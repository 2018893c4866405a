"""The project's own recordings: every format, every fault that one file can show, and no more megabytes than needed."""

import tomllib
from pathlib import Path

import pytest

from pipeline.catalogue import corpus_subjects, rules
from pipeline.formats import FORMATS

SAMPLES = Path(__file__).parents[1] / "sample_data"
EXPECTED = tomllib.loads((SAMPLES / "flawed" / "expected.toml").read_text(encoding="utf-8"))["clips"]

NOT_IN_ONE_FILE = {rule.code for subject in corpus_subjects() if subject.turn == "count" for rule in subject.rules}
PROFILE_ONLY = {"TOO_SHORT", "TOO_LONG", "RMS_LEVEL"}
"""The default profile sets no limit for these, so no file can raise them under it."""


def test_every_fault_that_a_file_can_show_is_built_into_one():
    built = {finding["code"] for row in EXPECTED for finding in row["findings"]}
    assert built == set(rules()) - NOT_IN_ONE_FILE - PROFILE_ONLY


def test_every_flawed_file_is_expected_and_every_expected_one_is_there():
    files = {path.name for path in (SAMPLES / "flawed").iterdir() if path.name != "expected.toml"}
    assert files == {row["file"] for row in EXPECTED}


@pytest.mark.parametrize("row", [row for row in EXPECTED if row["findings"]], ids=lambda row: row["file"])
def test_a_flawed_file_is_named_after_its_first_fault(row):
    code = row["findings"][0]["code"].lower().replace("_", "-")
    assert row["file"].startswith(code)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_format_has_a_passage(row):
    assert (SAMPLES / "formats" / f"passage{row.extension}").stat().st_size > 0


def test_the_recordings_stay_small_enough_to_clone():
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 14_000_000
