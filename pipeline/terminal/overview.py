"""The overview on the terminal: a line for each folder that was checked as a voice of its own."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.each_folder import NAME, Voice
from pipeline.outcome import totals
from pipeline.terminal import STYLES
from pipeline.words import clock, printable


def show(voices: Sequence[Voice], loose: Sequence[str], out: Path, console: Console) -> None:
    """A table of verdicts, minutes and reports; and what is not in it, which is the `loose` recordings in no folder."""
    table = Table(box=None, pad_edge=False)
    for heading in ("folder", "verdict", "files", "approved", "report"):
        table.add_column(heading, overflow="fold")
    for voice in voices:
        table.add_row(*_cells(voice))
    console.print()
    console.print(table)
    for told, names in (
        ("no reference is called as", [voice.name for voice in voices if voice.unreferenced]),
        ("passed over, for it is in no voice's folder:", loose),
    ):
        if names:
            text = f"\n{told} {', '.join(map(printable, names))}"
            console.print(text, soft_wrap=True, highlight=False, markup=False)
    console.print(f"\noverview  {printable(str(out / NAME))}", soft_wrap=True, highlight=False)


def _cells(voice: Voice) -> tuple[Text, ...]:
    name = Text(printable(voice.name))
    if voice.report is None:
        return name, Text("no audio", style="dim"), *(Text("–"),) * 3
    verdict, sums = voice.report.verdict, totals(voice.report)
    report = Text(printable(str(voice.out / "report.html")))
    return (
        name,
        Text(str(verdict), style=STYLES[verdict]),
        Text(str(sums["clips"])),
        Text(clock(sums["approved_s"])),
        report,
    )
