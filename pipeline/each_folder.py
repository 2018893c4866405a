"""Check every folder under an input as a dataset of its own: an agency's voices, one folder each, and an overview of all."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from pipeline import run
from pipeline.errors import NothingToCheck, UsageError
from pipeline.outcome import Report, totals
from pipeline.stages.find import is_clip
from pipeline.storage import codec
from pipeline.storage.files import make_folder, write_atomic
from pipeline.words import printable

SCHEMA = "voxgate.overview/1"
NAME = "overview.json"


@dataclass(frozen=True, slots=True)
class Voice:
    """One folder: its name, where its results are, and its report, `None` where it holds no recording.

    `unreferenced`: there is a folder of references, and none in it is called so.
    """

    name: str
    out: Path
    report: Report | None
    unreferenced: bool = False


def check(request: run.Request, watcher: run.Watcher | None = None) -> Iterator[Voice]:
    """The voices one after the other, results under OUT/NAME; after the last one OUT/overview.json is written.

    Raises UsageError for an input that is no folder or has none, and for two references of one voice, before any is checked;
    NothingToCheck when no folder holds a recording.
    """
    if request.leave_out:
        raise UsageError(
            "--leave-out names a clip of one set, and --each-folder makes several; check that folder by itself"
        )
    if request.reference is not None and not Path(request.reference).is_dir():
        raise UsageError(
            "--reference names one voice, and --each-folder makes several sets; name a folder that holds a recording of "
            "each, called as the voice's folder is"
        )
    seen: list[Voice] = []
    planned = [(folder, out, _reference(request, folder)) for folder, out in _folders(request)]
    for folder, out, reference in planned:
        try:
            report = run.check(replace(request, inputs=(str(folder),), out=out, reference=reference), watcher)
        except NothingToCheck:
            seen.append(Voice(out.name, out, None))
        else:
            seen.append(Voice(out.name, out, report, request.reference is not None and reference is None))
        yield seen[-1]
    if all(voice.report is None for voice in seen):
        raise NothingToCheck("no folder holds a recording; name the folder whose folders are the voices")
    overview = {"schema": SCHEMA, "folders": [_entry(voice) for voice in seen]}
    make_folder(request.out)
    write_atomic(request.out / NAME, codec.page(codec.rounded(overview)) + "\n")


def _folders(request: run.Request) -> Iterator[tuple[Path, Path]]:
    """Each folder with the one for its results; those of the same name under several inputs are numbered."""
    voices = list(_voices(request))
    names = {folder.name for folder in voices}
    taken: set[str] = set()
    for folder in voices:
        numbered = (f"{folder.name}-{number}" for number in count(2))
        name = folder.name if folder.name not in taken else next(n for n in numbered if n not in names | taken)
        taken.add(name)
        yield folder, request.out / name


def _voices(request: run.Request) -> Iterator[Path]:
    own = request.out.resolve()
    for given in request.inputs:
        top = Path(given)
        try:
            inner = sorted(f for f in top.iterdir() if _is_voice(f, own))
        except OSError:
            inner = []
        if not inner:
            raise UsageError(f"--each-folder: {printable(given)} is no folder with folders in it that can be read")
        yield from inner


def loose(request: run.Request) -> list[str]:
    """The paths of the recordings that lie beside the folders, in none of them."""
    return [str(path) for given in request.inputs for path in sorted(Path(given).iterdir()) if is_clip(path)]


def _reference(request: run.Request, folder: Path) -> str | None:
    """The file of the reference folder that is called as a voice's folder, `None` where there is none.

    Raises UsageError where there are several.
    """
    if request.reference is None:
        return None
    found = sorted(f for f in Path(request.reference).iterdir() if f.stem == folder.name and is_clip(f))
    if len(found) > 1:
        raise UsageError(f"--reference: there are {found[0].name} and {found[1].name} for one voice; leave one there")
    return str(found[0]) if found else None


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
