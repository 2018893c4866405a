"""What is found under folders, files and patterns, under which ids, and what is passed over and said so."""

import os
import socket
from pathlib import Path

import pytest

from pipeline.errors import NothingToCheck, UsageError
from pipeline.stages import find as find_stage
from pipeline.stages.find import find


@pytest.fixture
def tree(tmp_path):
    """`tree(*paths)` makes files under tmp_path/rec; the folder comes back."""

    def make(*paths, content=b"x"):
        root = tmp_path / "rec"
        root.mkdir(exist_ok=True)
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return root

    return make


@pytest.fixture
def look(tmp_path):
    """`look(*inputs)`: what is found under them, with OUT beside."""
    return lambda *inputs, out=tmp_path / "out": find([str(i) for i in inputs], out)


def ids(found):
    return [source.id for source in found.sources]


def test_ids_are_paths_relative_to_the_folder(tree, look):
    assert ids(look(tree("b.mp3", "sub/deep/a.wav", "a.flac"))) == ["a.flac", "b.mp3", "sub/deep/a.wav"]


def test_a_source_knows_where_it_lies_and_how_long_it_is(tree, look):
    root = tree("sub/a.wav", content=b"12345")
    (source,) = look(root).sources
    assert (source.path, source.bytes) == (str(root / "sub/a.wav"), 5)


def test_a_relative_input_gives_absolute_paths(tree, look, monkeypatch):
    root = tree("sub/a.wav")
    monkeypatch.chdir(root / "sub")
    for given in (".", "../sub", "a.wav", "../sub/a.wav"):
        found = look(given)
        assert (ids(found), found.sources[0].path) == (["a.wav"], str(root / "sub/a.wav"))


def test_the_root_is_the_folder_that_all_inputs_lie_in(tree, look, tmp_path):
    root = tree("a/x.wav", "b/y.wav")
    assert look(root).root == str(root)
    assert look(root / "a", root / "b").root == str(root)
    assert look(root / "a/x.wav").root == str(root / "a")
    assert look(root / "a/x.wav", root / "b").root == str(root)
    assert look(f"{root}/*/*.wav").root == str(root)
    assert look(root, root / "b").root == str(tmp_path)


def test_names_that_differ_in_their_extension_alone_stay_two(tree, look):
    assert ids(look(tree("take1.wav", "take1.mp3"))) == ["take1.mp3", "take1.wav"]


@pytest.mark.parametrize("pattern", ["*.wav", "**/*.wav", "sub/?.wav", "**"])
def test_ids_of_a_pattern_are_relative_to_the_folder_before_its_first_wildcard(tree, look, pattern):
    root = tree("a.wav", "sub/b.wav", "sub/deep/c.wav", ".hidden/d.wav")
    wanted = {
        "*.wav": ["a.wav"],
        "**/*.wav": ["a.wav", "sub/b.wav", "sub/deep/c.wav"],
        "sub/?.wav": ["b.wav"],
        "**": ["a.wav", "sub/b.wav", "sub/deep/c.wav"],
    }
    assert ids(look(f"{root}/{pattern}")) == wanted[pattern]


def test_a_pattern_may_match_folders(tree, look):
    root = tree("voice1/a.wav", "voice2/a.wav", "other/a.wav")
    assert ids(look(f"{root}/voice*")) == ["voice1/a.wav", "voice2/a.wav"]


def test_a_name_with_brackets_is_a_name_first(tree, look):
    root = tree("take[1].wav", "take1.wav")
    assert ids(look(root / "take[1].wav")) == ["take[1].wav"]


def test_a_pattern_in_a_folder_with_brackets_is_resolved(tree, look, monkeypatch):
    root = tree("[old]/a.wav")
    monkeypatch.chdir(root / "[old]")
    assert ids(look("*.wav")) == ["a.wav"]


def test_a_pattern_that_matches_nothing_is_wrong_use(tree, look):
    with pytest.raises(UsageError, match=r"there is no .*\*\.ogg"):
        look(f"{tree('a.wav')}/*.ogg")


def test_several_inputs_lend_their_names_to_the_ids(tree, look):
    root = tree("a/x.wav", "b/x.wav", "c/single.wav", "c/other.wav")
    assert ids(look(root / "a", root / "b", root / "c/single.wav")) == ["a/x.wav", "b/x.wav", "single.wav"]
    assert ids(look(f"{root}/a/*.wav", root / "b")) == ["a/x.wav", "b/x.wav"]


def test_inputs_of_one_name_are_numbered(tree, look):
    root = tree("one/takes/x.wav", "two/takes/x.wav", "three/takes/x.wav")
    given = [root / number / "takes" for number in ("one", "two", "three")]
    assert ids(look(*given)) == ["takes-2/x.wav", "takes-3/x.wav", "takes/x.wav"]


def test_a_numbered_name_makes_way_for_one_that_is_called_so(tree, look):
    root = tree("one/takes/x.wav", "two/takes/x.wav", "takes-2/x.wav")
    assert ids(look(root / "takes-2", root / "one/takes", root / "two/takes")) == [
        "takes-2/x.wav",
        "takes-3/x.wav",
        "takes/x.wav",
    ]


def test_single_files_of_one_name_from_two_folders_stay_two(tree, look):
    root = tree("one/x.wav", "two/x.wav")
    found = look(root / "one/x.wav", root / "two/x.wav")
    assert ids(found) == ["x.wav", "x.wav-2"]
    assert {s.path for s in found.sources} == {str(root / "one/x.wav"), str(root / "two/x.wav")}


def test_files_named_one_by_one_have_the_ids_of_a_pattern(tree, look):
    root = tree("a.wav", "b.wav")
    assert ids(look(root / "a.wav", root / "b.wav")) == ids(look(f"{root}/*.wav")) == ["a.wav", "b.wav"]


def test_the_same_input_twice_is_one_input(tree, look, monkeypatch):
    root = tree("sub/x.wav")
    monkeypatch.chdir(root)
    assert ids(look("sub", root / "sub", "sub/", "../rec/sub")) == ["x.wav"]


@pytest.mark.parametrize("order", [("a", "a/b"), ("a/b", "a"), ("a", "a/b/x.wav"), ("a/b/x.wav", "a"), ("a", "a/b/*")])
def test_overlapping_inputs_give_no_clip_twice(tree, look, order):
    root = tree("a/b/x.wav", "a/y.wav")
    paths = [source.path for source in look(*(root / part for part in order)).sources]
    assert sorted(paths) == [str(root / "a/b/x.wav"), str(root / "a/y.wav")]


def test_hidden_files_and_folders_are_passed_over_in_silence(tree, look):
    found = look(tree("a.wav", ".b.wav", ".git/c.wav", "._a.wav"))
    assert (ids(found), found.skipped) == (["a.wav"], ())


def test_a_hidden_folder_that_is_named_is_searched(tree, look):
    assert ids(look(tree(".takes/a.wav") / ".takes")) == ["a.wav"]


def test_what_is_no_audio_is_listed_as_skipped(tree, look):
    found = look(tree("a.wav", "notes.pdf", "sub/cover.jpg"))
    assert (ids(found), found.skipped) == (["a.wav"], ("notes.pdf", "sub/cover.jpg"))


def test_content_makes_a_clip_where_the_name_does_not(tree, look):
    found = look(tree("a", "b.dat", content=b"fLaC" + bytes(100)))
    assert ids(found) == ["a", "b.dat"]


def test_an_audio_name_makes_a_clip_whatever_it_holds(tree, look):
    assert ids(look(tree("a.WAV", "b.Mp3", content=b"no audio at all"))) == ["a.WAV", "b.Mp3"]


def test_out_is_not_searched(tree, look):
    root = tree("a.wav", "results/journal.jsonl", "results/report.json", "results/b.txt")
    found = look(root, out=root / "results")
    assert (ids(found), found.skipped) == (["a.wav"], ())


def test_results_of_an_earlier_or_interrupted_run_are_not_searched(tree, look):
    root = tree("a.wav", "old/manifest.json")
    (root / "old/journal.jsonl").write_text('{"schema": "voxgate.journal/1", "measuring"')
    found = look(root)
    assert (ids(found), found.skipped) == (["a.wav"], ())


def test_recordings_inside_earlier_results_are_passed_over_aloud(tree, look):
    root = tree("a.wav", "clean/b.wav")
    (root / "clean/journal.jsonl").write_text('{"schema": "voxgate.journal/1"}')
    found = look(root)
    assert (ids(found), found.skipped) == (["a.wav"], ("clean/",))
    assert ids(look(root / "clean")) == ["b.wav"]


def test_a_journal_of_another_program_hides_nothing(tree, look):
    root = tree("sub/a.wav")
    (root / "sub/journal.jsonl").write_text('{"today": "rain"}')
    found = look(root)
    assert (ids(found), found.skipped) == (["sub/a.wav"], ("sub/journal.jsonl",))


def test_results_may_go_beside_the_recordings(tree, look):
    root = tree("a.wav", "journal.jsonl", "report.json", "report.html", "manifest.json")
    found = look(root, out=root)
    assert (ids(found), found.skipped) == (["a.wav"], ())


def test_links_that_lead_in_a_circle_end(tree, look):
    root = tree("sub/a.wav")
    (root / "sub/loop").symlink_to(root, target_is_directory=True)
    (root / "sub/self").symlink_to("self")
    assert ids(look(root)) == ["sub/a.wav"]


def test_a_folder_that_two_links_lead_to_is_searched_once(tree, look):
    root = tree("real/a.wav")
    (root / "link").symlink_to(root / "real", target_is_directory=True)
    assert len(look(root).sources) == 1


def test_a_link_to_a_recording_is_a_clip(tree, look, tmp_path):
    root = tree("a.wav", content=b"12345")
    (root / "b.wav").symlink_to(root / "a.wav")
    assert [(s.id, s.bytes) for s in look(root).sources] == [("a.wav", 5), ("b.wav", 5)]


def test_a_link_that_leads_nowhere_counts_by_its_name(tree, look, tmp_path):
    root = tree()
    (root / "lost.wav").symlink_to(tmp_path / "gone.wav")
    (root / "lost.pdf").symlink_to(tmp_path / "gone.pdf")
    for found in (look(root), look(f"{root}/*")):
        assert (ids(found), found.sources[0].bytes, found.skipped) == (["lost.wav"], 0, ("lost.pdf",))
    assert ids(look(root / "lost.wav")) == ["lost.wav"]


def test_pipes_devices_and_sockets_are_never_opened(tree, look, tmp_path, monkeypatch):
    root = tree("a.wav")
    os.mkfifo(root / "pipe.wav")
    os.mkfifo(root / "take1.txt")
    (root / "zero.wav").symlink_to("/dev/zero")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.wav")
        found = look(root)
    assert (ids(found), found.skipped) == (["a.wav"], ("pipe.wav", "socket.wav", "take1.txt", "zero.wav"))
    with pytest.raises(NothingToCheck):
        look(root / "pipe.wav")


def test_a_folder_that_cannot_be_read_is_named(tree, look, monkeypatch):
    root = tree("a.wav", "locked/b.wav")
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(find_stage.os, "scandir", refusing)
    found = look(root)
    assert (ids(found), found.skipped) == (["a.wav"], ("locked/",))
    with pytest.raises(UsageError, match="locked cannot be read"):
        look(root / "locked")


def test_a_file_without_an_audio_name_that_cannot_be_read_is_skipped(tree, look, monkeypatch):
    root = tree("a.wav", "secret")

    def refusing(file):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(find_stage.formats, "sniff", refusing)
    assert look(root).skipped == ("secret",)


@pytest.mark.parametrize(
    "name",
    [
        b"with space.wav",
        "Grüße – 日本語 🎙.wav".encode(),
        b"new\nline\ttab.wav",
        b"n" * 251 + b".wav",
        b"latin1-\xe9\xff.wav",
        b"-dash.wav",
        b"quote'\".wav",
        b"back\\slash.wav",
    ],
)
def test_odd_names_are_kept_as_they_are(tree, look, name):
    root = tree()
    Path(os.fsdecode(os.fsencode(root) + b"/" + name)).write_bytes(b"x")
    (source,) = look(root).sources
    assert os.fsencode(source.id) == name
    assert Path(source.path).stat().st_size == 1


def test_an_empty_folder_is_wrong_use(tree, look):
    with pytest.raises(NothingToCheck, match=r"no audio found under .*rec"):
        look(tree())


def test_a_folder_without_audio_is_wrong_use(tree, look):
    with pytest.raises(NothingToCheck):
        look(tree("readme.txt"))


def test_an_input_that_does_not_exist_is_wrong_use(look, tmp_path):
    with pytest.raises(UsageError, match=r"there is no .*nowhere"):
        look(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("files", "transcript"),
    [
        (["take1.txt"], "take1.txt"),
        (["take1.lab"], "take1.lab"),
        (["take1.srt"], "take1.srt"),
        (["take1.vtt"], "take1.vtt"),
        (["take1.wav.txt"], "take1.wav.txt"),
        (["TAKE1.TXT"], "TAKE1.TXT"),
        (["take1.vtt", "take1.txt", "take1.lab"], "take1.txt"),
        (["take1.txt", "take1.wav.vtt"], "take1.wav.vtt"),
        (["Take1.txt", "take1.txt"], "take1.txt"),
        (["take10.txt"], None),
        (["take1.pdf"], None),
    ],
)
def test_a_transcript_beside_a_clip_belongs_to_it(tree, look, files, transcript):
    found = look(tree("sub/take1.wav", *(f"sub/{name}" for name in files)))
    assert found.sources[0].transcript == transcript


def test_transcripts_are_not_listed_as_skipped(tree, look):
    found = look(tree("take1.wav", "take1.txt", "take1.lab", "take1.wav.srt", "readme.txt"))
    assert found.skipped == ("readme.txt",)


def test_two_clips_may_share_a_transcript(tree, look):
    found = look(tree("take1.wav", "take1.mp3", "take1.txt"))
    assert [s.transcript for s in found.sources] == ["take1.txt", "take1.txt"]


def test_a_transcript_in_another_folder_belongs_to_nobody(tree, look):
    found = look(tree("A/take1.wav", "a/take1.txt"))
    assert (found.sources[0].transcript, found.skipped) == (None, ("a/take1.txt",))


def test_a_clip_that_is_named_alone_has_its_transcript_all_the_same(tree, look):
    root = tree("take1.wav", "take1.txt", "take2.wav")
    assert look(root / "take1.wav").sources[0].transcript == "take1.txt"
    assert look(root / "take1.wav", root / "take2.wav").sources[0].transcript == "take1.txt"
    assert look(f"{root}/*.wav").sources[0].transcript == "take1.txt"


def test_a_folder_called_like_a_transcript_is_none(tree, look):
    assert look(tree("take1.wav", "take1.txt/deep.pdf")).sources[0].transcript is None
