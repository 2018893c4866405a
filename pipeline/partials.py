"""What is heard of a clip's voices, in looks at 1.6 s of speech each, as a meter keeps it and another uses it."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.kept_speech import Frames, KeptSpeech
from pipeline.records import Floats

LOOK = 160
"""Frames of speech in a look, 10 ms each, where there are as many."""

STEP = 200
"""Frames of speech from the beginning of one look to the next where there are looks all along, 2 s."""

ALL = 1 << 62
"""Behind every clip's end: nothing more will come."""

NONE: NDArray[np.int64] = np.empty((0, 2), np.int64)


class Unlike(NamedTuple):
    """Where looks are unlike the voice heard most, or may be of two at once.

    looks : int64 (looks, 2), from which to which sample of the clip at 16 kHz, in order
    until : no later look reaches before that sample
    """

    looks: NDArray[np.int64] = NONE
    until: int = ALL

    def meets(self, first: int, end: int) -> bool:
        """Whether one of them lies partly within those samples."""
        at = int(np.searchsorted(self.looks[:, 1], first, "right"))
        return at < len(self.looks) and int(self.looks[at, 0]) < end


@dataclass(frozen=True, slots=True)
class Partials:
    """Looks in the order of their first frame, none twice.

    at : int64 (looks,), where each begins in the frames of speech laid end to end
    voices : float32 (looks, 256), of length 1
    spoken : int64 (frames of speech,), the number in the clip of each
    sounds : float32 (looks, 3), how many frames have a pitch, its median in semitones over 100 Hz (0 where none has), and by
        how many decibels the bands fall in 30 ms where they fall fast, negative
    turns : where PyanNet hears another voice than most of its window is of, as `pipeline.local_turns` tells
    kept : some of the speech itself
    unlike : the looks that are unlike the voice heard most until then, or may be of two at once
    """

    at: NDArray[np.int64]
    voices: Floats
    spoken: NDArray[np.int64]
    sounds: Floats
    turns: tuple[Frames, ...] = ()
    kept: KeptSpeech = field(default_factory=KeptSpeech)
    unlike: Unlike = field(default_factory=Unlike)
