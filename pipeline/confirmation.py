"""A second opinion on who speaks: CAM++ knows a person again in another room.

GE2E looks at all of a clip, for it is fast, and takes a change of room for a change of voice. CAM++ was trained with rooms and noise
and hears each band without its mean, but takes far longer, so it hears some of the main voice, what stands out, and what PyanNet
takes for another voice.

How like each other two stretches of one person are depends on the recording: through a telephone all voices are more alike, in
rooms that change less. So the main voice is held against itself, too.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.dsp import Doubles
from pipeline.fbank import fbank
from pipeline.graphs.campplus import FRAMES
from pipeline.mel import FRAME_S
from pipeline.network import Network
from pipeline.records import Floats

ODDS = (12.9, -33.3, 12.6, -4.1, 7.3, -11.6)
"""What the numbers of `tells` weigh: a logistic regression over stretches of cases such as `make odds` draws, where it tells how these
weights err, and how some that are fitted to the draw would."""

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


@dataclass(frozen=True, slots=True)
class Heard:
    """A voice, float32 (192,) of length 1, and of how much speech it was heard."""

    voice: Floats
    length_s: float


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

    def heard(self, samples: Floats) -> Heard | None:
        """The voice of samples (samples,); `None` where they are too few. `OTHER_FRAMES` are enough."""
        bands = fbank(samples)
        return None if len(bands) < FEWEST else Heard(self._voices(_filled(bands)[None])[0], len(bands) * FRAME_S)

    def another(self, heard: Heard | None, likeness: float) -> float | None:
        """How likely a voice is another person's, 0 to 1, given GE2E's cosine; `None` where too little was kept to tell."""
        told = self.tells(heard, likeness)
        return None if told is None else float(1 / (1 + np.exp(-(told @ ODDS))))

    def tells(self, heard: Heard | None, likeness: float) -> Doubles | None:
        """What tells another person: 1, CAM++'s cosine to the main voice, how like itself that is, GE2E's cosine, 1 by telephone, 1/s.

        The last is one over the seconds heard: of less speech both cosines are lower, whosever it is.
        """
        if self._main is None or heard is None:
            return None
        cosine, steadiness = float(self._main.voice @ heard.voice), self._main.steadiness
        return np.array((1.0, cosine, steadiness, likeness, self._telephone, 1 / heard.length_s))

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
    """As many frames as the network takes: the nearest whole number of windows, filled up with the first of them again."""
    wanted = max(round(len(bands) / FRAMES), 1) * FRAMES
    return np.resize(bands, (wanted, bands.shape[1]))
