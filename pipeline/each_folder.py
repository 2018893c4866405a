"""Check every folder under an input as a dataset of its own: an agency's voices, one folder each, and an overview of all."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import run
from pipeline.errors import NothingToCheck, UsageError
from pipeline.outcome import Report, totals
from pipeline.storage import codec
from pipeline.storage.files import make_folder, write_atomic
from pipeline.words import printable

SCHEMA = "voxgate.overview/1"
NAME = "overview.json"


@dataclass(frozen=True, slots=True)
class Voice:
    """One folder: its name, where its results are, and its report; `None` where it holds no recording."""

    name: str
    out: Path
    report: Report | None


def check(request: run.Request, watcher: run.Watcher | None = None) -> Iterator[Voice]:
    """The voices one after the other, results under OUT/NAME; after the last one OUT/overview.json is written.

    Raises UsageError for an input that is no folder or has none, NothingToCheck when no folder holds a recording.
    """
    if request.leave_out:
        raise UsageError(
            "--leave-out names a clip of one set, and --each-folder makes several; check that folder by itself"
        )
    seen: list[Voice] = []
    for folder, out in _folders(request):
        try:
            report = run.check(replace(request, inputs=(str(folder),), out=out), watcher)
        except NothingToCheck:
            seen.append(Voice(out.name, out, None))
        else:
            seen.append(Voice(out.name, out, report))
        yield seen[-1]
    if all(voice.report is None for voice in seen):
        raise NothingToCheck("no folder holds a recording; name the folder whose folders are the voices")
    overview = {"schema": SCHEMA, "folders": [_entry(voice) for voice in seen]}
    make_folder(request.out)
    write_atomic(request.out / NAME, codec.page(codec.rounded(overview)) + "\n")


def _folders(request: run.Request) -> Iterator[tuple[Path, Path]]:
    """Each folder with the one for its results; those of the same name under several inputs are numbered."""
    taken: dict[str, int] = {}
    own = request.out.resolve()
    for given in request.inputs:
        top = Path(given)
        try:
            inner = sorted(f for f in top.iterdir() if _is_voice(f, own))
        except OSError:
            inner = []
        if not inner:
            raise UsageError(f"--each-folder: {printable(given)} is no folder with folders in it that can be read")
        for folder in inner:
            taken[folder.name] = number = taken.get(folder.name, 0) + 1
            yield folder, request.out / (folder.name if number == 1 else f"{folder.name}-{number}")


def _is_voice(folder: Path, own: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(".") and folder.resolve() != own


def _entry(voice: Voice) -> dict[str, object]:
    if voice.report is None:
        return {"folder": voice.name, "verdict": None, "totals": None, "report": None}
    return {
        "folder": voice.name,
        "verdict": str(voice.report.verdict),
        "totals": totals(voice.report),
        "report": f"{voice.name}/report.json",
    }
