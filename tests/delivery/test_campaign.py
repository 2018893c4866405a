"""A few runs of the fault campaign, and that it can fail; `make campaign` has five hundred."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "campaign.py"


def test_a_dozen_seeded_runs_of_faults_and_kills_lose_and_double_nothing():
    command = [sys.executable, SCRIPT, "--runs", "12", "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 runs" in done.stdout
    assert "0 runs wrong" in done.stdout
