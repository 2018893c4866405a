"""How many threads native libraries start by themselves: one, for what is done at once is a matter of processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL"))
"""What they look at when they are loaded; numpy's would keep every processor busy with waiting for the others."""


def limit() -> list[str]:
    """Have libraries that are loaded from here on, also by children, start one thread; tells what was set for that."""
    unset = [name for name in VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    return unset


@contextmanager
def limited() -> Iterator[None]:
    """The same for the children that begin inside."""
    unset = limit()
    try:
        yield
    finally:
        for name in unset:
            os.environ.pop(name, None)
