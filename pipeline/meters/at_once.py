"""Where two speak at once: PyanNet and GE2E give hints, and a later network of PyanNet's kind looks at the windows with a hint.

The first tells voices one by one, and two of them together only by the way; to GE2E two at once sound like neither. pyannote's
segmentation 3.0 was trained with a class for every two voices. It has the same layers as PyanNet and takes as long again, so it is
given only the windows in which PyanNet hears two, or GE2E another than before; where PyanNet thinks two just possible, GE2E is asked.
What it takes for two voices there it hears once more in other company, with the edge of a half of the window in the middle, and the
mean counts.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.network import Network
from pipeline.partials import Unlike
from pipeline.records import Activity, Block, Floats
from pipeline.resampling import low_passed
from pipeline.series import Series
from pipeline.sincnet import FRAMES, LEAD, WINDOW, SincNet

HINT, HINT_FRAMES = 0.1, 50
"""PyanNet's probability of a second voice for 0.84 s in a window, or half of a short last one, from which on nobody else is asked.
What neither it nor GE2E hints at is not heard at all. How many overlaps are found all the same is in what `make accuracy` tells of
OVERLAP."""

SPOKEN_FRAMES = 20
"""With less speech, 0.34 s, a window is not looked at: too little for two at once that are told of."""

BAND_HZ = 6_000
"""Segmentation 3.0 hears up to here: with more it tells fewer of two at once from takes that were joined from two rooms."""

LASTS, SURE = 0.4, 0.58
"""Probability of the likeliest two voices: over the second for a word or longer, and over the first as long as it lasts. A half of a
window that is nowhere over the first is not heard once more, for time."""

MAYBE, SURELY = 1, 2
"""The marks of frames that are over the one and over both."""

BATCH = 4
"""Windows with a hint at once, counted from the first: that is faster than one by one, and the same ones whatever the blocks, for the
network rounds by what is loudest in all of them."""


HALF = FRAMES // 2
BEFORE = (FRAMES - HALF) * Activity.HOP
AROUND = FRAMES * Activity.HOP + WINDOW
"""Samples: of the half window before one, and of a window with a half before and one behind it."""


class _Half(NamedTuple):
    """Half of a window: its frames, and where they stand in a window that begins at another sample of what lies around."""

    frames: slice
    start: int
    again: slice


HALVES = (
    _Half(slice(0, HALF), 0, slice(FRAMES - HALF, FRAMES)),
    _Half(slice(HALF, FRAMES), FRAMES * Activity.HOP, slice(0, FRAMES - HALF)),
)


class _Window(NamedTuple):
    """Frames from the number `first` on, the samples of and around them, and whether PyanNet gives a hint."""

    first: int
    frames: int
    samples: Floats
    hint: bool


class AtOnceMeter:
    """Keeps a byte a frame, and 10 s of samples for windows: up to four with a hint, the last, and those that GE2E may still look at.

    Those have the latest 26 s of speech: 6 where somebody speaks all the time, 80 or 50 MB where hardly anybody does. The network is
    made when it is needed.
    """

    def __init__(self, network: Callable[[], Network]) -> None:
        self._load = network
        self._loaded: tuple[SincNet, Network] | None = None
        self._samples = np.zeros(BEFORE + LEAD, np.float32)
        self._heard = np.empty((0, 2), np.float32)  # of each frame, that anybody speaks, and that a second one does
        self._marks = Series(np.uint8)
        self._waiting: deque[_Window] = deque()  # until GE2E has looked at all of it
        self._hinted: list[_Window] = []  # not looked at yet

    def feed(self, block: Block, unlike: Unlike) -> None:
        """Take in a block with its 16 kHz mono and its activity, and where GE2E hears another voice, as far as that is known."""
        if block.mono16k is None or block.activity is None or block.activity.overlap is None:
            return
        heard = np.stack((block.activity.speech, block.activity.overlap), axis=1)
        self._samples, self._heard = (
            np.concatenate((self._samples, block.mono16k)),
            np.concatenate((self._heard, heard)),
        )
        while len(self._heard) >= FRAMES and len(self._samples) >= AROUND:
            self._waiting.extend(_spoken(len(self._marks), self._heard[:FRAMES], self._samples))
            self._marks.extend(np.zeros(FRAMES, np.uint8))
            self._samples, self._heard = self._samples[FRAMES * Activity.HOP :], self._heard[FRAMES:]
        while self._waiting and _reach(self._waiting[0])[1] <= unlike.until:
            self._hinted += _worth_a_look([self._waiting.popleft()], unlike)
            if len(self._hinted) == BATCH:
                for first, marks in self._looked(self._hinted):
                    self._marks.replace(first, marks)
                self._hinted = []

    def read(self, unlike: Unlike) -> NDArray[np.uint8]:
        """For every frame 0, or MAYBE or SURELY where two speak at once; asking changes nothing."""
        waiting, known = list(self._waiting), len(self._marks)
        for first in range(0, len(self._heard), FRAMES):
            waiting += _spoken(
                known + first, self._heard[first : first + FRAMES], self._samples[first * Activity.HOP :]
            )
        hinted = [*self._hinted, *_worth_a_look(waiting, unlike)]
        made = np.concatenate((self._marks.array(), np.zeros(len(self._heard), np.uint8)))
        for at in range(0, len(hinted), BATCH):
            for first, marks in self._looked(hinted[at : at + BATCH]):
                made[first : first + len(marks)] = marks
        return made

    def _looked(self, hinted: Sequence[_Window]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """The first frame and the marks of each window."""
        found = self._likely([window.samples[BEFORE:][:WINDOW] for window in hinted])
        halves = [(window, likely, half) for window, likely in zip(hinted, found, strict=True) for half in HALVES]
        again = [each for each in halves if (each[1][each[2].frames] >= LASTS).any()]
        seconds = self._likely([window.samples[half.start :][:WINDOW] for window, _, half in again])
        for (_, likely, half), second in zip(again, seconds, strict=True):
            likely[half.frames] += (second[half.again] - likely[half.frames]) / 2
        for window, likely in zip(hinted, found, strict=True):
            at_once = likely[: window.frames]
            yield window.first, (at_once >= LASTS).astype(np.uint8) + (at_once >= SURE)

    def _likely(self, windows: Sequence[Floats]) -> list[Floats]:
        """The probability of the likeliest two at once in each frame of some windows."""
        if not windows:
            return []
        if self._loaded is None:
            made = self._load()
            self._loaded = SincNet(made.get_modelmeta().custom_metadata_map), made
        front, network = self._loaded
        heard = np.stack([low_passed(window, BAND_HZ, Activity.RATE_HZ) for window in windows])
        (likely,) = network.run(None, {"bands": front.bands(heard)})
        return [np.array(each[:, 0]) for each in likely]


def _spoken(first: int, heard: Floats, samples: Floats) -> Iterator[_Window]:
    """The window of those frames, filled up with silence, if there is speech in it."""
    if (heard[:, 0] >= Activity.SPEAKING).sum() >= SPOKEN_FRAMES:
        around = np.zeros(AROUND, np.float32)
        around[: len(samples)] = samples[:AROUND]
        enough = min(HINT_FRAMES, len(heard) // 2)
        yield _Window(first, len(heard), around, int((heard[:, 1] >= HINT).sum()) >= enough)


def _worth_a_look(windows: Iterable[_Window], unlike: Unlike) -> Iterator[_Window]:
    return (window for window in windows if window.hint or unlike.meets(*_reach(window)))


def _reach(window: _Window) -> tuple[int, int]:
    """From which to which sample of the clip."""
    return window.first * Activity.HOP, (window.first + window.frames) * Activity.HOP
