"""voxgate diff: what changed from one run to another."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.exits import guarded


def diff(
    before: Annotated[Path, typer.Argument(metavar="OUT1", help="The folder of the earlier check.")],
    after: Annotated[Path, typer.Argument(metavar="OUT2", help="The folder of the later one.")],
) -> None:
    """Say which clips came, went or changed their verdict from one run to another, and which findings; exit 0."""
    with guarded():
        from pipeline.stages import compare, export

        lines = list(compare.differences(export.document(before), export.document(after)))
        for line in lines or ["nothing changed"]:
            typer.echo(line)
