"""Upload: every approved file lies in the dataset once, whatever happens on the way."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from terms import KEY, PATIENCE

from pipeline import delivery
from pipeline.errors import ApprovedChanged, OutputError, ProviderError, Refused, UsageError
from pipeline.ledger import Ledger
from pipeline.remote import Onlooker


def steps(out, *names):
    """The ledger's steps, or those of these names."""
    lines = [json.loads(line) for line in (out / "upload-cartesia.ledger.jsonl").read_text().splitlines() if line]
    return [line["step"] for line in lines if not names or line["step"] in names]


def uploads(double):
    return [line for line in double.requests if line.startswith("POST") and line.endswith("/files")]


def test_everything_lies_there_once_and_the_receipt_says_so(parcel, means, stored, wanted, approved, double):
    receipt = delivery.upload(parcel(), means)
    assert stored() == wanted
    document = json.loads((approved / "receipt-cartesia.json").read_text())
    ids = {f.id for d in double.account.datasets.values() for f in d.files}
    assert {file["remote_id"] for file in document["files"]} == ids
    assert document["consent"]["text"] == "all agreed"
    assert document["manifest_sha256"] == json.loads((approved / "manifest.json").read_text())["sha256"]
    assert document["not_examined"][0]["subject"] == "speakers"
    assert (receipt.sent, receipt.foreign) == (4, ())


def test_a_second_run_uploads_nothing(parcel, means, stored, wanted, double):
    delivery.upload(parcel(), means)
    assert delivery.upload(parcel(), means).sent == 0
    assert stored() == wanted
    assert len(uploads(double)) == 4
    assert len(double.account.datasets) == 1


def test_what_is_new_is_added(parcel, means, stored, wanted, double):
    delivery.upload(parcel(), means)
    dataset = next(iter(double.account.datasets.values()))
    lost = dataset.files.pop(1)
    receipt = delivery.upload(parcel(), replace(means, patience=replace(PATIENCE, settle_s=0.05)))
    assert receipt.sent == 1
    assert stored() == wanted
    assert lost.id not in {f.id for f in dataset.files}


def test_a_dataset_that_exists_is_added_to(parcel, means, stored, wanted, double):
    there = double.account.create_dataset("theirs", "")
    double.account.store(there.id, "other.wav", 5, "")
    receipt = delivery.upload(parcel(name=None, dataset=there.id), means)
    assert [file.name for file in receipt.foreign] == ["other.wav"]
    assert [row for row in stored() if row[0] != "other.wav"] == wanted


def test_a_dataset_of_that_name_which_was_not_begun_here_is_left_alone(parcel, means, double):
    double.account.create_dataset("narrator", "somebody's")
    with pytest.raises(Refused, match="--dataset ds_"):
        delivery.upload(parcel(), means)
    assert len(double.account.datasets) == 1
    assert uploads(double) == []


def test_a_dataset_that_is_not_there_is_told(parcel, means):
    with pytest.raises(UsageError, match="there is no dataset ds_9"):
        delivery.upload(parcel(name=None, dataset="ds_9"), means)


def test_a_dataset_that_somebody_deleted_is_made_anew(parcel, means, stored, wanted, double):
    delivery.upload(parcel(), means)
    double.account.datasets.clear()
    assert delivery.upload(parcel(), means).sent == 4
    assert stored() == wanted


FAULTS = [
    "status before", "status after", "reset before", "reset in", "reset after", "reply lost", "slow reply", "slow store",
    "redirect again",
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_no_single_fault_doubles_or_loses_a_file(parcel, means, stored, wanted, double, fault):
    double.faults.plan("upload", None, fault)
    patience = replace(PATIENCE, settle_s=1.5)
    delivery.upload(parcel(), replace(means, patience=patience))
    assert stored() == wanted


@pytest.mark.parametrize("fault", ["status after", "reset before", "reply lost", "slow reply"])
def test_a_dataset_is_made_once_though_the_answer_is_lost(parcel, means, stored, wanted, double, fault):
    double.faults.plan("change", fault)
    delivery.upload(parcel(), means)
    assert len(double.account.datasets) == 1
    assert stored() == wanted


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirected_upload_is_no_upload(parcel, means, double, approved, status):
    double.faults.plan("upload", *["redirect away"] * 4)
    double.faults.choice = lambda options: status if status in options else options[0]
    with pytest.raises(ProviderError, match=rf"was redirected \({status}\).*4 files of 4 not known to be there"):
        delivery.upload(parcel(), means)
    assert not (approved / "receipt-cartesia.json").exists()
    assert not any(line.startswith("GET") and line.endswith("/files/") for line in double.requests)


def test_a_file_that_is_declined_is_named_and_the_others_get_there(parcel, means, stored, wanted, double):
    double.max_bytes = max(bytes_ for _, _, bytes_ in wanted) - 1
    with pytest.raises(ProviderError, match=r"1 file of 4 not known to be there.*\n  - täke 3.wav: .*413"):
        delivery.upload(parcel(), means)
    assert len(stored()) == 3
    assert len(uploads(double)) == 4


def test_what_went_wrong_last_with_a_file_is_told_of_it(parcel, means, double):
    double.faults.plan("upload", *["status before"] * 60)
    double.faults.choice = lambda options: 503 if 503 in options else "json"
    with pytest.raises(ProviderError, match=r"\n  - täke 0.wav: POST .* was answered 503: Trouble"):
        delivery.upload(parcel(), means)


def test_a_key_that_is_not_accepted_ends_it_at_once(parcel, means, double):
    environ = {**means.environ, "CARTESIA_API_KEY": "sk_wrong_0123456789"}
    with pytest.raises(ProviderError, match="401") as caught:
        delivery.upload(parcel(), replace(means, environ=environ))
    assert "sk_wrong" not in str(caught.value)
    assert len(double.requests) == 1


def test_a_file_that_is_replaced_during_the_upload_is_broken_off(parcel, means, stored, double, tmp_path):
    path = tmp_path / "rec" / "täke 3.wav"
    begun = []

    def replaced(_what, _bytes):
        if begun:  # the second time it is about sending
            path.write_bytes(b"x" * path.stat().st_size)
        begun.append(_what)

    with pytest.raises(ApprovedChanged, match="nothing of it is stored"):
        delivery.upload(parcel(), replace(means, onlooker=Onlooker(begin=replaced)))
    time.sleep(0.2)
    assert not [name for name, _, _ in stored() if "take-3" in name]
    assert "broken" in steps(parcel().out)


def test_a_file_that_changes_while_its_bytes_flow_is_never_completed(parcel, means, stored, double, tmp_path, approved):
    path = tmp_path / "rec" / "täke 3.wav"

    def swapped(_bytes):
        with path.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\x7f")

    on = Onlooker(begin=lambda what, _bytes: setattr(swapped, "on", what == "uploading"))
    changing = replace(on, advance=lambda n: swapped(n) if getattr(swapped, "on", False) else None)
    with pytest.raises(ApprovedChanged):
        delivery.upload(parcel(), replace(means, onlooker=changing))
    time.sleep(0.2)
    assert not [name for name, _, _ in stored() if "take-3" in name]


def test_a_file_that_vanishes_during_the_upload_is_refused(parcel, means, tmp_path):
    def gone(what, _bytes):
        if what == "uploading":
            (tmp_path / "rec" / "täke 2.wav").unlink()

    with pytest.raises(ApprovedChanged, match="cannot be read any more"):
        delivery.upload(parcel(), replace(means, onlooker=Onlooker(begin=gone)))


def test_a_copy_of_our_own_is_taken_out_and_a_copy_of_anothers_is_not(parcel, means, stored, wanted, double):
    delivery.upload(parcel(), means)
    dataset = next(iter(double.account.datasets.values()))
    name, sha256, bytes_ = wanted[0]
    double.account.store(dataset.id, name, bytes_, sha256)
    with pytest.raises(ProviderError, match=r"lies in .* 2 times and was sent from here 1 times"):
        delivery.upload(parcel(), means)
    ledger = Ledger(parcel().out, "cartesia", double.url)
    ledger.write("sending", dataset=dataset.id, name=name, sha256=sha256, bytes=bytes_)
    ledger.close()
    delivery.upload(parcel(), means)
    assert stored() == wanted


def test_a_file_that_lies_there_in_part_is_told_and_nothing_sent_beside_it(parcel, means, double):
    delivery.upload(parcel(), means)
    dataset = next(iter(double.account.datasets.values()))
    dataset.files[0].size -= 1
    with pytest.raises(ProviderError, match=rf"datasets remove {dataset.id} {dataset.files[0].id} --to cartesia --yes"):
        delivery.upload(parcel(), means)
    assert len(uploads(double)) == 4


def test_a_large_file_s_answer_is_waited_for_longer(parcel, means, stored, wanted, double):
    """At 100 kB a second the smallest clip of 48 kB has half a second more than the 0.5 s of any answer."""
    double.faults.slow_s = 0.8
    double.faults.plan("upload", *["slow reply"] * 4)
    patience = replace(PATIENCE, slowest_bytes_s=1e5)
    delivery.upload(parcel(), replace(means, patience=patience))
    assert stored() == wanted
    assert steps(parcel().out, "sending", "answered") == ["sending"] * 4 + ["answered"] * 4


def test_a_retry_after_is_waited_for_and_the_other_files_are_held_back(
    parcel, means, stored, wanted, double, monkeypatch
):
    waited = []
    monkeypatch.setattr(type(PATIENCE), "pause", lambda _self, _attempt, wanted_s=None: waited.append(wanted_s))
    double.faults.plan("upload", "status before")
    double.faults.choice = lambda options: 429 if 429 in options else options[0]
    double.faults.retry_after = "7"
    delivery.upload(parcel(), means)
    assert stored() == wanted
    assert waited == [7.0]


def test_a_provider_that_wants_an_hour_s_rest_ends_it(parcel, means, double):
    double.faults.plan("upload", *["status before"] * 4)
    double.faults.choice = lambda options: 429 if 429 in options else options[0]
    double.faults.retry_after = "3600"
    with pytest.raises(ProviderError, match="in 60 minutes"):
        delivery.upload(parcel(), means)


def test_what_a_killed_run_may_have_stored_is_waited_for_before_it_is_sent_again(parcel, means, stored, wanted, double):
    """The ledger of a run that died after the last byte; what it sent shows only later."""
    dataset = double.account.create_dataset("narrator", "[voxgate-0]")
    ledger = Ledger(parcel().out, "cartesia", double.url)
    ledger.write("creating", name="narrator", mark="voxgate-0")
    for name, _, bytes_ in wanted:
        ledger.write("sending", dataset=dataset.id, name=name, bytes=bytes_)
    ledger.close()

    def late():
        time.sleep(0.3)
        for name, sha256, bytes_ in wanted:
            double.account.store(dataset.id, name, bytes_, sha256)

    thread = threading.Thread(target=late)
    thread.start()
    receipt = delivery.upload(parcel(), replace(means, patience=replace(PATIENCE, settle_s=2.0)))
    thread.join()
    assert uploads(double) == []
    assert stored() == wanted
    assert receipt.dataset.id == dataset.id


def test_a_provider_that_loses_what_it_took_is_not_fed_for_ever(parcel, means, double, monkeypatch):
    """It shows now these files, now those, and never all."""
    turns = []

    def flapping(self, id_):
        turns.append(1)
        files = [file.shown() for file in self._dataset(id_).files]
        self._list(files[: 1 + len(turns) // 8 % 2])

    monkeypatch.setattr(double.RequestHandlerClass, "list_files", flapping)
    with pytest.raises(ProviderError, match="not known to be there"):
        delivery.upload(parcel(), replace(means, patience=replace(PATIENCE, settle_s=0.02)))
    assert len(uploads(double)) < 60


def test_an_empty_listing_is_looked_at_twice_before_anything_is_sent_again(parcel, means, stored, wanted, double):
    delivery.upload(parcel(), means)
    double.faults.plan("list", "early end")
    assert delivery.upload(parcel(), replace(means, patience=replace(PATIENCE, settle_s=0.05))).sent == 0
    assert double.faults.met == [("list", "early end")]
    assert stored() == wanted


def test_uploads_run_side_by_side_and_not_more_than_allowed(parcel, means, double, monkeypatch):
    running, most = [], []
    befall = (
        type(double).RequestHandlerClass if hasattr(type(double), "RequestHandlerClass") else double.RequestHandlerClass
    )
    original = befall.form

    def counted(self, cut_after):
        running.append(1)
        most.append(len(running))
        time.sleep(0.1)
        running.pop()
        return original(self, cut_after)

    monkeypatch.setattr(befall, "form", counted)
    delivery.upload(parcel(), means)
    assert 2 <= max(most) <= 4


def test_a_folder_of_somebody_else_s_is_left_as_it_is(parcel, means, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "voxgate-dataset.json").write_text('{"name": "theirs", "description": "theirs"}')
    (theirs / "other.wav").write_bytes(b"RIFF")
    with pytest.raises(Refused, match="--dataset"):
        delivery.upload(parcel(to="folder", name=str(theirs)), means)
    assert sorted(path.name for path in theirs.iterdir()) == ["other.wav", "voxgate-dataset.json"]
    receipt = delivery.upload(parcel(to="folder", name=None, dataset=str(theirs)), means)
    assert [file.name for file in receipt.foreign] == ["other.wav"]
    assert json.loads((theirs / "voxgate-dataset.json").read_text())["name"] == "theirs"


def test_two_at_once_from_one_folder_do_not_happen(parcel, means, approved, double):
    ledger = Ledger(approved, "cartesia", double.url)
    with ledger.held(), pytest.raises(UsageError, match="another voxgate is at work"):
        delivery.upload(parcel(), means)
    assert double.requests == []


def test_without_a_ledger_nothing_is_sent(parcel, means, approved, double):
    (approved / "upload-cartesia.ledger.jsonl").mkdir()
    with pytest.raises(Exception, match=r"cannot be (read|written)"):
        delivery.upload(parcel(), means)
    assert uploads(double) == []


def test_a_disk_that_is_full_ends_it_before_anything_is_sent(parcel, means, double, monkeypatch):
    def full(_self, step, **_facts):
        if step == "sending":
            raise OutputError("the disk is full")

    monkeypatch.setattr(Ledger, "write", full)
    with pytest.raises(OutputError, match="full"):
        delivery.upload(parcel(), means)
    assert uploads(double) == []


def test_what_was_sent_to_a_sandbox_is_nothing_about_another_address(parcel, means, wanted, double):
    from sandbox.server import Double

    delivery.upload(parcel(), means)
    with Double() as other:
        environ = {**means.environ, "CARTESIA_BASE_URL": other.url}
        receipt = delivery.upload(parcel(), replace(means, environ=environ))
        assert receipt.sent == 4
        assert len(other.account.datasets) == 1


def test_the_key_stands_nowhere(parcel, means, approved):
    delivery.upload(parcel(), means)
    for path in approved.iterdir():
        assert KEY.encode() not in path.read_bytes(), path


def test_the_receipt_keeps_to_its_schema(parcel, means, approved):
    from importlib import resources

    schema = json.loads((resources.files("pipeline") / "schemas" / "receipt-1.json").read_text(encoding="utf-8"))
    delivery.upload(parcel(), means)
    document = json.loads((approved / "receipt-cartesia.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)


def test_an_interrupt_ends_it_within_a_second_and_the_next_run_goes_on(approved, environ, double, stored, wanted):
    """A reply that takes half a minute is not waited for."""
    double.faults.slow_s = 30
    double.faults.plan("upload", *["slow store"] * 4)
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", "upload", approved / "manifest.json"]
    options = ["--to", "cartesia", "--name", "n", "--consent", "yes", "--allow-unexamined"]
    process = subprocess.Popen([*command, *options], env=os.environ | environ, stderr=subprocess.PIPE, text=True)
    for _ in range(200):
        if len(uploads(double)) == 4:
            break
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, stderr = process.communicate(timeout=20)
    assert time.monotonic() - began < 3  # half a second for the senders, the rest for a slow machine to end a process
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1].startswith("voxgate: interrupted")
    double.faults.slow_s = 0.0
    parcel = delivery.Parcel(approved / "manifest.json", "cartesia", "n", None, "yes", allow_unexamined=True)
    delivery.upload(parcel, delivery.Means(environ, PATIENCE))
    assert stored() == wanted


def test_a_ledger_line_torn_by_a_crash_is_passed_over(parcel, means, approved, stored, wanted):
    delivery.upload(parcel(), means)
    path = approved / "upload-cartesia.ledger.jsonl"
    path.write_text(path.read_text() + '{"schema": "voxgate.ledger/1", "step": "send')
    delivery.upload(parcel(), means)
    assert stored() == wanted
    assert all(json.loads(line) for line in path.read_text().splitlines() if line and not line.endswith("send"))


def test_every_line_of_the_ledger_is_on_the_disk_before_the_step(approved, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    ledger = Ledger(approved, "cartesia", "somewhere")
    for number in range(3):
        ledger.write("creating", name="n", mark=str(number))
    ledger.close()
    assert len(flushed) == 3


def test_a_ledger_that_cannot_be_written_any_more_ends_it_with_that_and_stays_readable(
    parcel, means, approved, double, monkeypatch
):
    written = []
    append = Ledger._append  # noqa: SLF001 - where a disk gets full

    def full(self, line):
        written.append(line)
        if len(written) == 8:
            self._file.write(b'{"half a li')
            raise OSError(28, "No space left on device")
        append(self, line)

    monkeypatch.setattr(Ledger, "_append", full)
    with pytest.raises(OutputError, match="No space left"):
        delivery.upload(parcel(), means)
    monkeypatch.undo()
    delivery.upload(parcel(), replace(means, patience=replace(PATIENCE, settle_s=0.8)))
    assert len(next(iter(double.account.datasets.values())).files) == 4


def test_every_step_stands_in_the_ledger_before_it_is_taken(parcel, means, approved, double, monkeypatch):
    seen, lock = [], threading.Lock()
    original = double.RequestHandlerClass.form

    def looked(self, cut_after):
        with lock:  # the first request comes behind one line at least, the second behind two
            seen.append(steps(approved, "sending", "cleared"))
        return original(self, cut_after)

    monkeypatch.setattr(double.RequestHandlerClass, "form", looked)
    delivery.upload(parcel(), means)
    assert len(seen) == 4
    for number, known in enumerate(seen, 1):
        assert known[0] == "cleared"
        assert known.count("sending") >= number


def test_a_gigabyte_takes_no_more_memory_than_a_megabyte(tmp_path):
    """Measured in a process of its own: what sending adds stays under 8 MB, whatever the size."""
    script = Path(__file__).parent / "memory.py"
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, timeout=120, check=True)
    small, large = map(int, done.stdout.split())
    assert large - small < 8 << 20
