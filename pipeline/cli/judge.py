"""voxgate judge: decide again from the journal, with other limits and without decoding."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.exits import conclude, guarded


def judge(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of an earlier check.")],
    profile: Annotated[str | None, typer.Option(help="Another profile.", show_default="the run's own")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a limit.")] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="AUDIO", help="A recording of the wanted voice.", show_default="the run's own")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Any warning or rejected file rejects the set.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit status tells.")] = False,
) -> None:
    """Decide again from OUT's journal, without decoding; exit statuses as for check."""
    with guarded():
        from rich.console import Console

        from pipeline import run
        from pipeline.terminal import summary

        report = run.judge(out, profile, tuple(overrides or ()), reference=reference, strict=strict)
        conclude([report], lambda: summary.show(report, out, Console(quiet=quiet)))
