"""Windows are those of the whole stream, however it comes."""

import numpy as np
import pytest

from pipeline.windows import Windows

SIZE = 100


@pytest.mark.parametrize("block", [1, 7, 99, 100, 101, 450, 2_000])
@pytest.mark.parametrize("starts", [[0], [0, 100, 200], [3, 50, 51, 1_900], [], list(range(0, 1_901, 19))])
def test_windows_are_cut_across_blocks(block, starts):
    whole = np.random.default_rng(1).standard_normal((2, 2_000)).astype(np.float32)
    windows, found, waiting = Windows(2, SIZE), [], list(starts)
    for at in range(0, 2_000, block):
        planes = whole[:, at : at + block]
        ready = [start for start in waiting if start + SIZE <= at + planes.shape[1]]
        waiting = waiting[len(ready) :]
        found += list(windows.cut(planes, ready))
    assert windows.end == 2_000
    assert len(found) == len(starts)
    for start, window in zip(starts, found, strict=True):
        assert np.array_equal(window, whole[:, start : start + SIZE])
