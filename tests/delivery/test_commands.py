"""upload, datasets, train, status and voices as somebody types them."""

import json
import os
import shlex
import subprocess
import sys

import pytest

CONSENT = ("--consent", "Ada agreed", "--allow-unexamined")


@pytest.fixture
def typed(voxgate, environ, approved):
    """`typed(verb, *arguments)`: a verb with the environment that reaches the double."""

    def run(*arguments, **others):
        ran = voxgate(*arguments, **{**environ, **others})
        assert environ["CARTESIA_API_KEY"] not in ran.stdout + ran.stderr
        return ran

    run.manifest = approved / "manifest.json"
    run.out = approved
    return run


def test_from_upload_to_voices(typed, double):
    ran = typed("upload", typed.manifest, "--to", "cartesia", "--name", "narrator", *CONSENT)
    assert ran.status == 0, ran.stderr
    assert "not examined: speakers" in ran.stdout
    assert "relaxed: extent.minimum_s" in ran.stdout
    assert "4 files" in ran.stdout
    ran = typed("datasets", "diff", typed.manifest)
    assert (ran.status, ran.stdout.splitlines()[-1][:12]) == (0, "4 of 4 files")
    ran = typed("train", typed.manifest, "--language", "en", "--name", "ada", "--yes")
    assert ran.status == 0, ran.stderr
    assert "1,000,000 credits" in ran.stdout
    assert "costs again" in ran.stdout
    again = typed("train", typed.manifest, "--language", "en", "--name", "ada", "--yes")
    assert again.status == 0
    assert len(double.account.fine_tunes) == 1
    ran = typed("status", typed.out)
    assert ran.status == 0
    ran = typed("voices", typed.out)
    assert ran.status == 0, ran.stderr
    assert len([line for line in ran.stdout.splitlines() if line.startswith("voice ")]) == 4
    assert "sonic-3-2026-01-12" in ran.stdout
    assert "training again" in ran.stdout


def test_nobody_there_to_ask_is_no_yes(typed, double):
    typed("upload", typed.manifest, "--to", "cartesia", "--name", "narrator", *CONSENT)
    ran = typed("train", typed.manifest, "--language", "en", "--name", "ada")
    assert ran.status == 2
    assert "--yes" in ran.stderr
    assert double.account.fine_tunes == {}


def test_a_failed_training_is_1_and_retry_orders_again(typed, double):
    double.account.outcomes = ["failed"]
    typed("upload", typed.manifest, "--to", "cartesia", "--name", "narrator", *CONSENT)
    typed("train", typed.manifest, "--language", "en", "--name", "ada", "--yes")
    ran = typed("status", typed.out)
    assert ran.status == 1
    assert "--retry" in ran.stdout
    assert typed("voices", typed.out).status == 1
    ran = typed("status", typed.out, "--retry", "--yes")
    assert ran.status == 0, ran.stderr
    assert len(double.account.fine_tunes) == 2


def test_an_order_whose_answer_was_lost_is_shown_and_not_given_again_even_with_again(typed, double):
    typed("upload", typed.manifest, "--to", "cartesia", "--name", "narrator", *CONSENT)
    dataset = next(iter(double.account.datasets))
    with (typed.out / "upload-cartesia.ledger.jsonl").open("a") as ledger:
        line = {
            "schema": "voxgate.ledger/1",
            "step": "ordering",
            "at": "2026-01-01T00:00:00+00:00",
            "where": double.url,
        }
        ledger.write(json.dumps(line | {"dataset": dataset, "mark": "voxgate-1"}) + "\n")
    fields = {"name": "ada", "language": "en", "model_id": "sonic-3-2026-01-12", "dataset": dataset}
    double.account.create_fine_tune({**fields, "description": "[voxgate-1]"})
    ran = typed("train", typed.manifest, "--language", "en", "--name", "ada", "--again", "--yes")
    assert ran.status == 0, ran.stderr
    assert len(double.account.fine_tunes) == 1
    typed("train", typed.manifest, "--language", "en", "--name", "ada", "--again", "--yes")
    assert len(double.account.fine_tunes) == 2


def test_another_order_for_a_dataset_that_is_trained_is_refused_and_told(typed, double):
    typed("upload", typed.manifest, "--to", "cartesia", "--name", "narrator", *CONSENT)
    typed("train", typed.manifest, "--language", "en", "--name", "ada", "--yes")
    ran = typed("train", typed.manifest, "--language", "de", "--name", "other", "--yes")
    assert ran.status == 1
    assert "--again" in ran.stderr
    assert len(double.account.fine_tunes) == 1


def test_a_retry_is_ordered_once(typed, double):
    double.account.outcomes = ["failed"]
    typed("upload", typed.manifest, "--to", "cartesia", "--name", "narrator", *CONSENT)
    typed("train", typed.manifest, "--language", "en", "--name", "ada", "--yes")
    failed = next(iter(double.account.fine_tunes))
    for _ in range(2):
        assert typed("status", typed.out, "--id", failed, "--retry", "--yes").status == 0
    assert len(double.account.fine_tunes) == 2


@pytest.mark.parametrize("closed", ["2>&-", ">&-", ">/dev/full", "2>/dev/full"])
def test_that_nobody_can_read_what_is_told_stops_nothing(typed, double, closed, environ):
    words = [sys.executable, "-c", "from pipeline.cli import main; main()", "upload", str(typed.manifest)]
    line = shlex.join([*words, "--to", "cartesia", "--name", "narrator", *CONSENT])
    done = subprocess.run(
        f"{line} {closed}", shell=True, env=os.environ | environ, stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(next(iter(double.account.datasets.values())).files) == 4


def test_the_gate_s_no_is_1_and_the_provider_s_is_4(typed, double):
    assert typed("upload", typed.manifest, "--to", "cartesia", "--name", "n").status == 1
    double.max_bytes = 10
    ran = typed("upload", typed.manifest, "--to", "cartesia", "--name", "n", *CONSENT)
    assert ran.status == 4
    assert "täke 0.wav" in ran.stderr
    assert "413" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--to", "nobody", "--name", "n"), "there is no such provider"),
        (("--to", "cartesia"), "--name"),
        (("--to", "cartesia", "--name", "n", "--dataset", "d"), "--name"),
    ],
)
def test_wrong_use_is_2(typed, arguments, told):
    ran = typed("upload", typed.manifest, *arguments, *CONSENT)
    assert (ran.status, told in ran.stderr) == (2, True), ran.stderr


def test_a_manifest_that_is_not_there_is_2(typed, tmp_path):
    ran = typed("upload", tmp_path / "manifest.json", "--to", "cartesia", "--name", "n", *CONSENT)
    assert ran.status == 2
    assert "voxgate check" in ran.stderr


def test_without_a_key_it_is_2(typed):
    ran = typed("upload", typed.manifest, "--to", "cartesia", "--name", "n", *CONSENT, CARTESIA_API_KEY="")
    assert (ran.status, "CARTESIA_API_KEY" in ran.stderr) == (2, True)


def test_datasets_are_made_shown_changed_and_deleted_only_with_yes(typed, double):
    id_ = typed("datasets", "create", "mine", "--description", "some").stdout.strip()
    assert typed("datasets", "list").stdout == f"{id_}  mine  some\n"
    file = double.account.store(id_, "a.wav", 5, "")
    assert typed("datasets", "show", id_).stdout.split() == [file.id, "5", "a.wav"]
    assert typed("datasets", "update", id_, "--name", "other").stdout == f"{id_}  other  some\n"
    assert typed("datasets", "update", id_).status == 2
    ran = typed("datasets", "remove", id_, file.id)
    assert (ran.status, "--yes" in ran.stderr, len(double.account.datasets[id_].files)) == (2, True, 1)
    assert typed("datasets", "remove", id_, "file_0", "--yes").status == 2
    assert typed("datasets", "remove", id_, file.id, "--yes").status == 0
    assert double.account.datasets[id_].files == []
    ran = typed("datasets", "delete", id_)
    assert (ran.status, id_ in double.account.datasets) == (2, True)
    assert typed("datasets", "delete", id_, "--yes").status == 0
    assert double.account.datasets == {}
    assert typed("datasets", "delete", id_, "--yes").status == 2
    assert typed("datasets", "show", "a b").status == 2


def test_the_difference_tells_what_is_missing_foreign_twice_and_damaged(typed, double):
    typed("upload", typed.manifest, "--to", "cartesia", "--name", "n", *CONSENT)
    dataset = next(iter(double.account.datasets.values()))
    double.account.store(dataset.id, "evil.wav", 5, "")
    gone = dataset.files.pop(0)
    double.account.store(dataset.id, dataset.files[0].filename, dataset.files[0].size, "")
    damaged = dataset.files[1].filename[:16] + "-by-another-name.wav"
    double.account.store(dataset.id, damaged, 1, "")
    ran = typed("datasets", "diff", typed.manifest)
    assert ran.status == 1
    kinds = {line.split()[0]: line.split()[1] for line in ran.stdout.splitlines()[:-1]}
    assert kinds == {
        "missing": gone.filename,
        "foreign": "evil.wav",
        "double": dataset.files[0].filename,
        "damaged": damaged,
    }


def test_a_folder_is_the_whole_way_without_a_provider(typed, tmp_path, wanted):
    for sent in (4, 0):
        ran = typed("upload", typed.manifest, "--to", "folder", "--name", tmp_path / "staged", *CONSENT)
        assert ran.status == 0, ran.stderr
        assert f"{sent} sent" in ran.stdout
        assert ("uploading" in ran.stderr) == (sent > 0)
    assert sorted(path.name for path in (tmp_path / "staged").glob("*.wav")) == [name for name, _, _ in wanted]
    receipt = (tmp_path / "staged" / "voxgate-receipt.json").read_text()
    assert receipt == (typed.out / "receipt-folder.json").read_text()
    assert typed("datasets", "diff", typed.manifest, "--to", "folder").status == 0
    (tmp_path / "staged" / wanted[0][0]).unlink()
    assert typed("datasets", "diff", typed.manifest, "--to", "folder").status == 1


def test_an_address_with_a_password_in_it_is_refused_and_written_nowhere(typed):
    ran = typed("upload", typed.manifest, "--to", "folder", "--name", "ftp://me:hunter2@example.org/x", *CONSENT)
    assert ran.status == 2
    assert "hunter2" not in ran.stdout + ran.stderr
    for path in typed.out.iterdir():
        assert b"hunter2" not in path.read_bytes()


def test_providers_are_listed(typed):
    ran = typed("list", "providers")
    assert [line.split()[0] for line in ran.stdout.splitlines()] == ["cartesia", "folder"]


def test_results_of_an_upload_are_no_clips(typed, tmp_path, passing):
    """Staged files, receipts and ledgers beside recordings are not taken for recordings or for somebody else's text."""
    typed("upload", typed.manifest, "--to", "folder", "--name", tmp_path / "rec" / "staged", *CONSENT)
    ran = typed("check", tmp_path / "rec", "-o", tmp_path / "again", *passing)
    skipped = ran.report["skipped"]
    assert not [name for name in skipped if "ledger" in name]
    assert (
        json.loads((tmp_path / "rec" / "staged" / "voxgate-receipt.json").read_text())["schema"] == "voxgate.receipt/1"
    )
