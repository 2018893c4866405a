"""The command line: one file a verb, gathered here."""

import gc
import io
import sys

import typer

from pipeline import threads
from pipeline.cli import check, datasets, diff, doctor, explain, export, judge, train, upload
from pipeline.cli import list as listing

SELDOM = (100_000, 50, 100)
"""When garbage is looked for. A run over thousands of clips makes very many records that all live until its end, and are not
looked through again and again; what refers to itself is rare here and small."""

app = typer.Typer(
    name="voxgate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("check")(check.check)
app.command("judge")(judge.judge)
app.command("diff")(diff.diff)
app.command("export")(export.export)
app.command("upload")(upload.upload)
app.command("train")(train.train)
app.command("status")(train.status)
app.command("voices")(train.voices)
app.add_typer(datasets.app, name="datasets")
app.command("explain")(explain.explain)
app.command("list")(listing.show)
app.command("doctor")(doctor.doctor)


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version and leave.")) -> None:
    """Check a folder of recordings before a voice is cloned from it."""
    if version:
        from pipeline import __version__

        typer.echo(f"voxgate {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; the process ends with the status that the contract gives it."""
    threads.limit()  # before numpy is loaded
    for stream in (sys.stdout, sys.stderr):  # a terminal without Unicode still gets every file name
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    gc.set_threshold(*SELDOM)
    app(prog_name="voxgate")
