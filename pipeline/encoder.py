"""What GE2E hears of a look and at a glance: a voice, and of a look its sounds beside."""

from collections.abc import Sequence

import numpy as np

from pipeline import sounds
from pipeline.mel import BANDS
from pipeline.network import Network
from pipeline.records import Floats

VOICE, SOUNDS = 256, 3
"""Numbers that the network makes of a look, and what else is kept of it: as in `pipeline.partials.Partials`."""

GLANCE = 4
"""A glance hears the means of so many frames each."""

TOGETHER = 12
"""Up to so many go through the network at a time: alone, each would take it twice its time."""

LOUD = 0.9
"""The mean sum over a look's bands that all are brought to, that of speech at about -25 dBFS: the network hears level."""


def looked(network: Network, looks: Sequence[Floats]) -> Floats:
    """The voices and sounds (looks, 259) of looks of equally many frames (frames, 80), as `pipeline.mel` makes them."""
    made = np.array([sounds.heard(look) for look in looks], np.float32).reshape(-1, SOUNDS)
    return np.concatenate((_voices(network, looks, 1), made), axis=1)


def glanced(network: Network, looks: Sequence[Floats]) -> Floats:
    """The voices (looks, 256) of such looks at a glance."""
    return _voices(network, looks, GLANCE)


def _voices(network: Network, looks: Sequence[Floats], of: int) -> Floats:
    """Of which the network hears the means of so many frames each."""
    made = [np.empty((0, VOICE), np.float32)]
    for first in range(0, len(looks), TOGETHER):
        mels = np.stack([look[: len(look) // of * of, :BANDS] for look in looks[first : first + TOGETHER]])
        if of > 1:
            mels = mels.reshape(len(mels), -1, of, BANDS).mean(axis=2)
        mels = mels * (LOUD / np.maximum(mels.sum(axis=2).mean(axis=1), 1e-12))[:, None, None]
        made.append(np.asarray(network.run(None, {"mel": mels})[0], np.float32))
    return np.concatenate(made)
