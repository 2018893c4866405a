"""How fast the speakers of real readers are heard, where the recordings are: the sample voice is synthesised, and steadier than some.

The more a reader's looks differ from each other, the more of them are taken.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import material
import numpy as np
import soundfile

ACCURACY = Path(__file__).parents[1] / "accuracy"
TAKES_S, SEED = 60, 5


def chapters(folder: Path) -> Iterator[tuple[str, Path]]:
    """Half an hour of each reader of whom there is a minute, the same utterances in other orders, as a WAV file.

    None where the recordings are not.
    """
    sys.path.append(str(ACCURACY))
    import recordings
    import speakers

    if not recordings.AUDIO.is_dir():
        return
    for part in recordings.PARTS:
        for name, utterances in speakers.Cast(part).hosts.items():
            path = folder / f"{name}.wav"
            _write(path, speakers, utterances)
            yield name, path


def _write(path: Path, speakers: object, utterances: object) -> None:
    random, left = np.random.default_rng(SEED), material.CHAPTER_S * speakers.RATE_HZ
    with soundfile.SoundFile(path, "w", speakers.RATE_HZ, 1, "PCM_16") as file:
        while left > 0:
            takes = np.concatenate(speakers.takes(utterances, TAKES_S, random))[:left]
            file.write(takes)
            left -= len(takes)
