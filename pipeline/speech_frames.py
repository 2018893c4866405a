"""The frames in which somebody speaks, with PyanNet's word on whether that is another voice than most of its window is of, or two."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import mel
from pipeline.records import Activity, Block, Floats
from pipeline.sincnet import FRAMES

MAYBE_TWO = 0.02
"""PyanNet's probability of a second voice at once from which on it may be there. It tells two at once by the way only."""


class Spoken(NamedTuple):
    """Frames of speech, one after the other.

    mels : float32 (frames, 80), as `pipeline.mel` makes them
    hops : float32 (frames, 160), the samples in the middle of each, so that those of frames in a row lie end to end
    numbers : int64 (frames,), the number in the clip of each
    other : bool (frames,), whether another voice than its window's first speaks
    maybe_two : bool (frames,), whether a second voice may speak at once
    """

    mels: Floats = np.empty((0, mel.COLUMNS), np.float32)
    hops: Floats = np.empty((0, mel.HOP), np.float32)
    numbers: NDArray[np.int64] = np.empty(0, np.int64)
    other: NDArray[np.bool_] = np.empty(0, bool)
    maybe_two: NDArray[np.bool_] = np.empty(0, bool)

    def joined(self, more: "Spoken") -> "Spoken":
        """These and then others."""
        return Spoken(
            np.concatenate((self.mels, more.mels)),
            np.concatenate((self.hops, more.hops)),
            np.concatenate((self.numbers, more.numbers)),
            np.concatenate((self.other, more.other)),
            np.concatenate((self.maybe_two, more.maybe_two)),
        )

    def behind(self, count: int) -> "Spoken":
        """What comes behind so many of them."""
        return Spoken._make(each[count:] for each in self)


class SpeechFrames:
    """Picks the mel frames in which somebody speaks. Keeps 5 s of activity, and 7 s of mel frames and samples."""

    def __init__(self) -> None:
        self._frames = mel.MelFrames()
        self._mels: Floats = np.empty((0, mel.COLUMNS), np.float32)
        self._samples = np.zeros(mel.HOP // 2, np.float32)  # from the first one of that frame on
        self._number = 0  # in the clip, of the first mel frame held
        self._voices: Floats | None = None  # activity not settled
        self._flags = np.empty((0, 3), bool)  # speech, other voice, maybe two: per frame of activity, settled
        self._first = 0  # number of the first of them

    @property
    def number(self) -> int:
        """In the clip, of the first mel frame not handed out or passed over yet."""
        return self._number

    def feed(self, block: Block) -> Spoken:
        """What is known of the speech by now."""
        if block.mono16k is None or block.activity is None:
            return Spoken()
        self._mels = np.concatenate((self._mels, *self._frames.feed(block.mono16k)))
        self._samples = np.concatenate((self._samples, block.mono16k))
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

    def rest(self) -> Spoken:
        """What is still owed; asking changes nothing."""
        kept = self._mels, self._samples, self._flags, self._number
        if self._voices is not None and len(self._voices):
            self._flags = np.concatenate((self._flags, *map(_flags, _windows(self._voices))))
        self._mels = np.concatenate((self._mels, self._frames.rest()))
        self._samples = np.concatenate((self._samples, np.zeros(mel.HOP, np.float32)))
        made = self._cut(len(self._mels))
        self._mels, self._samples, self._flags, self._number = kept
        return made

    def _cut(self, count: int) -> Spoken:
        numbers = self._number + np.arange(max(count, 0))
        at = np.minimum(numbers * mel.HOP // Activity.HOP - self._first, len(self._flags) - 1)
        speech, other, maybe_two = (self._flags[at] if len(self._flags) else np.zeros((len(at), 3), bool)).T
        end = len(numbers) * mel.HOP
        hops = self._samples[:end].reshape(-1, mel.HOP)[speech]
        made = Spoken(self._mels[: len(numbers)][speech], hops, numbers[speech], other[speech], maybe_two[speech])
        self._mels, self._samples = self._mels[len(numbers) :], self._samples[end:]
        self._number += len(numbers)
        return made


def _heard(activity: Activity) -> Floats:
    """Speech, the local voices and a second one at once, (frames, 5)."""
    speech = activity.speech
    voices = np.zeros((len(speech), 3), np.float32) if activity.voices is None else activity.voices
    second = np.zeros_like(speech) if activity.overlap is None else activity.overlap
    return np.concatenate((speech[:, None], voices, second[:, None]), axis=1)


def _windows(heard: Floats) -> list[Floats]:
    """PyanNet's, for a local voice keeps its column inside of one only."""
    return [heard[first : first + FRAMES] for first in range(0, len(heard), FRAMES)]


def _flags(window: Floats) -> NDArray[np.bool_]:
    """Who speaks in a window: anybody, another than its first voice, and maybe two at once, (frames, 3)."""
    speech, *_, second = window.T
    speaking = window[:, 1:-1] >= Activity.SPEAKING
    first = int(speaking.sum(axis=0).argmax())
    other = np.delete(speaking, first, axis=1).any(axis=1)
    return np.stack((speech >= Activity.SPEAKING, other, second >= MAYBE_TWO), axis=1)
