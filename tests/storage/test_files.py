"""Files are hashed in pieces and written whole or not at all."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.storage import files

FULL_DISK = """
import resource, sys
from pathlib import Path
from pipeline.errors import OutputError
from pipeline.storage.files import write_atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomic(Path(sys.argv[1]), "x" * 5000)
except OutputError as error:
    print(error)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_longer_than_a_piece_is_hashed_whole(tmp_path):
    content = os.urandom((1 << 20) + 17)
    (tmp_path / "a").write_bytes(content)
    assert files.sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_a_stamp_tells_that_a_file_was_touched(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    before = files.Stamp.of(str(path))
    assert files.Stamp.of(str(path)) == before
    os.utime(path, ns=(0, 0))
    assert files.Stamp.of(str(path)) != before


def test_a_stamp_tells_that_a_file_was_changed_in_place_and_its_time_set_back(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    before = files.Stamp.of(str(path))
    time.sleep(0.02)  # file systems count in steps of some milliseconds
    with path.open("r+b") as file:
        file.write(b"two")
    os.utime(path, ns=(before.mtime_ns, before.mtime_ns))
    now = files.Stamp.of(str(path))
    assert (now.bytes, now.mtime_ns, now.inode) == (before.bytes, before.mtime_ns, before.inode)
    assert now != before


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    files.write_atomic(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.json"])


def test_a_written_file_has_the_permissions_that_any_new_file_has(tmp_path):
    (tmp_path / "plain").touch()
    files.write_atomic(tmp_path / "a.json", "new")
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_bytes_that_are_no_text_are_spelled_out(tmp_path):
    files.write_atomic(tmp_path / "a.html", "caf\udce9 ü")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "caf\\udce9 ü"


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_half_one(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True)
    assert "a.json cannot be written (File too large); free some space" in done.stdout
    assert (path.read_text(), names(tmp_path)) == ("old", ["a.json"])


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_whatever_interrupts_a_write_leaves_no_half_file(tmp_path, monkeypatch, raised):
    def failing(_handle):
        raise raised

    monkeypatch.setattr(files.os, "fsync", failing)
    with pytest.raises((KeyboardInterrupt, OutputError)):
        files.write_atomic(tmp_path / "a.json", "new")
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match="name another folder with -o"):
        files.write_atomic(tmp_path / "nowhere" / "a.json", "new")


def test_a_folder_is_made_with_those_above_it(tmp_path):
    files.make_folder(tmp_path / "a" / "b")
    files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "inside", Path("/proc/voxgate")):
        with pytest.raises(OutputError, match="name another one with -o"):
            files.make_folder(path)


def test_removing_what_is_not_there_is_no_error_and_what_cannot_be_removed_is_told(tmp_path):
    files.remove(tmp_path / "absent")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be removed"):
        files.remove(tmp_path / "folder")
