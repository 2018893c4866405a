"""Damaged and made-up files lead to a reading that holds or to a refusal, in bounded time and memory. Seeds are fixed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import DecodeError
from pipeline.stages import decode

MUTANTS = Path(__file__).with_name("mutants.py")
SAMPLES = Path(__file__).resolve().parents[2] / "sample_data" / "formats"
PEAK_MB = 400

TELLING = ("wav", "mp3", "flac", "ogg", "oga", "ogx", "opus", "wma", "webm", "m4a")
"""Formats whose structure counts the whole or marks its end; of AAC and AC-3 any whole frames are a whole file."""


@pytest.fixture(scope="module")
def samples():
    files = sorted(SAMPLES.glob("passage.*"))
    if not files:
        pytest.skip("sample_data/formats is not here; sample_data/make.py writes it")
    return files


def run(folder, seed, count, files):
    command = [sys.executable, str(MUTANTS), str(folder), seed, str(count), *map(str, files)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.fail(f"decoding hung on {(folder / 'current').read_text()}")
    current = (folder / "current").read_text() if (folder / "current").exists() else "the start"
    assert done.returncode == 0, f"the process died at {current}: {done.stderr[-500:]}"
    *complaints, summary = map(json.loads, done.stdout.splitlines())
    return complaints, summary


@pytest.mark.parametrize("seed", ["spring", "autumn"])
def test_mutants_of_the_twelve_formats_keep_every_promise(samples, tmp_path, seed):
    count = 7 * len(samples) * 8
    complaints, summary = run(tmp_path, seed, count, samples)
    assert complaints == []
    assert summary["decoded"] == count
    assert summary["peak_mb"] < PEAK_MB


def test_the_search_finds_a_promise_that_is_broken(samples, tmp_path, monkeypatch):
    """The program must notice a decoder that counts wrong, or it proves nothing."""
    broken = tmp_path / "broken.py"
    broken.write_text(
        "import runpy, sys\n"
        "from pipeline.stages import decode\n"
        "whole = decode.Stream.blocks\n"
        "decode.Stream.blocks = lambda self: list(whole(self))[:-1]\n"
        f"sys.argv[0] = {str(MUTANTS)!r}\n"
        f"runpy.run_path({str(MUTANTS)!r}, run_name='__main__')\n"
    )
    monkeypatch.setitem(globals(), "MUTANTS", broken)
    complaints, _ = run(tmp_path, "spring", 2 * len(samples), samples)
    assert any("frames in the blocks" in complaint["wrong"] for complaint in complaints)


def whole_claimed(path):
    """Whether a file is read without a word that something is missing."""
    try:
        with decode.Stream(str(path)) as stream:
            for _ in stream.blocks():
                pass
            container = stream.container()
    except DecodeError:
        return False
    return container.cut is None and container.errors == 0


@pytest.mark.parametrize("name", TELLING)
def test_no_truncation_passes_for_a_whole_file_where_the_container_tells(samples, tmp_path, name):
    data = (SAMPLES / f"passage.{name}").read_bytes()
    path = tmp_path / f"a.{name}"
    passed = []
    for step in range(1, 40):
        size = len(data) * step // 41 + step
        path.write_bytes(data[:size])
        if whole_claimed(path):
            passed.append(size)
    path.write_bytes(data)
    assert passed == []
    assert whole_claimed(path)
