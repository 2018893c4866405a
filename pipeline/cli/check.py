"""voxgate check: examine recordings and say whether they may be used."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.exits import conclude, guarded


def check(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Folders, files or quoted patterns.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the results go.")] = Path("voxgate-out"),
    profile: Annotated[
        str | None, typer.Option(help="A profile's name or a .toml file.", show_default="cartesia-pro")
    ] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a limit.")] = None,
    language: Annotated[str | None, typer.Option(help="The language spoken; goes into the manifest.")] = None,
    engine: Annotated[str, typer.Option(help="serial, or local: several processes.")] = "local",
    jobs: Annotated[int | None, typer.Option(min=1, help="Files at once.", show_default="all processors")] = None,
    speakers: Annotated[str, typer.Option(help="auto, or off: look for no other voices.")] = "auto",
    leave_out: Annotated[list[str] | None, typer.Option("--leave-out", metavar="ID", help="Leave a file out.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure everything again.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Any warning or rejected file rejects the set.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit status tells.")] = False,
) -> None:
    """Examine recordings: exit 0 approved, 1 not approved, 2 wrong use, 3 something could not be examined."""
    with guarded():
        from rich.console import Console

        from pipeline import config, run
        from pipeline.terminal import progress, summary

        request = run.Request(
            inputs=tuple(inputs),
            out=out,
            profile=profile or config.DEFAULT_PROFILE,
            overrides=tuple(overrides or ()),
            leave_out=frozenset(leave_out or ()),
            switched_off=run.without_speakers(speakers),
            language=language,
            engine=engine,
            jobs=jobs if jobs is not None else run.default_jobs(),
            fresh=fresh,
            strict=strict,
        )
        with progress.Display(Console(stderr=True, quiet=quiet)) as display:
            report = run.check(request, display.watcher)
        conclude(report, lambda: summary.show(report, out, Console(quiet=quiet)))
