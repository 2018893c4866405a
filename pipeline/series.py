"""Numbers that come a few at a time and are read as one array at the end."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Series:
    """Keeps what is put in as bytes in one buffer: a number costs its own size, where a list of small arrays costs tenfold.

    columns : numbers that belong together, the second axis of what is read; `None` for a plain row of numbers
    """

    def __init__(self, dtype: DTypeLike, columns: int | None = None) -> None:
        self._dtype, self._columns = np.dtype(dtype), columns
        self._bytes = bytearray()

    def extend(self, values: NDArray[Any]) -> None:
        """Put more numbers at the end."""
        self._bytes += np.ascontiguousarray(values, self._dtype).tobytes()

    def replace(self, first: int, values: NDArray[Any]) -> None:
        """Put others in place of as many from number `first` on."""
        start = first * self._dtype.itemsize
        new = np.ascontiguousarray(values, self._dtype).tobytes()
        self._bytes[start : start + len(new)] = new

    def copied(self) -> "Series":
        """One that can go on by itself."""
        made = Series(self._dtype, self._columns)
        made._bytes = self._bytes.copy()
        return made

    def __len__(self) -> int:
        """How many rows there are, of one number each where there are no columns."""
        return len(self._bytes) // self._dtype.itemsize // (self._columns or 1)

    def array(self) -> NDArray[Any]:
        """Everything so far, (numbers,) or (rows, columns)."""
        row = np.frombuffer(bytes(self._bytes), self._dtype)
        return row if self._columns is None else row.reshape(-1, self._columns)
