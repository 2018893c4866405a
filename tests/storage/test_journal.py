"""The journal remembers what was measured, and forgives whatever happened to its file."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import journal as journal_module
from pipeline.errors import OutputError, RecordError
from pipeline.journal import Entry, Journal, Roster
from pipeline.readings import Container, Fingerprint, Speech
from pipeline.records import Clip, Fault, Readings, Source, Span, StreamInfo
from pipeline.storage.files import Stamp, sha256_of


@pytest.fixture
def measured(tmp_path):
    """`measured(name, content)`: an entry about a file that is there."""

    def make(name="a.wav", content=b"abc", faults=(), measuring="m", version="1"):
        path = tmp_path / name
        path.write_bytes(content)
        clip = Clip(
            Source(name, str(path), len(content)),
            sha256_of(path),
            StreamInfo("wav", "pcm_s16le", 48_000, 1),
            Readings({Container: Container(decoded_s=1.25), Speech: Speech(0.5, pauses=(Span(0.1, 0.2),))}),
            faults,
        )
        return Entry(clip, Stamp.of(str(path)), measuring, version)

    return make


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


OPEN: list[Journal] = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    while OPEN:
        OPEN.pop().close()


def opened(out):
    """A journal that is closed after the test."""
    OPEN.append(Journal(out))
    return OPEN[-1]


def loaded(out):
    journal = opened(out)
    journal.load()
    return journal


def known(journal, entry, **changes):
    source = replace(entry.clip.source, **changes)
    return journal.known(source, Stamp.of(source.path), entry.measuring, entry.version)


def roster(*entries, **more):
    facts = {"root": "/", "measuring": "m", "version": "1", "profile": "p"} | more
    return Roster(sources=tuple(e.clip.source for e in entries), **facts)


def lines(out):
    return (out / "journal.jsonl").read_text().splitlines()


def test_an_entry_is_on_disk_as_soon_as_it_was_added(out, measured):
    entry, journal = measured(), opened(out)
    journal.add(entry)
    assert known(loaded(out), entry) == entry.clip


def test_a_file_that_was_not_touched_is_not_opened(out, measured, monkeypatch):
    entry = measured()
    opened(out).add(entry)
    journal = loaded(out)
    monkeypatch.setattr(journal_module, "sha256_of", None)
    assert known(journal, entry) == entry.clip


def test_a_changed_file_is_not_known(out, measured):
    entry = measured()
    opened(out).add(entry)
    same_length = measured(content=b"xyz")
    assert known(loaded(out), same_length) is None


def test_a_touched_file_with_the_same_bytes_is_known(out, measured):
    entry = measured()
    opened(out).add(entry)
    os.utime(entry.clip.source.path, ns=(1, 1))
    assert known(loaded(out), entry) == entry.clip


def test_a_moved_file_is_known_by_its_bytes_and_written_down_anew(out, measured, tmp_path, monkeypatch):
    entry = measured()
    opened(out).add(entry)
    moved = tmp_path / "b.wav"
    Path(entry.clip.source.path).rename(moved)
    clip = known(loaded(out), entry, id="b.wav", path=str(moved))
    assert clip == replace(entry.clip, source=Source("b.wav", str(moved), 3))
    monkeypatch.setattr(journal_module, "sha256_of", None)
    assert known(loaded(out), entry, id="b.wav", path=str(moved)) == clip


def test_a_new_file_is_hashed_only_where_one_of_its_length_is_known(out, measured, monkeypatch):
    opened(out).add(measured())
    other, journal = measured("b.wav", b"longer"), loaded(out)
    monkeypatch.setattr(journal_module, "sha256_of", None)
    assert known(journal, other) is None


def test_another_extension_other_settings_and_another_version_are_another_measurement(out, measured):
    entry = measured()
    opened(out).add(entry)
    journal = loaded(out)
    assert known(journal, measured("a.mp3")) is None
    assert known(journal, measured(measuring="other")) is None
    assert known(journal, measured(version="2")) is None
    assert known(journal, measured()) is not None


def test_two_files_of_the_same_bytes_are_both_known(out, measured):
    first, second = measured("a.wav"), measured("b.wav")
    journal = opened(out)
    journal.add(first)
    journal.add(second)
    again = loaded(out)
    assert [known(again, e).source.id for e in (first, second)] == ["a.wav", "b.wav"]


def test_what_we_failed_to_measure_is_not_known(out, measured):
    entry = measured(faults=(Fault("speech", "a model is missing"),))
    opened(out).add(entry)
    assert known(loaded(out), entry) is None


def test_a_failure_hides_no_success_with_the_same_bytes(out, measured):
    first, second = measured("a.wav"), measured("b.wav", faults=(Fault(None, "its worker died"),))
    journal = opened(out)
    journal.add(first)
    journal.add(second)
    assert known(loaded(out), first) is not None


def test_a_torn_last_line_costs_that_line_alone(out, measured):
    first, second = measured("a.wav"), measured("b.wav", b"second")
    journal = opened(out)
    journal.add(first)
    journal.add(second)
    path = out / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    again = loaded(out)
    assert (known(again, first) is not None, known(again, second)) == (True, None)
    again.add(second)
    third = loaded(out)
    assert (known(third, first), known(third, second)) == (first.clip, second.clip)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        b"3",
        b"[]",
        b'"text"',
        b"{}",
        b'{"schema": "voxgate.journal/0", "roster": {}}',
        b'{"schema": "voxgate.journal/1"}',
        b'{"schema": "voxgate.journal/1", "roster": 3}',
        b'{"schema": "voxgate.journal/1", "readings": 3}',
        b'{"schema": ["voxgate.journal/1"]}',
    ],
)
def test_lines_that_are_not_ours_are_passed_over(out, measured, garbage):
    entry = measured()
    (out / "journal.jsonl").write_bytes(garbage + b"\n")
    opened(out).add(entry)
    with (out / "journal.jsonl").open("ab") as file:
        file.write(garbage)
    assert known(loaded(out), entry) == entry.clip


def test_lines_of_an_older_schema_are_passed_over(out, measured):
    entry = measured()
    opened(out).add(entry)
    old = lines(out)[0].replace("voxgate.journal/1", "voxgate.journal/0")
    (out / "journal.jsonl").write_text(old + "\n")
    assert known(loaded(out), entry) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(drawn=st.data())
def test_no_damage_to_a_line_is_ever_more_than_a_lost_line(out, measured, drawn):
    entry = measured()
    (out / "journal.jsonl").unlink(missing_ok=True)
    opened(out).add(entry)
    document = json.loads(lines(out)[0])
    place, keys = document, []
    while isinstance(place, dict) and place and (not keys or drawn.draw(st.booleans())):
        keys.append(drawn.draw(st.sampled_from(sorted(place))))
        parent, place = place, place[keys[-1]]
    parent[keys[-1]] = drawn.draw(
        st.sampled_from([None, 3, -1.5, "x", True, [], [1], {}, {"a": 1}, float("nan"), 10**400])
    )
    (out / "journal.jsonl").write_text(json.dumps(document) + "\n")
    clip = known(loaded(out), entry)
    assert clip is None or isinstance(clip, Clip)


def test_a_finished_run_keeps_what_it_superseded_no_longer(out, measured):
    journal = opened(out)
    journal.add(measured(content=b"old"))
    new = measured(content=b"new!")
    journal.add(new)
    journal.finish(roster(new))
    assert len(lines(out)) == 2
    assert known(loaded(out), new) == new.clip


def test_entries_of_other_inputs_stay(out, measured):
    first, second = measured("a.wav"), measured("b.wav", b"second")
    journal = opened(out)
    journal.add(first)
    journal.finish(roster(first))
    journal = loaded(out)
    journal.add(second)
    journal.finish(roster(second))
    again = loaded(out)
    assert known(again, first) == first.clip
    assert again.last_run("1")[1] == [second.clip]


def test_the_last_run_comes_back_in_its_order_under_its_own_ids(out, measured):
    first, second = measured("a.wav"), measured("b.wav", b"second")
    journal = opened(out)
    for entry in (first, second):
        journal.add(entry)
    renamed = [replace(e.clip.source, id=f"in/{e.clip.source.id}") for e in (second, first)]
    journal.finish(replace(roster(), sources=tuple(renamed)))
    found, clips = loaded(out).last_run("1")
    assert found.sources == tuple(renamed)
    assert [clip.source.id for clip in clips] == ["in/b.wav", "in/a.wav"]
    assert clips[0].readings == second.clip.readings


def test_a_run_that_was_begun_and_not_finished_is_told(out, measured):
    first = measured("a.wav")
    journal = opened(out)
    journal.add(first)
    with pytest.raises(RecordError, match="was not finished; run check again"):
        loaded(out).last_run("1")
    journal.finish(roster(first))
    loaded(out).last_run("1")
    journal = loaded(out)
    journal.add(measured("b.wav", b"second"))
    journal.close()
    with pytest.raises(RecordError, match="was not finished"):
        loaded(out).last_run("1")


def test_without_any_run_there_is_nothing_to_go_back_to(out):
    with pytest.raises(RecordError, match="holds no finished run; run check first"):
        loaded(out).last_run("1")


def test_a_run_of_another_version_is_told(out, measured):
    entry, journal = measured(), opened(out)
    journal.add(entry)
    journal.finish(roster(entry))
    with pytest.raises(RecordError, match="was made by voxgate 1, this is 2; run check again"):
        loaded(out).last_run("2")


def test_a_run_whose_clip_was_cut_out_of_the_journal_is_told(out, measured):
    entry, journal = measured(), opened(out)
    journal.add(entry)
    journal.finish(roster(entry))
    (out / "journal.jsonl").write_text(lines(out)[-1] + "\n")
    with pytest.raises(RecordError, match=r"lacks 'a\.wav'"):
        loaded(out).last_run("1")


def test_a_journal_that_cannot_be_written_is_told_and_can_be_closed(out, measured):
    (out / "journal.jsonl").symlink_to("/dev/full")
    journal = opened(out)
    with pytest.raises(OutputError, match="No space left on device"):
        journal.add(measured())
    journal.close()


def test_a_journal_that_cannot_be_read_is_told(out):
    (out / "journal.jsonl").mkdir()
    with pytest.raises(RecordError, match="cannot be read"):
        loaded(out)


@pytest.mark.parametrize("peaks", ["not base64", "AAAA"], ids=["no base64", "three bytes"])
def test_a_clip_whose_fingerprint_was_tampered_with_is_measured_again(out, measured, peaks):
    entry = measured()
    prints = Readings({Fingerprint: Fingerprint("AAAAAA==")})
    with_prints = replace(entry, clip=replace(entry.clip, readings=prints))
    journal = Journal(out)
    journal.add(with_prints)
    journal.close()
    for text, known in (("AAAAAA==", True), (peaks, False)):
        (out / "journal.jsonl").write_text((out / "journal.jsonl").read_text().replace("AAAAAA==", text))
        again = Journal(out)
        again.load()
        assert (again.known(entry.clip.source, entry.stamp, "m", "1") is not None) == known


def test_a_journal_in_which_nothing_changed_is_not_written_again(out, measured):
    entry = measured()
    roster = Roster("/", (entry.clip.source,), "m", "1", "p")
    journal = Journal(out)
    journal.add(entry)
    journal.finish(roster)
    before = (out / "journal.jsonl").stat().st_ino, (out / "journal.jsonl").read_bytes()
    for told, same in ((roster, True), (replace(roster, profile="q"), False)):
        again = Journal(out)
        again.load()
        assert again.known(entry.clip.source, entry.stamp, "m", "1") is not None
        again.finish(told)
        after = (out / "journal.jsonl").stat().st_ino, (out / "journal.jsonl").read_bytes()
        assert (after == before) == same


def test_a_file_that_is_again_what_it_was_before_it_was_changed_is_told_of_as_it_is_now(measured, out):
    first = measured(content=b"as it was")
    second = measured(content=b"otherwise")
    path = Path(first.clip.source.path)
    journal = opened(out)
    for entry in (first, second):
        journal.add(entry)
    path.write_bytes(b"as it was")
    journal = loaded(out)
    assert journal.known(first.clip.source, first.stamp, first.measuring, first.version) == first.clip
    journal.finish(Roster(str(path.parent), (first.clip.source,), "m", "1", "profile"))
    _, clips = loaded(out).last_run("1")
    assert [clip.sha256 for clip in clips] == [first.clip.sha256]
