"""Where two speak at once: PyanNet gives a hint, and a later one of its kind looks at the windows with a hint.

The first tells voices one by one, and two of them together only by the way. pyannote's segmentation 3.0 was trained with a class
for every two voices. It has the same layers and takes as long again, so it is given only the windows in which the first is not
sure that there is one voice.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.network import Network
from pipeline.records import Activity, Block, Floats
from pipeline.series import Series
from pipeline.sincnet import FRAMES, LEAD, WINDOW, SincNet

HINT, HINT_FRAMES = 0.05, 20
"""PyanNet's probability of a second voice for 0.34 s in a window: what it does not hint at is not heard at all.
How many overlaps are found all the same is in what `make accuracy` tells of OVERLAP."""

LASTS, SURE = 0.6, 0.8
"""Probability that two speak: over the second for a word or longer, and over the first as long as it lasts. Where takes from two rooms
are joined, it is often over the first alone."""

MAYBE, SURELY = 1, 2
"""The marks of frames that are over the one and over both."""


BATCH = 4
"""Windows with a hint at once, counted from the first: that is faster than one by one, and the same ones whatever the blocks, for the
network rounds by what is loudest in all of them."""


class AtOnceMeter:
    """Keeps a byte a frame, and the samples of up to four windows with a hint and one more, 5 s each.

    The network is made when it is needed.
    """

    def __init__(self, network: Callable[[], Network]) -> None:
        self._load = network
        self._loaded: tuple[SincNet, Network] | None = None
        self._samples = np.zeros(LEAD, np.float32)
        self._second = np.empty(0, np.float32)
        self._marks = Series(np.uint8)
        self._hinted: list[tuple[int, int, Floats]] = []  # first frame, frames and samples of windows not looked at yet

    def feed(self, block: Block) -> None:
        """Take in a block with its 16 kHz mono and the second voice's probability in each of its frames."""
        if block.mono16k is None or block.activity is None or block.activity.overlap is None:
            return
        self._samples = np.concatenate((self._samples, block.mono16k))
        self._second = np.concatenate((self._second, block.activity.overlap))
        while len(self._second) >= FRAMES and len(self._samples) >= WINDOW:
            if _is_hint(self._second[:FRAMES]):
                self._hinted.append((len(self._marks), FRAMES, self._samples[:WINDOW].copy()))
            self._marks.extend(np.zeros(FRAMES, np.uint8))
            self._samples, self._second = self._samples[FRAMES * Activity.HOP :], self._second[FRAMES:]
            if len(self._hinted) == BATCH:
                for first, marks in self._looked(self._hinted):
                    self._marks.replace(first, marks)
                self._hinted = []

    def read(self) -> NDArray[np.uint8]:
        """For every frame 0, or MAYBE or SURELY where two speak at once; asking changes nothing."""
        hinted, known = list(self._hinted), len(self._marks)
        for first in range(0, len(self._second), FRAMES):
            second = self._second[first : first + FRAMES]
            window = np.zeros(WINDOW, np.float32)
            held = self._samples[first * Activity.HOP :][:WINDOW]
            window[: len(held)] = held
            if _is_hint(second):
                hinted.append((known + first, len(second), window))
        made = np.concatenate((self._marks.array(), np.zeros(len(self._second), np.uint8)))
        for at in range(0, len(hinted), BATCH):
            for first, marks in self._looked(hinted[at : at + BATCH]):
                made[first : first + len(marks)] = marks
        return made

    def _looked(self, hinted: Sequence[tuple[int, int, Floats]]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """The first frame and the marks of each window."""
        if self._loaded is None:
            made = self._load()
            self._loaded = SincNet(made.get_modelmeta().custom_metadata_map), made
        front, network = self._loaded
        (likely,) = network.run(None, {"bands": front.bands(np.stack([window for _, _, window in hinted]))})
        for (first, frames, _), each in zip(hinted, likely, strict=True):
            at_once = each[:frames, 0]
            yield first, (at_once >= LASTS).astype(np.uint8) + (at_once >= SURE)


def _is_hint(second: Floats) -> bool:
    return int((second >= HINT).sum()) >= HINT_FRAMES
