"""What a person sees in the terminal: progress while a check runs, and the summary at its end."""

from collections.abc import Iterable, Iterator

from rich.console import Console

from pipeline.records import Absence, DatasetVerdict, Relaxed

STYLES = {
    DatasetVerdict.APPROVED: "bold green",
    DatasetVerdict.REJECTED: "bold red",
    DatasetVerdict.UNDECIDED: "bold yellow",
}


def tell(console: Console, text: str, style: str = "") -> None:
    """A line as it is: names of files are no markup, and a narrow terminal breaks it nowhere."""
    console.print(text, style=style or None, highlight=False, markup=False, soft_wrap=True)


def terms(not_examined: Iterable[Absence], relaxed: Iterable[Relaxed]) -> Iterator[str]:
    """What a set was approved without, or in spite of."""
    for absence in not_examined:
        yield f"not examined: {absence.subject} ({absence.why})"
    for limit in relaxed:
        yield f"relaxed: {limit.key} from {limit.default} to {limit.used}"
