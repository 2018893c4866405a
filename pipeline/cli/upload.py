"""voxgate upload: bring what a manifest approves into a provider's dataset, once."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.exits import guarded, told


def upload(
    manifest: Annotated[Path, typer.Argument(metavar="OUT/manifest.json", help="The manifest of an approved set.")],
    to: Annotated[str, typer.Option("--to", metavar="PROVIDER", help="cartesia, or folder: copies them.")],
    name: Annotated[
        str | None, typer.Option(metavar="N", help="Make a dataset of that name, or go on with it; a folder's path.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(metavar="ID", help="Add to a dataset that exists.")] = None,
    consent: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Who agreed to what; goes into the receipt.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Go through the gate, and send nothing.")] = False,
    allow_unexamined: Annotated[
        bool, typer.Option("--allow-unexamined", help="Let pass what nobody has looked at.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit status tells.")] = False,
) -> None:
    """Upload what is approved, byte for byte: exit 0 all there, 1 the gate refused, 4 run again to go on."""
    with guarded():
        from rich.console import Console

        from pipeline import delivery
        from pipeline.terminal import delivered

        parcel = delivery.Parcel(manifest, to, name, dataset, consent, allow_unexamined)
        console = Console(quiet=quiet)
        with delivered.Display(Console(stderr=True, quiet=quiet)) as display:
            if dry_run:
                delivered.show_passed(delivery.inspect(parcel, display.onlooker), parcel, console)
                return
            receipt = delivery.upload(parcel, delivery.Means(onlooker=display.onlooker))
        told(lambda: delivered.show_receipt(receipt, parcel.out, console))
