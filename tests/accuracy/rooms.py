"""Find the directions in which a room moves a voice, and write them to `pipeline/rooms.npy`: make rooms

The readers that thresholds are tuned with are put in drawn rooms: an exponential decay of noise under the direct sound, and a filter for
the microphone. The principal directions of what that does to their voices are taken out where `pipeline.turns.another` compares two
(nuisance attribute projection: Solomonoff, Campbell and Boardman, ICASSP 2005). No recorded room is among them.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import sys
from pathlib import Path

import numpy as np
import recordings
from scipy import signal

from pipeline import mel
from pipeline.models import session
from pipeline.voiceprints import unit

OUT = Path(__file__).parents[2] / "pipeline" / "rooms.npy"
RATE_HZ = 16_000
DIRECTIONS = 3
ROOMS = 3
"""Drawn for each utterance."""

LOOK, STEP, BATCH, LOUD = 160, 160, 8, 0.9
QUIET_RATIO = 10**-3.5
"""Frames that far under the loud ones are pauses."""


def main():
    random = np.random.default_rng(20)
    network = session("ge2e")
    shifts = []
    for utterance in recordings.utterances("tuning"):
        samples = utterance.at(RATE_HZ)
        dry = voice(network, samples)
        if dry is None:
            continue
        wet = [voice(network, in_a_room(samples, random)) for _ in range(ROOMS)]
        shifts += [one - dry for one in wet if one is not None]
    _, sizes, directions = np.linalg.svd(np.array(shifts), full_matrices=False)
    shares = np.square(sizes) / np.square(sizes).sum()
    np.save(OUT, directions[:DIRECTIONS].astype(np.float16))
    print(
        f"{len(shifts)} pairs; the first directions hold {np.round(shares[:DIRECTIONS], 3)} of the shift; written to {OUT}"
    )


def voice(network, samples):
    """The mean voice of an utterance, `None` of one shorter than a look."""
    frames = mel.MelFrames()
    mels = np.concatenate([*frames.feed(samples.astype(np.float32)), frames.rest()])[:, : mel.BANDS]
    power = mels.sum(axis=1)
    mels = mels[power > np.percentile(power, 95) * QUIET_RATIO]
    looks = [mels[at : at + LOOK] for at in range(0, len(mels) - LOOK + 1, STEP)]
    if not looks:
        return None
    looks = np.stack(looks)
    looks *= (LOUD / looks.sum(axis=2).mean(axis=1))[:, None, None]
    made = [network.run(None, {"mel": looks[at : at + BATCH]})[0] for at in range(0, len(looks), BATCH)]
    return unit(np.concatenate(made).mean(axis=0))


def in_a_room(samples, random):
    """In a room of T60 0.2 to 1.5 s, the tail 8 dB over to 8 dB under the direct sound, through a microphone of its own."""
    t60_s = float(np.exp(random.uniform(np.log(0.2), np.log(1.5))))
    at = np.arange(round(t60_s * RATE_HZ)) / RATE_HZ
    tail = random.standard_normal(len(at)) * 10 ** (-3 * at / t60_s)
    tail = coloured(tail, random, 6.0)
    tail *= 10 ** (random.uniform(-8, 8) / 20) / np.sqrt(np.sum(tail**2))
    tail[: round(random.uniform(0.001, 0.01) * RATE_HZ)] = 0
    tail[0] = 1
    wet = signal.fftconvolve(samples, tail)[: len(samples)]
    return coloured(wet, random, 6.0)


def coloured(samples, random, most_db):
    """Through a filter that draws its gain anew in every octave."""
    hz = (0, 125, 250, 500, 1_000, 2_000, 4_000, RATE_HZ / 2)
    gains = 10 ** (random.uniform(-most_db, most_db, len(hz)) / 20)
    return signal.fftconvolve(samples, signal.firwin2(257, hz, gains, fs=RATE_HZ), "same")


if __name__ == "__main__":
    sys.exit(main())
