"""The gate: only what the manifest approves gets through, byte for byte, and every reason against the rest is told."""

import json
import os
import shutil

import pytest
from terms import LENIENT

from pipeline import delivery, run
from pipeline.errors import Refused, UsageError
from pipeline.remote import Onlooker
from pipeline.stages import gate
from pipeline.storage import codec


@pytest.fixture
def refusal(parcel, double):
    """`refusal(**changed)`: what the gate says against a parcel; nothing may have been asked of the provider."""

    def told(**changed):
        with pytest.raises(Refused) as caught:
            delivery.upload(parcel(**changed), delivery.Means({"CARTESIA_BASE_URL": double.url}))
        assert double.requests == []
        return str(caught.value)

    return told


@pytest.fixture
def rewritten(approved):
    """`rewritten(change)`: the manifest after a change to its document, with a digest that fits."""

    def write(change, *, sealed=True):
        path = approved / "manifest.json"
        document = json.loads(path.read_text())
        change(document)
        if sealed:
            document["sha256"] = codec.digest(document)
        path.write_text(json.dumps(document))

    return write


def test_what_is_approved_gets_through_under_names_of_its_own(parcel, wanted):
    passed = delivery.inspect(parcel(), Onlooker())
    assert sorted((c.name, c.sha256, c.bytes) for c in passed.cleared) == wanted
    assert all(c.name.isascii() and c.name.startswith(c.sha256[:16]) for c in passed.cleared)


def test_what_nobody_examined_and_what_was_relaxed_is_told(parcel):
    passed = delivery.inspect(parcel(), Onlooker())
    assert [absence.subject for absence in passed.not_examined] == ["speakers"]
    assert {limit.key for limit in passed.relaxed} >= {"extent.minimum_s"}


@pytest.mark.parametrize("consent", [None, "", "  \n"])
def test_without_consent_nothing_is_sent(refusal, consent):
    assert "consent is not stated" in refusal(consent=consent)


def test_what_nobody_examined_has_to_be_allowed(refusal):
    assert "nobody has examined speakers" in refusal(allow_unexamined=False)


def test_all_reasons_are_told_at_once(refusal, approved, tmp_path):
    (tmp_path / "rec" / "täke 1.wav").unlink()
    with (tmp_path / "rec" / "täke 2.wav").open("ab") as file:
        file.write(b"\0\0")
    told = refusal(consent=None, allow_unexamined=False)
    assert "for 4 reasons" in told
    for part in ("täke 1.wav: it cannot be read", "täke 2.wav: it has", "consent", "nobody has examined"):
        assert part in told


def test_a_manifest_that_was_edited_is_refused(refusal, rewritten):
    rewritten(lambda document: document.update(language="en"), sealed=False)
    assert "its digest is another" in refusal()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m["clips"].clear(), "is missing"),
        (lambda m: m["clips"][0].update(sha256="0" * 64), "differs"),
        (lambda m: m["clips"].append(m["clips"][0] | {"id": "evil.wav"}), "evil.wav is not approved"),
        (lambda m: m["clips"][0].update(path="../../etc/passwd"), "differs"),
        (lambda m: m.update(root="/"), "root differs"),
        (lambda m: m.update(not_examined=[]), "not_examined differs"),
        (lambda m: m.update(relaxed=[]), "relaxed differs"),
        (lambda m: m["profile"].update(use="anything"), "profile differs"),
        (
            lambda m: m["clips"].insert(0, m["clips"][0] | {"path": "../evil.wav", "sha256": "0" * 64}),
            "listed otherwise",
        ),
        (lambda m: m["clips"].reverse(), "listed otherwise"),
        (lambda m: m["totals"].update(approved_s=1e6), "listed otherwise"),
        (lambda m: m.update(clips="all of them"), "do not read"),
        (lambda m: m.update(clips=[None]), "do not read"),
        (lambda m: m.update(schema="voxgate.manifest/2"), "this is no voxgate.manifest/1"),
    ],
)
def test_a_manifest_that_its_journal_does_not_lead_to_is_refused_whatever_its_digest(refusal, rewritten, change, told):
    rewritten(change)
    assert told in refusal()


@pytest.mark.parametrize(
    "text", ["", "[]", "no json", '"manifest"', "{}", "[" * 100_000, '{"schema": NaN}', '{"schema": 1e999}']
)
def test_what_is_no_manifest_is_refused(refusal, approved, text):
    (approved / "manifest.json").write_text(text)
    refusal()


def test_an_empty_manifest_approves_nothing(approved):
    empty = json.loads((approved / "manifest.json").read_text()) | {"clips": []}
    empty["sha256"] = codec.digest(empty)
    assert list(gate.paper(empty, gate.Ground(empty, None, {}))) == ["the manifest is empty: it approves nothing"]


def test_a_manifest_without_its_journal_is_refused(refusal, approved):
    (approved / "journal.jsonl").unlink()
    assert "cannot be judged again" in refusal()


def test_a_manifest_of_an_earlier_run_is_refused(refusal, approved, tmp_path):
    old = (approved / "manifest.json").read_text()
    (tmp_path / "rec" / "täke 0.wav").unlink()
    run.check(run.Request((str(tmp_path / "rec"),), approved, overrides=LENIENT))
    (approved / "manifest.json").write_text(old)
    assert "täke 0.wav is not approved" in refusal()


def test_a_set_that_was_judged_again_is_judged_so_at_the_gate(approved, parcel):
    run.judge(approved, overrides=("music.max_music_s=7",))
    assert delivery.inspect(parcel(), Onlooker()).cleared


def test_a_profile_of_one_s_own_is_found_from_everywhere(approved, parcel, tmp_path, monkeypatch):
    own = tmp_path / "own.toml"
    own.write_text('provider = "cartesia"\nuse = "professional-clone"\n[limits]\nextent.minimum_s = 1.0\n')
    monkeypatch.chdir(tmp_path)
    assert run.judge(approved, profile="own.toml").verdict == "approved"
    monkeypatch.chdir("/")
    assert delivery.inspect(parcel(), Onlooker()).cleared


def test_a_manifest_of_terms_that_were_given_up_is_refused(refusal, approved):
    run.judge(approved, overrides=("loudness.min_lufs=-60",))
    old = (approved / "manifest.json").read_text()
    run.judge(approved)
    (approved / "manifest.json").write_text(old)
    assert "settings_sha256 differs" in refusal()


def test_a_set_that_was_rejected_strictly_since_is_refused(refusal, approved):
    old = (approved / "manifest.json").read_text()
    assert run.judge(approved, strict=True, overrides=("loudness.min_lufs=-10",)).verdict == "rejected"
    (approved / "manifest.json").write_text(old)
    assert "judged again, the set is rejected" in refusal()


def test_a_profile_for_somebody_else_is_refused(refusal, approved):
    run.judge(approved, profile="take")
    assert "approves for no provider, not for cartesia" in refusal()


def test_a_profile_for_another_use_is_refused(refusal, approved, monkeypatch):
    facts = delivery.providers.facts("cartesia")
    monkeypatch.setattr(delivery.providers, "facts", lambda _name: codec_replace(facts, uses=("instant-clone",)))
    assert "a dataset there is for instant-clone" in refusal()


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"formats": ("flac",)}, "cartesia takes no wav"),
        ({"max_bytes": 1000}, "cartesia takes 1000"),
        ({"min_s": 60.0}, "cartesia takes 1:00 and more"),
        ({"max_s": 0.5}, "cartesia takes 0.5 s at most"),
    ],
)
def test_what_the_provider_does_not_take_is_refused(refusal, monkeypatch, limits, told):
    facts = delivery.providers.facts("cartesia")
    monkeypatch.setattr(delivery.providers, "facts", lambda _name: codec_replace(facts, **limits))
    assert told in refusal()


def codec_replace(facts, **changed):
    from dataclasses import replace

    return replace(facts, **changed)


def test_a_file_that_was_touched_but_is_the_same_gets_through(parcel, tmp_path):
    path = tmp_path / "rec" / "täke 0.wav"
    copy = path.with_name("copy")
    shutil.copyfile(path, copy)
    copy.replace(path)
    os.utime(path, (1, 1))
    assert len(delivery.inspect(parcel(), Onlooker()).cleared) == 4


def test_a_file_that_was_changed_after_approval_is_refused(refusal, tmp_path):
    path = tmp_path / "rec" / "täke 0.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "täke 0.wav: its bytes are not the approved ones" in refusal()


def test_a_link_that_points_elsewhere_is_refused_even_to_the_same_bytes(refusal, tmp_path):
    path = tmp_path / "rec" / "täke 0.wav"
    shutil.copyfile(path, tmp_path / "elsewhere.wav")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.wav")
    assert "reached by a link now" in refusal()


def test_a_folder_that_became_a_link_is_refused(refusal, tmp_path, approved):
    inner = tmp_path / "rec" / "inner"
    inner.mkdir()
    shutil.move(tmp_path / "rec" / "täke 0.wav", inner)
    run.check(run.Request((str(tmp_path / "rec"),), approved, overrides=LENIENT))
    shutil.copytree(inner, tmp_path / "other")
    shutil.rmtree(inner)
    inner.symlink_to(tmp_path / "other")
    assert "reached by a link now" in refusal()


def test_a_link_that_was_there_when_it_was_approved_gets_through(tmp_path, set_once):
    (tmp_path / "rec").mkdir()
    for path in (set_once / "rec").iterdir():
        (tmp_path / "rec" / path.name).symlink_to(path)
    run.check(run.Request((str(tmp_path / "rec"),), tmp_path / "out", overrides=LENIENT))
    parcel = delivery.Parcel(tmp_path / "out" / "manifest.json", "folder", "x", None, "yes", allow_unexamined=True)
    assert len(delivery.inspect(parcel, Onlooker()).cleared) == 4


def test_a_folder_in_a_file_s_place_is_refused(refusal, tmp_path):
    path = tmp_path / "rec" / "täke 0.wav"
    path.unlink()
    path.mkdir()
    assert "it is no file any more" in refusal()


def test_the_same_bytes_under_two_names_are_sent_once(tmp_path, set_once):
    shutil.copytree(set_once / "rec", tmp_path / "rec")
    shutil.copyfile(tmp_path / "rec" / "täke 0.wav", tmp_path / "rec" / "again.wav")
    settings = (*LENIENT, "severity.DUPLICATE=info")
    run.check(run.Request((str(tmp_path / "rec"),), tmp_path / "out", overrides=settings))
    parcel = delivery.Parcel(tmp_path / "out" / "manifest.json", "folder", "x", None, "yes", allow_unexamined=True)
    passed = delivery.inspect(parcel, Onlooker())
    assert len(passed.cleared) == 4
    assert ("again.wav", "täke 0.wav") in [each.ids for each in passed.cleared]


@pytest.mark.parametrize(
    ("id_", "name"),
    [
        ("a/b/Täke 01.final.wav", "0123456789abcdef-Take-01-final.flac"),
        ("录音.wav", "0123456789abcdef-clip.flac"),
        ('..";\r\nX: y.wav', "0123456789abcdef-X-y.flac"),
        ("x" * 300, "0123456789abcdef-" + "x" * 40 + ".flac"),
        (".wav", "0123456789abcdef-wav.flac"),
    ],
)
def test_remote_names_are_ascii_and_tell_the_content(id_, name):
    assert gate.remote_name("0123456789abcdef" * 4, id_, ".flac") == name


def test_where_to_has_to_be_said_once(parcel):
    for wrong in ({"name": None}, {"dataset": "ds_1"}):
        with pytest.raises(UsageError, match="--name"):
            delivery.upload(parcel(**wrong))


def test_a_dry_run_needs_no_key_and_asks_nobody(voxgate, approved, double):
    ran = voxgate(
        "upload", approved / "manifest.json", "--to", "cartesia", "--name", "n", "--consent", "yes", "--allow-unexamined",
        "--dry-run", CARTESIA_BASE_URL=double.url,
    )  # fmt: skip
    assert ran.status == 0, ran.stderr
    assert "lets 4 files through" in ran.stdout
    assert double.requests == []
