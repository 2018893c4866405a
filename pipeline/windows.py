"""Windows of a stream that comes in blocks."""

from collections.abc import Sequence

import numpy as np

from pipeline.records import Floats


class Windows:
    """Cuts windows of one size out of blocks; keeps one sample less than a window of each channel."""

    def __init__(self, channels: int, size: int) -> None:
        self._size = size
        self._tail = np.empty((channels, 0), np.float32)
        self.end = 0

    def cut(self, planes: Floats, starts: Sequence[int]) -> Floats:
        """Take in the next samples (channels, frames), and give the windows (windows, channels, size) that begin at these.

        A window must end in these samples, at `end` at the latest as it is afterwards.
        """
        seam = np.concatenate((self._tail, planes[:, : self._size - 1]), axis=1)
        begun, before = self.end, self._tail.shape[1]
        made = np.empty((len(starts), len(planes), self._size), np.float32)
        for window, start in zip(made, starts, strict=True):
            at = start - begun
            window[:] = planes[:, at : at + self._size] if at >= 0 else seam[:, at + before : at + before + self._size]
        self.end += planes.shape[1]
        kept = np.concatenate((self._tail, planes[:, -(self._size - 1) :]), axis=1)
        self._tail = kept[:, max(kept.shape[1] - self._size + 1, 0) :]
        return made
