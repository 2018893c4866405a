"""The exit statuses of the command line, and the one place where exceptions and verdicts become one of them."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn

import typer

from pipeline.errors import NotExamined, OutputError, ProviderError, Refused, VoxgateError

if TYPE_CHECKING:  # the records bring numpy along, and --help must not wait for it
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.outcome import Report


class Exit(IntEnum):
    """What a script learns from `$?`."""

    DONE = 0  # approved, or done
    REFUSED = 1  # not approved, or the gate refused
    USAGE = 2  # wrong use or configuration, an empty folder too
    NOT_EXAMINED = 3  # something could not be examined, which is our failure and wins over REFUSED
    PROVIDER = 4  # the provider or the network failed; run again
    INTERRUPTED = 130


def status_of(report: Report) -> Exit:
    """The status that a run leads to."""
    if report.faults or report.verdict == "undecided":
        return Exit.NOT_EXAMINED
    return Exit.DONE if report.verdict == "approved" else Exit.REFUSED


def conclude(reports: Sequence[Report], show: Callable[[], None]) -> NoReturn:
    """Show reports and leave with the gravest status, also when nobody reads the end of what is shown. Raises typer.Exit."""
    told(show)
    raise typer.Exit(max(status_of(report) for report in reports))


def told(show: Callable[[], None]) -> None:
    """Show what is done already; that nobody can read it changes nothing about it."""
    try:
        show()
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except (OSError, SystemExit):  # rich leaves at a broken pipe by itself, with a status of its own
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until the process ends


@contextmanager
def guarded() -> Iterator[None]:
    """Run a verb; what it raises is told on stderr in a sentence and becomes an exit status."""
    try:
        yield
    except (OutputError, NotExamined) as error:
        raise _left(str(error), Exit.NOT_EXAMINED) from error
    except Refused as error:
        raise _left(str(error), Exit.REFUSED) from error
    except ProviderError as error:
        raise _left(str(error), Exit.PROVIDER) from error
    except VoxgateError as error:
        raise _left(str(error), Exit.USAGE) from error
    except BrokenPipeError:
        _write_no_more()
        raise typer.Exit(Exit.DONE) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _write_no_more()
        told = f"what was to be shown cannot be written ({error.strerror}); make room and run it again"
        raise _left(told, Exit.NOT_EXAMINED) from None
    except KeyboardInterrupt:
        told = "interrupted; what was done is written down, the same command goes on from there"
        raise _left(told, Exit.INTERRUPTED) from None


def _write_no_more() -> None:
    """Lest the interpreter tries again at its end, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _left(told: str, status: Exit) -> typer.Exit:
    print(f"voxgate: {told}", file=sys.stderr)  # noqa: T201 - a command line speaks through stderr
    return typer.Exit(status)
