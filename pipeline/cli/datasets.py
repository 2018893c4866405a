"""voxgate datasets: what lies at a provider, and how that differs from a manifest."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.exits import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.remote import Dataset, Provider

app = typer.Typer(no_args_is_help=True, help="List, make, change and compare datasets; remove only with --yes.")

To = Annotated[str, typer.Option("--to", metavar="PROVIDER", help="Whose datasets.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A dataset's id; a folder's path.")]
Yes = Annotated[bool, typer.Option("--yes", help="Really do it.")]


@app.command("list")
def list_(to: To = "cartesia") -> None:
    """All datasets of the account: id, name, description."""
    with guarded(), _provider(to) as provider:
        for dataset in provider.datasets():
            typer.echo(_told(dataset))


@app.command()
def show(id_: Id, to: To = "cartesia") -> None:
    """The files of a dataset: id, bytes, name."""
    with guarded(), _provider(to) as provider:
        from pipeline.stages import datasets
        from pipeline.words import printable

        for file in provider.files(datasets.existing(provider, id_).id):
            typer.echo(f"{file.id}  {file.bytes:>12}  {printable(file.name)}")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    to: To = "cartesia",
    description: Annotated[str, typer.Option(help="What is in it.")] = "made by voxgate",
) -> None:
    """Make an empty dataset and print its id."""
    with guarded(), _provider(to) as provider:
        typer.echo(provider.create_dataset(provider.named(name), description).id)


@app.command()
def update(
    id_: Id,
    to: To = "cartesia",
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    description: Annotated[str | None, typer.Option(help="Another description.")] = None,
) -> None:
    """Rename a dataset or describe it otherwise."""
    with guarded(), _provider(to) as provider:
        from dataclasses import replace

        from pipeline.errors import UsageError
        from pipeline.stages import datasets

        given = {key: value for key, value in (("name", name), ("description", description)) if value is not None}
        if not given:
            raise UsageError("say what is to change: --name or --description")
        changed = replace(datasets.existing(provider, id_), **given)
        provider.change_dataset(changed)
        typer.echo(_told(changed))


@app.command()
def delete(id_: Id, to: To = "cartesia", yes: Yes = False) -> None:
    """Delete a dataset with all that is in it."""
    with guarded(), _provider(to) as provider:
        from pipeline.stages import datasets

        dataset = datasets.existing(provider, id_)
        _insist(yes, f"the dataset {_told(dataset)} and the {len(list(provider.files(id_)))} files in it")
        provider.delete_dataset(id_)
        typer.echo(f"deleted {dataset.id}")


@app.command()
def remove(
    id_: Id,
    files: Annotated[list[str], typer.Argument(metavar="FILE_ID...", help="As `datasets show` lists them.")],
    to: To = "cartesia",
    yes: Yes = False,
) -> None:
    """Take files out of a dataset."""
    with guarded(), _provider(to) as provider:
        from pipeline.errors import UsageError
        from pipeline.stages import datasets

        there = {file.id: file for file in provider.files(datasets.existing(provider, id_).id)}
        unknown = next((file for file in files if file not in there), None)
        if unknown is not None:
            raise UsageError(f"there is no file {unknown} in {id_}; `voxgate datasets show {id_}` lists them")
        _insist(yes, ", ".join(f"{there[file].name} ({file})" for file in files))
        for file in files:
            provider.delete_file(id_, file)
            typer.echo(f"removed {file}")


@app.command()
def diff(
    manifest: Annotated[Path, typer.Argument(metavar="OUT/manifest.json")],
    to: To = "cartesia",
    name: Annotated[str | None, typer.Option(metavar="N", help="The dataset that was begun here by that name.")] = None,
    dataset: Annotated[str | None, typer.Option(metavar="ID", help="Another one.", show_default="the last")] = None,
) -> None:
    """What a dataset lacks of a manifest and holds beside it: exit 0 when nothing, 1 when something."""
    with guarded():
        from rich.console import Console

        from pipeline import delivery
        from pipeline.exits import Exit
        from pipeline.terminal import delivered

        found, inventory = delivery.difference(delivery.Parcel(manifest, to, name, dataset), delivery.Means())
        delivered.show_difference(found, inventory, Console())
        if not inventory.exact:
            raise typer.Exit(Exit.REFUSED)


@contextmanager
def _provider(to: str) -> "Iterator[Provider]":
    import os
    from contextlib import closing

    from pipeline import providers
    from pipeline.patience import Patience

    with closing(providers.provider(to, os.environ, Patience())) as provider:
        yield provider


def _told(dataset: "Dataset") -> str:
    from pipeline.words import printable

    return f"{printable(dataset.id)}  {printable(dataset.name)}  {printable(dataset.description)}"


def _insist(yes: bool, what: str) -> None:
    if not yes:
        from pipeline.errors import UsageError

        raise UsageError(f"this removes {what}; add --yes if that is meant")
