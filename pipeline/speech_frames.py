"""The frames in which somebody speaks, with PyanNet's word on whether that is another voice than most of its window is of."""

import numpy as np
from numpy.typing import NDArray

from pipeline import mel
from pipeline.records import Activity, Block, Floats
from pipeline.sincnet import FRAMES

SPEAKING = 0.5
"""A voice speaks in a frame where that is rather so than not."""


class SpeechFrames:
    """Picks the mel frames in which somebody speaks. Keeps 5 s of activity, and as much of mel frames."""

    def __init__(self) -> None:
        self._frames = mel.MelFrames()
        self._mels: Floats = np.empty((0, mel.COLUMNS), np.float32)
        self._number = 0  # in the clip, of the first mel frame held
        self._voices: Floats | None = None  # activity not settled
        self._flags = np.empty((0, 2), bool)  # speech, other voice: per frame of activity, settled
        self._first = 0  # number of the first of them

    @property
    def number(self) -> int:
        """In the clip, of the first mel frame not handed out or passed over yet."""
        return self._number

    def feed(self, block: Block) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
        """The mel frames, their numbers in the clip and whether another voice speaks, as far as both are known."""
        if block.mono16k is None or block.activity is None:
            return self._cut(0)
        self._mels = np.concatenate((self._mels, *self._frames.feed(block.mono16k)))
        heard = _heard(block.activity)
        self._voices = heard if self._voices is None else np.concatenate((self._voices, heard))
        whole = len(self._voices) // FRAMES * FRAMES
        self._flags = np.concatenate((self._flags, *map(_flags, _windows(self._voices[:whole]))))
        self._voices = self._voices[whole:]
        settled = -(-(self._first + len(self._flags)) * Activity.HOP // mel.HOP)
        made = self._cut(min(settled - self._number, len(self._mels)))
        passed = self._number * mel.HOP // Activity.HOP - self._first
        self._flags, self._first = self._flags[passed:], self._first + passed
        return made

    def rest(self) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
        """What is still owed; asking changes nothing."""
        kept = self._mels, self._flags, self._number
        if self._voices is not None and len(self._voices):
            self._flags = np.concatenate((self._flags, *map(_flags, _windows(self._voices))))
        self._mels = np.concatenate((self._mels, self._frames.rest()))
        made = self._cut(len(self._mels))
        self._mels, self._flags, self._number = kept
        return made

    def _cut(self, count: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
        numbers = self._number + np.arange(max(count, 0))
        at = np.minimum(numbers * mel.HOP // Activity.HOP - self._first, len(self._flags) - 1)
        flags = self._flags[at] if len(self._flags) else np.zeros((len(at), 2), bool)
        speech = flags[:, 0]
        made = self._mels[: len(numbers)][speech]
        self._mels, self._number = self._mels[len(numbers) :], self._number + len(numbers)
        return made, numbers[speech], flags[speech, 1]


def _heard(activity: Activity) -> Floats:
    """Speech and the local voices, (frames, 4)."""
    voices = np.zeros((len(activity.speech), 3), np.float32) if activity.voices is None else activity.voices
    return np.concatenate((activity.speech[:, None], voices), axis=1)


def _windows(heard: Floats) -> list[Floats]:
    """PyanNet's, for a local voice keeps its column inside of one only."""
    return [heard[first : first + FRAMES] for first in range(0, len(heard), FRAMES)]


def _flags(window: Floats) -> NDArray[np.bool_]:
    """Who speaks in a window: anybody, and another than its first voice, (frames, 2)."""
    speaking = window[:, 1:] >= SPEAKING
    first = int(speaking.sum(axis=0).argmax())
    return np.stack((window[:, 0] >= SPEAKING, np.delete(speaking, first, axis=1).any(axis=1)), axis=1)
