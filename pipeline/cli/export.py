"""voxgate export: a run as a table, as labels, or as a training list for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.exits import guarded


def export(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of a check.")],
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="csv, audacity, nemo, lhotse or hf.")],
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the files go.", show_default="OUT/export-FORMAT")
    ] = None,
) -> None:
    """Write a run for other tools; nemo, lhotse and hf list approved clips: exit 1 when the set is not approved."""
    with guarded():
        from pipeline import run

        written = run.export(out, to, out / f"export-{to}" if folder is None else folder)
        for path in written:
            typer.echo(path)
        if not written:
            typer.echo("voxgate: nothing to write, for no finding has a time in a recording", err=True)
