"""Upload on the terminal: how far it is, what the gate let through on which terms, and what the dataset holds in the end."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from pipeline.delivery import Parcel, Passed
from pipeline.inventory import Inventory
from pipeline.remote import Dataset, Onlooker, Receipt, StoredFile
from pipeline.terminal import tell, terms
from pipeline.words import count, minutes, printable

PLAIN_EVERY_S = 10.0
MOST_SHOWN = 10


class Display:
    """Shows what is being done and how far that is, in bytes. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._what, self._total, self._done = "", 0, 0
        self._spoke = time.monotonic()
        self.onlooker = Onlooker(self._unheard(self._begin), self._unheard(self._advance), self._unheard(self._say))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _unheard(self, tell: Callable[..., None]) -> Callable[..., None]:
        """The same, but that nobody can read it stops nothing."""

        def told(*words: Any) -> None:
            try:
                tell(*words)
            except (OSError, SystemExit):  # rich leaves at a broken pipe
                self._console.quiet = True

        return told

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _begin(self, what: str, bytes_: int) -> None:
        self._stop()
        self._what, self._total, self._done = what, bytes_, 0
        if not self._console.is_terminal:
            self._say(f"{what} {_size(bytes_)}")
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, expand=True)
        self._task = self._bar.add_task(what, total=max(bytes_, 1))
        self._bar.start()

    def _advance(self, bytes_: int) -> None:
        self._done += bytes_
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif time.monotonic() - self._spoke >= PLAIN_EVERY_S:
            self._spoke = time.monotonic()
            self._say(f"{self._what} {_size(self._done)} of {_size(self._total)}")

    def _say(self, told: str) -> None:
        self._console.print(told, highlight=False, markup=False)


def show_passed(passed: Passed, parcel: Parcel, console: Console) -> None:
    """What would be sent."""
    for told in terms(passed.not_examined, passed.relaxed):
        tell(console, told, "yellow")
    for each in passed.cleared:
        tell(console, f"{each.name}  {_size(each.bytes)}  {printable(each.ids[0])}")
    length_s = sum(each.decoded_s for each in passed.cleared)
    size = _size(sum(each.bytes for each in passed.cleared))
    summary = f"the gate lets {count(len(passed.cleared), 'file')} through to {parcel.to}, {minutes(length_s)} minutes, {size}"
    tell(console, f"{summary}; nothing was sent", "green")


def show_receipt(receipt: Receipt, out: Path, console: Console) -> None:
    """What the dataset holds now."""
    dataset = receipt.dataset
    for told in terms(receipt.not_examined, receipt.relaxed):
        tell(console, told, "yellow")
    length_s = sum(each.cleared.decoded_s for each in receipt.delivered)
    _foreign(receipt.foreign, console)
    before = len(receipt.delivered) - receipt.sent
    news = f"{receipt.sent} sent" if before <= 0 else f"{receipt.sent} sent, {before} there before"
    tell(
        console,
        f"{count(len(receipt.delivered), 'file')}, {minutes(length_s)} minutes, in the dataset {printable(dataset.name)}"
        f" ({printable(dataset.id)}): {news}",
        "green",
    )
    tell(console, f"receipt: {out / f'receipt-{receipt.provider}.json'}")


def show_difference(dataset: Dataset, inventory: Inventory, console: Console) -> None:
    """What a dataset lacks of a manifest, and what it holds beside it: a line each, for programs too."""
    for name in inventory.missing:
        tell(console, f"missing  {name}")
    for file in inventory.damaged:
        tell(console, f"damaged  {printable(file.name)}  {file.id}  {file.bytes} bytes")
    for copies in inventory.doubles.values():
        for file in copies:
            tell(console, f"double   {printable(file.name)}  {file.id}")
    for file in inventory.foreign:
        tell(console, f"foreign  {printable(file.name)}  {file.id}")
    there = len(inventory.wanted) - len(inventory.missing)
    tell(
        console,
        f"{there} of {count(len(inventory.wanted), 'file')} in {printable(dataset.name)} ({printable(dataset.id)})",
    )


def _foreign(files: Iterable[StoredFile], console: Console) -> None:
    listed = list(files)
    for file in listed[:MOST_SHOWN]:
        tell(console, f"not of this manifest: {printable(file.name)} ({printable(file.id)})", "yellow")
    if len(listed) > MOST_SHOWN:
        tell(console, f"and {len(listed) - MOST_SHOWN} more that are not of this manifest", "yellow")


def _size(bytes_: int) -> str:
    return f"{bytes_ / 1e6:.1f} MB"
