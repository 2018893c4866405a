"""report.json, manifest.json and overview.json keep to their schemas, to the digits that units deserve, and to the same bytes."""

import dataclasses
import json
import types
import typing
from importlib import resources

import jsonschema
import pytest

from pipeline import each_folder, run
from pipeline import examine as examining
from pipeline.readings import BY_SUBJECT
from pipeline.records import SUBJECTS, Clip, DatasetVerdict, Fault
from pipeline.stages.report import HIDDEN
from pipeline.storage import codec

LENIENT = ("speech.engine=webrtcvad", "extent.minimum_s=1", "extent.target_s=2")


def schema(name):
    text = (resources.files("pipeline") / "schemas" / f"{name}-1.json").read_text(encoding="utf-8")
    return json.loads(text)


def validated(path):
    """The document, after it was held against its schema."""
    document = json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{path} holds {word}"))
    jsonschema.Draft202012Validator(schema(path.stem)).validate(document)
    return document


@pytest.fixture
def check(recordings, tmp_path):
    """`check(**request)`: a run over the recordings; OUT comes back."""

    def made(*inputs, out="out", overrides=LENIENT, **request):
        given = tuple(map(str, inputs)) or (str(recordings),)
        run.check(run.Request(inputs=given, out=tmp_path / out, overrides=overrides, **request))
        return tmp_path / out

    return made


@pytest.fixture
def mixed(recordings, tone, write_wav):
    """The recordings, and beside them whatever else a folder may hold."""
    (recordings / "copy.wav").write_bytes((recordings / "take1.wav").read_bytes())
    (recordings / "noise.mp3").write_bytes(bytes(range(256)) * 40)
    (recordings / "empty.wav").touch()
    (recordings / "gone.wav").symlink_to("nowhere.wav")
    (recordings / "take1.txt").write_text("a i u")
    (recordings / "notes.pdf").write_text("no audio")
    write_wav(recordings / "tone.wav", tone(1.0, dbfs=0.0))
    return recordings


@pytest.mark.parametrize("name", ["report", "manifest", "overview"])
def test_the_schemas_are_schemas_and_allow_no_unknown_key(name):
    document = schema(name)
    jsonschema.Draft202012Validator.check_schema(document)
    open_objects = []

    def walk(place, where):
        if isinstance(place, dict):
            if place.get("type") == "object" and place.get("additionalProperties") is not False:
                open_objects.append(where)
            for key, value in place.items():
                walk(value, f"{where}/{key}")

    walk(document, name)
    assert open_objects == []


def of_type(kind):
    """What the schema says of a field of that type."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        inner = of_type(next(a for a in typing.get_args(kind) if a is not type(None)))
        return inner | {"type": [inner["type"], "null"]}
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        if dataclasses.is_dataclass(item):
            return {"type": "array", "items": {"$ref": f"#/$defs/{item.__name__.lower()}"}}
        return {"type": "array", "items": of_type(item)}
    return {"type": {float: "number", int: "integer", str: "string", bool: "boolean"}[kind]}


REPORTED = [subject for subject in BY_SUBJECT if subject in SUBJECTS]
"""The others are kept in the journal alone, for the comparison of clips."""


@pytest.mark.parametrize("subject", REPORTED)
def test_the_report_s_schema_lists_the_readings_as_they_are_reported(subject):
    """Where this fails, `wanted` is what belongs into pipeline/schemas/report-1.json."""
    hints = typing.get_type_hints(BY_SUBJECT[subject])
    fields = [field.name for field in dataclasses.fields(BY_SUBJECT[subject])]
    reported = {name: of_type(hints[name]) for name in fields if name not in HIDDEN}
    why = {"why": {"type": "string"}} if "why" in fields else {}
    wanted = {
        "type": "object",
        "properties": reported | why,
        "required": list(reported),
        "additionalProperties": False,
    }
    assert schema("report")["$defs"][subject] == wanted, json.dumps(wanted)


def test_the_schemas_know_every_subject():
    assert schema("report")["$defs"]["absence"]["properties"]["subject"]["enum"] == list(SUBJECTS)
    assert schema("manifest")["$defs"]["absence"]["properties"]["subject"]["enum"] == list(SUBJECTS)
    assert set(schema("report")["$defs"]["clip"]["properties"]["readings"]["properties"]) == set(REPORTED)


def test_an_overview_keeps_to_its_schema_with_folders_of_every_verdict(recordings, tmp_path):
    top = tmp_path / "agency"
    for folder, files in {"anna": ["take1.wav", "take2.wav"], "ben": ["take1.wav"], "empty": []}.items():
        (top / folder).mkdir(parents=True)
        for file in files:
            (top / folder / file).write_bytes((recordings / file).read_bytes())
    limits = ("speech.engine=webrtcvad", "extent.minimum_s=3", "extent.target_s=3")
    list(each_folder.check(run.Request(inputs=(str(top),), out=tmp_path / "out", overrides=limits)))
    folders = validated(tmp_path / "out" / "overview.json")["folders"]
    assert [entry["verdict"] for entry in folders] == ["approved", "rejected", None]
    assert folders[0]["totals"] == validated(tmp_path / "out" / folders[0]["report"])["totals"]
    assert folders[2] == {"folder": "empty", "verdict": None, "totals": None, "report": None}


def test_a_report_of_everything_that_can_happen_keeps_to_its_schema(mixed, check):
    out = check()
    report = validated(out / "report.json")
    verdicts = {clip["id"]: clip["verdict"] for clip in report["clips"]}
    assert list(verdicts) == sorted(verdicts)
    assert verdicts["copy.wav"] == "accept"
    rejected = {"take1.wav", "empty.wav", "gone.wav", "noise.mp3", "tone.wav"}
    assert {id_ for id_, verdict in verdicts.items() if verdict == "reject"} == rejected
    assert report["skipped"] == ["notes.pdf"]
    assert report["verdict"] == "approved"
    told = {clip["id"]: clip["findings"][0]["message"] for clip in report["clips"] if clip["findings"]}
    assert told["gone.wav"] == "cannot be decoded: it is a link to a file that is not there"
    assert told["empty.wav"] == "holds no audio: the file is empty"


def test_a_manifest_holds_what_passed_and_nothing_else(mixed, check):
    out = check(language="en")
    report, manifest = validated(out / "report.json"), validated(out / "manifest.json")
    passed = [clip["id"] for clip in report["clips"] if clip["verdict"] in ("accept", "review")]
    assert [clip["id"] for clip in manifest["clips"]] == passed == ["copy.wav", "take2.wav", "take3.wav"]
    assert manifest["language"] == "en"
    assert manifest["profile"] == {"name": "cartesia-pro", "provider": "cartesia", "use": "professional-clone"}
    assert manifest["not_examined"] == report["not_examined"]
    assert manifest["relaxed"] == report["relaxed"] != []
    assert manifest["totals"] == report["totals"]
    for clip in manifest["clips"]:
        assert (mixed / clip["path"]).stat().st_size == clip["bytes"]


def test_a_transcript_is_found_from_the_root(mixed, check, tmp_path):
    out = check(mixed, tmp_path / "rec" / "take1.wav", overrides=(*LENIENT, "severity.DUPLICATE=warning"))
    manifest = validated(out / "manifest.json")
    (clip,) = [clip for clip in manifest["clips"] if "transcript" in clip]
    root = tmp_path if manifest["root"] == str(tmp_path) else mixed
    assert (root / clip["transcript"]).read_text() == "a i u"
    assert clip["id"].endswith("take1.wav")


def test_the_digest_covers_everything_else(check):
    manifest = validated(check() / "manifest.json")
    assert codec.digest(manifest) == manifest["sha256"]
    for key in set(manifest) - {"sha256"}:
        assert codec.digest(manifest | {key: "changed"}) != manifest["sha256"]
    assert codec.digest(dict(reversed(manifest.items()))) == manifest["sha256"]


def test_the_manifest_has_the_same_bytes_however_it_was_come_by(mixed, check):
    wanted = (check(out="serial") / "manifest.json").read_bytes()
    assert (check(out="two", engine="local", jobs=2) / "manifest.json").read_bytes() == wanted
    assert (check(out="three", engine="local", jobs=3) / "manifest.json").read_bytes() == wanted
    assert (check(out="serial") / "manifest.json").read_bytes() == wanted
    assert (check(out="serial", fresh=True) / "manifest.json").read_bytes() == wanted
    run.judge(check(out="serial"))
    assert (check(out="serial") / "manifest.json").read_bytes() == wanted


def numbers(place, name=""):
    if isinstance(place, dict):
        for key, value in place.items():
            if key not in ("default", "used"):
                yield from numbers(value, key)
    elif isinstance(place, list):
        for value in place:
            yield from numbers(value, name)
    elif isinstance(place, float):
        yield name, place


def test_seconds_have_three_digits_and_decibels_two(mixed, check):
    out = check()
    for document in (validated(out / "report.json"), validated(out / "manifest.json")):
        for name, number in numbers(document):
            if name.endswith("_s"):
                assert number == round(number, 3), name
            if name.endswith(("_db", "_dbfs", "_dbtp", "_lufs", "_lu")):
                assert number == round(number, 2), name


def test_evidence_has_the_digits_of_its_limit(mixed, check):
    report = validated(check(overrides=(*LENIENT, "extent.minimum_s=9999.123456")) / "report.json")
    found = {f["code"]: f for clip in report["clips"] for f in clip["findings"]} | {
        f["code"]: f for f in report["findings"]
    }
    assert found["HOT_PEAK"]["value"] == round(found["HOT_PEAK"]["value"], 2)
    assert found["TOO_LITTLE_AUDIO"]["limit"] == 9999.123456
    assert found["TOO_LITTLE_AUDIO"]["value"] == round(found["TOO_LITTLE_AUDIO"]["value"], 3)


def test_nothing_but_an_approval_leaves_a_manifest(check):
    out = check()
    assert (out / "manifest.json").exists()
    assert run.judge(out, overrides=("extent.minimum_s=3600",)).verdict is DatasetVerdict.REJECTED
    assert not (out / "manifest.json").exists()
    run.judge(out)
    assert (out / "manifest.json").exists()
    check(overrides=("speech.engine=webrtcvad",))
    assert not (out / "manifest.json").exists()


def test_what_was_not_examined_is_listed_with_why(check):
    out = check(overrides=run.speakers_override("off"))
    report = validated(out / "report.json")
    absent = {entry["subject"]: entry["why"] for entry in report["not_examined"]}
    assert absent["speakers"] == "switched off with speakers.engine=off"
    assert set(absent) >= set(SUBJECTS) - set(BY_SUBJECT)
    run.judge(out)
    assert validated(out / "report.json") == report


def test_a_clip_left_out_is_named_and_nowhere_else(check):
    out = check(leave_out=frozenset({"take2.wav"}))
    report = validated(out / "report.json")
    assert report["left_out"] == ["take2.wav"]
    assert [clip["id"] for clip in report["clips"]] == ["take1.wav", "take3.wav"]
    assert [clip["id"] for clip in validated(out / "manifest.json")["clips"]] == ["take1.wav", "take3.wav"]
    run.judge(out)
    assert validated(out / "report.json") == report


def test_what_is_told_on_the_page_can_be_written_whatever_the_names_are(recordings, check):
    name = b"caf\xe9\n<script>alert(1)</script>.wav".replace(b"/", b"|")
    odd = recordings / name.decode("utf-8", "surrogateescape")
    odd.write_bytes((recordings / "take1.wav").read_bytes())
    out = check()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "caf\\udce9" in page
    ids = [clip["id"] for clip in validated(out / "report.json")["clips"]]
    assert odd.name in ids


def test_a_clip_of_which_nothing_is_known_has_a_place_in_the_report(check, monkeypatch):
    def failing(source, activity, unwanted):
        return Clip(source, faults=(Fault(None, "its worker died"),))

    monkeypatch.setattr(examining, "examine", failing)
    report = validated(check() / "report.json")
    assert {clip["verdict"] for clip in report["clips"]} == {"undecided"}
    assert report["verdict"] == "undecided"


def test_the_canonical_spelling_is_what_the_digest_is_taken_over(check):
    import hashlib

    manifest = validated(check() / "manifest.json")
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    assert hashlib.sha256(codec.canonical(rest)).hexdigest() == manifest["sha256"]
