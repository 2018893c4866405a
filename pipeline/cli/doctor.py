"""voxgate doctor: whether this machine has what a check needs."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.exits import Exit, guarded


def doctor(
    out: Annotated[Path, typer.Option("--out", "-o", help="Where results would go.", show_default="here")] = Path(),
) -> None:
    """Look for libraries, decoders, models and room: exit 0 when all is there, 3 when something is missing."""
    with guarded():
        from pipeline.doctor import examine

        symptoms = list(examine(out))
        for symptom in symptoms:
            typer.echo(f"{'ok     ' if symptom.well else 'MISSING'} {symptom.name:18} {symptom.told}")
        if not all(symptom.well for symptom in symptoms):
            raise typer.Exit(Exit.NOT_EXAMINED)
