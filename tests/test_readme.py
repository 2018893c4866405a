"""The README tells what the code says and no more."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.catalogue import declared_limits, rules
from pipeline.formats import FORMATS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_the_readme_are_what_the_code_renders():
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "readme_tables.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_limit_that_the_readme_names_exists():
    known = declared_limits()
    named = set(re.findall(r"--set (\w+\.\w+)=", README))
    assert named
    assert named <= set(known)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_the_readme_names_every_format(row):
    assert row.extension in README


def test_every_make_target_that_the_readme_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|^    )make (\w+)", README, flags=re.MULTILINE))
    assert {"run", "test"} <= named
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in named)


def test_every_finding_in_the_readme_is_one_of_the_catalogue():
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", README, flags=re.MULTILINE)) == set(rules()) | {"NOT_MEASURED"}
