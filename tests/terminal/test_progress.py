"""What is told while a check runs: how far it is in the folder that it is in."""

import io

import pytest
from rich.console import Console

from pipeline.records import Clip, Source
from pipeline.terminal import progress


def sources(count):
    return [Source(f"{number}.wav", f"/nowhere/{number}.wav", 100) for number in range(count)]


def shown(monkeypatch, folders, *, terminal):
    """All that is written for folders of so many files, one after the other."""
    monkeypatch.setattr(progress, "PLAIN_EVERY_S", 0.0)
    written = io.StringIO()
    console = Console(file=written, force_terminal=terminal, width=100)
    with progress.Display(console) as display:
        for count in folders:
            display.watcher.begin(sources(count))
            for source in sources(count):
                display.watcher.finish(Clip(source))
    return written.getvalue()


def test_each_folder_is_counted_by_itself(monkeypatch):
    told = shown(monkeypatch, (3, 2), terminal=False).splitlines()
    assert [line.split(",")[0] for line in told] == [
        "checking 3 files",
        *(f"{done} of 3 files" for done in (1, 2, 3)),
        "checking 2 files",
        *(f"{done} of 2 files" for done in (1, 2)),
    ]


@pytest.mark.parametrize("folders", [(2,), (3, 2), (1, 1, 1)])
def test_on_a_terminal_there_is_one_line_that_is_gone_in_the_end(monkeypatch, folders):
    written = shown(monkeypatch, folders, terminal=True)
    assert "checking" in written
    assert written.count("\x1b[?25l") == written.count("\x1b[?25h") == len(folders), "the cursor comes back"
