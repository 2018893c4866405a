"""Where two speak at once: PyanNet hears it, and what is heard there is like none of the clip's voices. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.dsp import runs
from pipeline.mel import FRAME_S
from pipeline.records import Activity, Floats, Span
from pipeline.turns import LOOK, Partials

AT_ONCE, SURELY_AT_ONCE = 0.4, 0.5
"""PyanNet's probability of a second voice: over the second somewhere, and over the first for as long as it lasts."""

MIN_FRAMES = 12
"""0.2 s: a word's worth. Shorter ones are often plosives and breath."""

MIXED = 0.78
"""Of two voices at once a look is like neither. Where it is more like one of the clip's, PyanNet is mistaken: it is so in 1 of 4
minutes of telephone speech."""

MIN_SHARED_S = 0.25
"""How much of an overlap a look must hold to tell of it."""


def marked(second: Floats) -> NDArray[np.uint8]:
    """A byte a frame of PyanNet's probability of a second voice (frames,): 0, 1 where there may be one, 2 where surely."""
    return (second >= AT_ONCE).astype(np.uint8) + (second >= SURELY_AT_ONCE)


def overlaps(marks: NDArray[np.uint8], partials: Partials, voices: Sequence[Floats]) -> Iterator[Span]:
    """The stretches of a word or longer, given every frame's mark and the clip's voices, (256,) each."""
    likeness = (partials.voices @ np.stack(voices, axis=1)).max(axis=1)
    last = len(partials.spoken) - 1
    starts_s = partials.spoken[np.minimum(partials.at, last)] * FRAME_S
    ends_s = partials.spoken[np.minimum(partials.at + LOOK, last)] * FRAME_S
    for first, end in runs(marks >= 1):
        span = Span(float(first) * Activity.FRAME_S, float(end) * Activity.FRAME_S)
        shared_s = np.minimum(ends_s, span.end_s) - np.maximum(starts_s, span.start_s)
        mixed = bool((likeness[shared_s > min(MIN_SHARED_S, 0.9 * span.length_s)] < MIXED).any())
        if mixed and end - first >= MIN_FRAMES and marks[first:end].max() == 2:
            yield span
