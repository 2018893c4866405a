"""A file that is handed out: whole, anew, and let go of where somebody stops taking it."""

import hashlib

import pytest

from pipeline.errors import ApprovedChanged
from pipeline.storage.approved import CHUNK_BYTES, ApprovedFile


@pytest.fixture
def approved(tmp_path):
    content = bytes(range(256)) * (3 * CHUNK_BYTES // 256)
    path = tmp_path / "take.wav"
    path.write_bytes(content)
    return ApprovedFile(str(path), hashlib.sha256(content).hexdigest(), len(content)), path, content


def test_all_of_it_comes_out_every_time(approved):
    body, _, content = approved
    for _ in range(2):
        assert b"".join(body.chunks()) == content
        assert body.given_whole


def test_a_file_that_is_another_now_does_not_end(approved):
    body, path, content = approved
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(ApprovedChanged, match="changed while it was sent"):
        list(body.chunks())


@pytest.mark.parametrize("stop", [lambda body: body.close(), lambda body: next(body.chunks())], ids=["closed", "anew"])
def test_what_is_broken_off_half_way_lets_go_of_the_file(approved, stop):
    body, _, _ = approved
    taken = body.chunks()
    next(taken)
    stop(body)
    assert list(taken) == []  # else the rest of it would come
    body.close()


def test_closing_what_was_never_taken_is_nothing(approved):
    approved[0].close()
    assert not approved[0].given_whole
