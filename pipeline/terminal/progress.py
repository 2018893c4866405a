"""Progress on stderr: a live line on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pipeline.readings import Container
from pipeline.records import Clip, Source
from pipeline.run import Watcher
from pipeline.words import clock, count, printable

PLAIN_EVERY_S = 10.0


class Display:
    """Shows how far a check is, one folder after the other: files, audio, speed in multiples of real time, time left. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._begin_anew(())
        self.watcher = Watcher(self._begin, self._finish)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _begin_anew(self, sources: Sequence[Source]) -> None:
        self._task = TaskID(0)
        self._total, self._total_bytes = len(sources), sum(source.bytes for source in sources)
        self._done = self._done_bytes = 0
        self._audio_s = 0.0
        self._began = self._spoke = time.monotonic()

    def _begin(self, sources: Sequence[Source]) -> None:
        self._stop()  # of the folder before
        self._begin_anew(sources)
        if not self._console.is_terminal:
            self._console.print(f"checking {count(self._total, 'file')}", highlight=False)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True, expand=True)
        self._task = self._bar.add_task("checking", total=max(self._total_bytes, 1), told="")
        self._bar.start()

    def _finish(self, clip: Clip) -> None:
        self._done += 1
        self._done_bytes += clip.source.bytes
        self._audio_s += (clip.readings.get(Container) or Container()).decoded_s or 0.0
        if self._bar is not None:
            name = printable(clip.source.id)
            self._bar.update(self._task, completed=self._done_bytes, told=self._told(), description=name[-32:])
        elif time.monotonic() - self._spoke >= PLAIN_EVERY_S:
            self._spoke = time.monotonic()
            self._console.print(self._told(), highlight=False)

    def _told(self) -> str:
        speed = self._audio_s / max(time.monotonic() - self._began, 1e-6)
        return f"{self._done} of {count(self._total, 'file')}, {clock(self._audio_s)} of audio, {speed:.0f} x real time"
