"""voxgate check: examine recordings and say whether they may be used."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import OUT
from pipeline.exits import conclude, guarded

if TYPE_CHECKING:
    from pipeline.run import Request


def check(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Folders, files or quoted patterns.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the results go.")] = Path(OUT),
    profile: Annotated[
        str | None, typer.Option(help="A profile's name or a .toml file.", show_default="cartesia-pro")
    ] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a limit.")] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="AUDIO", help="A recording of the wanted voice.", show_default="most of the set"),
    ] = None,
    language: Annotated[str | None, typer.Option(help="The language spoken; goes into the manifest.")] = None,
    engine: Annotated[str, typer.Option(help="serial, or local: several processes.")] = "local",
    jobs: Annotated[int | None, typer.Option(min=1, help="Files at once.", show_default="all processors")] = None,
    speakers: Annotated[str, typer.Option(help="auto, embedded, or off: look for no other voices.")] = "auto",
    leave_out: Annotated[list[str] | None, typer.Option("--leave-out", metavar="ID", help="Leave a file out.")] = None,
    each_folder: Annotated[
        bool, typer.Option("--each-folder", help="Every folder under INPUT is a voice of its own.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure everything again.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Any warning or rejected file rejects the set.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit status tells.")] = False,
) -> None:
    """Examine recordings: exit 0 approved, 1 not approved, 2 wrong use, 3 something could not be examined."""
    with guarded():
        from pipeline import config, run

        request = run.Request(
            inputs=tuple(inputs),
            out=out,
            profile=profile or config.DEFAULT_PROFILE,
            overrides=(*(overrides or ()), *run.speakers_override(speakers)),
            leave_out=frozenset(leave_out or ()),
            language=language,
            reference=reference,
            engine=engine,
            jobs=jobs if jobs is not None else run.default_jobs(),
            fresh=fresh,
            strict=strict,
        )
        (_each if each_folder else _all)(request, quiet)


def _all(request: "Request", quiet: bool) -> None:
    from rich.console import Console

    from pipeline import run
    from pipeline.terminal import progress, summary

    with progress.Display(Console(stderr=True, quiet=quiet)) as display:
        report = run.check(request, display.watcher)
    conclude([report], lambda: summary.show(report, request.out, Console(quiet=quiet)))


def _each(request: "Request", quiet: bool) -> None:
    from rich.console import Console

    from pipeline import each_folder
    from pipeline.terminal import overview, progress

    with progress.Display(Console(stderr=True, quiet=quiet)) as display:
        voices = list(each_folder.check(request, display.watcher))
    reports = [voice.report for voice in voices if voice.report is not None]
    conclude(reports, lambda: overview.show(voices, each_folder.loose(request), request.out, Console(quiet=quiet)))
