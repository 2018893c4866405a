"""Export a run for other tools: a table or labels of everything, or a list of the approved clips for training.

Everything is taken from what the run wrote; no audio is opened.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import RecordError, Refused
from pipeline.selection import Selection
from pipeline.storage.files import make_folder, write_atomic

REPORT, MANIFEST = "report.json", "manifest.json"
PLAIN_TEXT = (".txt", ".lab")
"""Transcripts that are nothing but text; subtitles would have to be parsed."""

LONGEST_TEXT_BYTES = 1 << 20


def document(out: Path, name: str = REPORT) -> dict[str, Any]:
    """A document of that name that a run wrote into `out`, with all that its schema requires. Raises RecordError."""
    path = out / name
    try:
        made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read; run check with -o {out} first") from error
    schema = _schema(name)
    if not isinstance(made, dict) or made.get("schema") != schema["$id"] or not made.keys() >= set(schema["required"]):
        raise RecordError(f"{path} is no {Path(name).stem} of this voxgate's; run check with -o {out} first")
    return made


@cache
def _schema(name: str) -> dict[str, Any]:
    path = Path(__file__).parents[1] / "schemas" / f"{Path(name).stem}-1.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def selected(out: Path, *, approved: bool) -> Selection:
    """All clips of a run, or those that its manifest approves. Raises RecordError, and Refused when nothing is approved."""
    report = document(out)
    if not approved:
        return Selection(report["root"], tuple(report["clips"]))
    if report["verdict"] != "approved":
        raise Refused(f"the set in {out} is {report['verdict']}; only an approved one is written for training")
    manifest = document(out, MANIFEST)
    ids = {clip["id"] for clip in manifest["clips"]}
    clips = tuple(clip for clip in report["clips"] if clip["id"] in ids)
    texts = {clip["id"]: text for clip in clips if (text := _transcript(clip)) is not None}
    return Selection(report["root"], clips, texts, manifest["language"])


def write(files: Callable[[Selection], Iterator[tuple[str, str]]], selection: Selection, folder: Path) -> list[Path]:
    """Write an export's files into `folder`, and say which. Raises OutputError."""
    written = []
    for name, text in files(selection):
        path = folder / name
        make_folder(path.parent)
        write_atomic(path, text)
        written.append(path)
    return written


def _transcript(clip: dict[str, Any]) -> str | None:
    if clip["transcript"] is None:
        return None
    path = Path(clip["path"]).parent / clip["transcript"]
    if path.suffix.lower() not in PLAIN_TEXT:
        return None
    try:
        if path.stat().st_size > LONGEST_TEXT_BYTES:
            return None
        return " ".join(path.read_text(encoding="utf-8-sig").split()) or None
    except (OSError, UnicodeDecodeError):
        return None
