"""A second opinion on who speaks: CAM++ knows a person again in another room.

GE2E looks at all of a clip, for it is fast, and takes a change of room for a change of voice. CAM++ was trained with rooms and noise
and hears each band without its mean, but takes far longer, so it hears some of the main voice, and what stands out.

How like each other two stretches of one person are depends on the recording: through a telephone all voices are more alike, in
rooms that change less. So the main voice is held against itself, too.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.dsp import Doubles
from pipeline.fbank import fbank
from pipeline.graphs.campplus import FRAMES
from pipeline.network import Network
from pipeline.records import Floats

ODDS = (18.2, -24.2, 2.5, -13.6, 5.6)
"""What the numbers of `tells` weigh: a logistic regression that `make odds` makes again and tells the errors of."""

EDGE = 2
"""Frames that a window of 25 ms leaves over at the end."""

OWN_FRAMES, OTHER_FRAMES = 8 * FRAMES + EDGE, 3 * FRAMES + EDGE
"""16 s of the main voice and 6 s of another; more would take as much longer."""

FEWEST = 60
"""0.6 s: of less nothing can be told."""

USUAL = 0.65
"""About how like each other 2 s of one voice are; taken for a main voice of which only 2 s are kept."""


@dataclass(frozen=True, slots=True)
class _Main:
    """The main voice, (192,) of length 1, and how like each other its parts are."""

    voice: Floats
    steadiness: float


class Confirmation:
    """Asked about one voice after the other.

    own : the main voice, float32 (samples,), of which `OWN_FRAMES` are enough
    telephone : whether it is as a telephone's
    """

    def __init__(self, network: Network, own: Floats, *, telephone: bool) -> None:
        self._network, self._own, self._telephone = network, own, float(telephone)

    @property
    def main(self) -> Floats | None:
        """The main voice, (192,), of length 1."""
        return None if self._main is None else self._main.voice

    def voice(self, samples: Floats) -> Floats | None:
        """The voice of samples (samples,), (192,), of length 1; `None` where they are too few. `OTHER_FRAMES` are enough."""
        bands = fbank(samples)
        return None if len(bands) < FEWEST else self._voices(_filled(bands)[None])[0]

    def another(self, voice: Floats | None, likeness: float) -> float | None:
        """How likely a voice is another person's, 0 to 1, given GE2E's cosine; `None` where too little was kept to tell."""
        told = self.tells(voice, likeness)
        return None if told is None else float(1 / (1 + np.exp(-(told @ ODDS))))

    def tells(self, voice: Floats | None, likeness: float) -> Doubles | None:
        """What tells another person: 1, CAM++'s cosine to the main voice, how like itself that is, GE2E's cosine, 1 by telephone."""
        if self._main is None or voice is None:
            return None
        return np.array((1.0, float(self._main.voice @ voice), self._main.steadiness, likeness, self._telephone))

    @cached_property
    def _main(self) -> _Main | None:
        """Made when it is asked for: of a clip too short to be known by it nobody asks."""
        bands = fbank(self._own)
        if len(bands) < FEWEST:
            return None
        parts = self._voices(_filled(bands).reshape(-1, FRAMES, bands.shape[1]))
        whole = parts.sum(axis=0)
        pairs = len(parts) * (len(parts) - 1)
        steadiness = (float(whole @ whole) - len(parts)) / pairs if pairs else USUAL
        return _Main(whole / np.linalg.norm(whole), steadiness)

    def _voices(self, looks: Floats) -> Floats:
        return np.asarray(self._network.run(None, {"fbank": looks})[0], np.float32)


def _filled(bands: Floats) -> Floats:
    """As many frames as the network takes: those there are, or too few of them again and again."""
    whole = np.tile(bands, (-(-FRAMES // len(bands)), 1)) if len(bands) < FRAMES else bands
    return whole[: len(whole) // FRAMES * FRAMES]
