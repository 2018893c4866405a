"""Odd ones out: up to ten readings of one reader, a fifth of which went through something that the others did not.

The readings are of different chapters, recorded on different days, which is the hardest that one reader's recordings get.
"""

import numpy as np
import recordings
import soxr
from scipy import signal

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""

GREY = (
    "ODD_LEVEL, ODD_SOUND: sets of which about half is unlike the other half; there neither is odd, and that is all that is "
    "looked at. Readings of under 5 s."
)

MIN_CLIPS, ODD_RATIO, MIN_S = 5, 0.2, 5.0
RATE_HZ = 44_100
T60_S = 1.2
LEVELS_DB = {"8 dB louder": 8.0, "10 dB quieter": -10.0}


def build(folders, part, random):
    readers = {}
    for utterance in recordings.utterances(part):
        if len(utterance.samples) >= MIN_S * utterance.rate_hz:
            readers.setdefault(utterance.reader, []).append(utterance)
    for reader, found in readers.items():
        if len(found) < MIN_CLIPS:
            continue
        for kind in (None, *CHANGES):
            odd = (
                set()
                if kind is None
                else {int(i) for i in random.permutation(len(found))[: round(ODD_RATIO * len(found))]}
            )
            fill(folders(f"{reader} {kind}"), found, odd, kind, random)
        half = {int(i) for i in random.permutation(len(found))[: len(found) // 2]}
        halves(folders(f"{reader} halves"), found, half, random)


def fill(folder, found, odd, kind, random):
    """One reader's set, with the change made to the odd ones."""
    for number, utterance in enumerate(found):
        changed = number in odd
        samples, rate_hz = utterance.at(RATE_HZ), RATE_HZ
        if changed:
            samples, rate_hz = CHANGES[kind](samples, random)
        flags = {"ODD_SOUND": changed and kind not in LEVELS_DB, "ODD_LEVEL": changed and kind in LEVELS_DB}
        if changed and kind == "telephone, 8 kHz":
            flags["ODD_LEVEL"] = None
        group = kind if changed else ("one reader" if kind is None else "the others")
        folder.add(samples, rate_hz, part=utterance.part, group=group, flags=flags)


def halves(folder, found, half, random):
    """Two sessions of the same length: neither is odd."""
    for number, utterance in enumerate(found):
        samples, rate_hz = utterance.at(RATE_HZ), RATE_HZ
        if number in half:
            samples, rate_hz = CHANGES["dull, -12 dB over 3 kHz"](samples, random)
        flags = {"ODD_SOUND": False, "ODD_LEVEL": False}
        folder.add(samples, rate_hz, part=utterance.part, group="two halves", flags=flags)


def telephone(samples, _random):
    band = signal.butter(4, (300, 3_400), "bandpass", fs=8_000, output="sos")
    return at_level(signal.sosfilt(band, soxr.resample(samples, RATE_HZ, 8_000))), 8_000


def equalised(samples, hz, gains_db):
    """Through a filter of linear phase with those gains at those frequencies, the outermost beyond them."""
    gains = 10 ** (np.array([gains_db[0], *gains_db, gains_db[-1]]) / 20)
    taps = signal.firwin2(4001, [0, *hz, RATE_HZ / 2], gains, fs=RATE_HZ)
    return at_level(signal.fftconvolve(samples, taps, "same")), RATE_HZ


def reverberant(samples, random):
    """In a hall: an exponential decay of noise, the reverberant sound as strong as the direct."""
    at = np.arange(round(T60_S * RATE_HZ)) / RATE_HZ
    tail = random.standard_normal(len(at)) * 10 ** (-3 * at / T60_S)
    tail /= np.sqrt(np.sum(tail**2))
    return at_level(samples + signal.fftconvolve(samples, tail)[: len(samples)]), RATE_HZ


def at_level(samples):
    """At -26 dBFS, about the level that the others are at."""
    meter = recordings.SpeechLevelMeter(RATE_HZ)
    meter.feed(samples)
    return samples * recordings.decibels(recordings.ACTIVE_DBFS - meter.level()[0])


CHANGES = {
    "telephone, 8 kHz": telephone,
    "boomy, +10 dB under 250 Hz": lambda x, _: equalised(x, (220, 350), (10, 0)),
    "dull, -12 dB over 3 kHz": lambda x, _: equalised(x, (2_500, 3_500), (0, -12)),
    "in a hall, T60 1.2 s": reverberant,
    **{kind: lambda x, _, db=db: (x * recordings.decibels(db), RATE_HZ) for kind, db in LEVELS_DB.items()},
}
"""What becomes of an odd one: samples and rate."""
