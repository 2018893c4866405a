"""Examining a file never raises for what is wrong with it or with us, and says which of the two it was."""

import errno
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline import catalogue, examine, media
from pipeline.catalogue import Limits, Subject
from pipeline.errors import ModelMissing
from pipeline.readings import BY_SUBJECT, Container, Levels, Speech
from pipeline.records import Source


@pytest.fixture
def source(tmp_path, write_wav, speechlike):
    path = write_wav(tmp_path / "a.wav", speechlike(1.5))
    return Source("a.wav", str(path), path.stat().st_size)


@pytest.fixture
def with_meter(monkeypatch):
    """`with_meter(read)`: the levels are measured by a meter that reads so."""

    def install(read):
        class Meter:
            def __init__(self, info):
                pass

            def feed(self, block):
                pass

            def read(self):
                return read()

        others = [subject for subject in catalogue.clip_subjects() if subject.name != "levels"]
        monkeypatch.setattr(catalogue, "clip_subjects", lambda: (*others, Subject("levels", Limits, Levels, Meter)))

    return install


def test_every_subject_is_measured(source):
    clip = examine.examine(source, "webrtcvad")
    assert {name for name, kind in BY_SUBJECT.items() if clip.readings.get(kind) is not None} == set(BY_SUBJECT)
    assert (clip.source, clip.faults) == (source, ())
    assert len(clip.sha256) == 64
    assert clip.info.sample_rate == 24_000


def test_what_a_worker_sends_back_is_kilobytes(source):
    import pickle

    assert len(pickle.dumps(examine.examine(source, "webrtcvad"))) < 10_000


def test_a_missing_model_costs_what_needs_it_and_nothing_else(source, monkeypatch):
    def missing(name):
        raise ModelMissing("the weights are not installed; install them")

    monkeypatch.setattr(examine.derive, "activity_engine", missing)
    clip = examine.examine(source, "pyannet")
    needing = {subject.name for subject in catalogue.clip_subjects() if "activity" in subject.needs}
    assert {fault.subject for fault in clip.faults} == needing
    assert clip.readings.get(Speech) is None
    assert clip.readings[Levels].rms_dbfs is not None


@pytest.mark.parametrize("value", [math.nan, math.inf, np.float32(1.0), np.int64(1)])
def test_a_meter_that_reads_no_number_is_a_fault_of_its_subject(source, with_meter, value):
    with_meter(lambda: Levels(peak_dbfs=value))
    clip = examine.examine(source, "webrtcvad")
    assert [fault.subject for fault in clip.faults] == ["levels"]
    assert clip.readings.get(Levels) is None
    assert clip.readings.get(Speech) is not None


def test_a_meter_that_raises_is_a_fault(source, with_meter):
    def failing():
        raise ZeroDivisionError("division by zero")

    with_meter(failing)
    (fault,) = examine.examine(source, "webrtcvad").faults
    assert "ZeroDivisionError: division by zero" in fault.why


def test_a_file_that_changes_while_it_is_read_is_a_fault_and_not_half_known(source, monkeypatch):
    measured = examine.measure.measure

    def touching(info, blocks, subjects):
        readings = measured(info, blocks, subjects)
        os.utime(source.path, ns=(1, 1))
        return readings

    monkeypatch.setattr(examine.measure, "measure", touching)
    clip = examine.examine(source, "webrtcvad")
    assert (clip.sha256, clip.readings.by_type) == (None, {})
    assert "changed while it was read" in clip.faults[0].why


def test_a_file_that_changes_before_it_is_decoded_is_not_said_to_be_broken(source, monkeypatch):
    def rewritten(path):
        Path(path).write_bytes(b"no audio at all")
        return "digest of what it was"

    monkeypatch.setattr(examine, "sha256_of", rewritten)
    clip = examine.examine(source, "webrtcvad")
    assert (clip.sha256, clip.readings.by_type) == (None, {})
    assert "changed while it was read" in clip.faults[0].why


def test_a_file_that_goes_away_while_it_is_decoded_has_changed(source, monkeypatch):
    monkeypatch.setattr(examine, "sha256_of", lambda path: Path(path).unlink() or "digest of what it was")
    assert "changed while it was read" in examine.examine(source, "webrtcvad").faults[0].why


def test_the_size_is_that_of_the_bytes_that_were_hashed(source):
    assert examine.examine(replace(source, bytes=7), "webrtcvad").source == source


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
def test_a_failure_of_the_machine_is_a_fault_and_no_finding_about_the_file(source, monkeypatch, number):
    def failing(_name):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(examine.derive, "activity_engine", failing)
    clip = examine.examine(source, "webrtcvad")
    assert clip.readings.by_type == {}
    assert os.strerror(number) in clip.faults[0].why


@pytest.mark.parametrize(("where", "name"), [(media.formats, "sniff"), (media.av, "open")], ids=["sniffing", "FFmpeg"])
def test_too_many_open_files_are_none_of_the_file_s_doing(source, monkeypatch, where, name):
    def failing(*_arguments, **_options):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(examine.decode.plain_wave, "opened", lambda _path: None)
    monkeypatch.setattr(where, name, failing)
    clip = examine.examine(source, "webrtcvad")
    assert clip.readings.by_type == {}
    assert "Too many open files" in clip.faults[0].why


def test_a_file_that_is_gone_is_unreadable(source):
    clip = examine.examine(replace(source, path=source.path + ".gone"), "webrtcvad")
    assert clip.readings[Container].unreadable == "it cannot be read (No such file or directory)"
    assert (clip.faults, clip.sha256) == ((), None)


def test_a_folder_named_like_a_recording_is_unreadable(source, tmp_path):
    (tmp_path / "b.wav").mkdir()
    clip = examine.examine(Source("b.wav", str(tmp_path / "b.wav"), 0), "webrtcvad")
    assert clip.readings[Container].unreadable == "it cannot be read (Is a directory)"


def test_what_does_not_decode_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(b"no audio at all")
    clip = examine.examine(Source("a.mp3", str(path), 15), "webrtcvad")
    assert clip.readings[Container].unreadable is not None
    assert clip.readings[Container].extension == ".mp3"
    assert len(clip.sha256) == 64
    assert clip.faults == ()
