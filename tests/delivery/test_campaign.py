"""A few runs of the fault campaign, and that it can fail; `make campaign` has five hundred."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "campaign.py"


def test_a_dozen_seeded_runs_of_faults_and_kills_lose_and_double_nothing():
    command = [sys.executable, SCRIPT, "--runs", "12", "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 runs" in done.stdout
    assert "0 runs wrong" in done.stdout


@pytest.fixture
def campaign():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("campaign_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("stored", "end", "wrong"),
    [
        (["a", "b"], (0, "2 files"), []),
        (["a"], (0, "2 files"), ["missing B.wav after a success"]),
        (["a", "b", "b"], (0, "2 files"), ["twice b"]),
        (["a", "b", "evil"], (0, "2 files"), ["something that nobody approved"]),
        (["a"], (4, "B.wav is missing"), []),
        (["a"], (4, "try later"), ["4 without naming B.wav: try later"]),
        (["a"], (1, "refused"), ["ended with 1: refused"]),
        (["a", "b"], (0, "sk_car_campaign_0123456789"), ["the key in what was said"]),
    ],
)
def test_the_campaign_sees_what_is_wrong(campaign, tmp_path, stored, end, wrong):
    clips = [{"sha256": "a", "id": "A.wav"}, {"sha256": "b", "id": "B.wav"}]
    (tmp_path / "manifest.json").write_text(json.dumps({"clips": clips}))

    class Stored:
        def inventory(self):
            return {"datasets": [{"files": [{"sha256": sha256} for sha256 in stored]}]}

    told = campaign.Told(1)
    campaign._judged(told, end, tmp_path, Stored())  # noqa: SLF001 - what decides
    assert told.wrong == wrong
