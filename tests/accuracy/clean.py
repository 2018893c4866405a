"""Clean studio speech: how often each finding fires where there is nothing to find.

The utterances that stand 35 dB and more over their own floor, were not clipped before they were published and hold no
long pause, at several levels, coded, and joined to a minute per clip. LibriSpeech comes at 16 kHz and its readers' own
noise and rooms are no studio's; what follows from the rate or the format alone (LOW_SAMPLE_RATE, FORMAT_AT_RISK) is left out.
"""

import numpy as np
import recordings

from pipeline import catalogue

GREY = (
    "every clip-level code but those of the sample rate should be silent; SECOND_SPEAKER and UNSURE are left out where a minute is "
    "joined of several readers."
)

LEVELS_DBFS = (-28.0, -24.0, -20.0)
CODED = ((".flac", None), (".mp3", 128), (".opus", 64), (".m4a", 128))
JOINED = 12
BY_FORMAT = ("LOW_SAMPLE_RATE", "FORMAT_AT_RISK")
RANGE_DB = 35.0
"""Puts the floor of the loudest of them at -55 dBFS, 5 dB under the limit of NOISE_FLOOR."""

LONGEST_PAUSE_S = 1.5
SEVERAL_READERS = {"SECOND_SPEAKER": None, "UNSURE": None}
"""A minute is joined from whoever there is, so it does hold other voices; the suite `speakers` is about them."""


def build(folder, part, random):
    codes = [rule.code for subject in catalogue.clip_subjects() for rule in subject.rules if rule.code not in BY_FORMAT]
    flags = dict.fromkeys(codes, False)
    for n, voice in enumerate(studio(part)):
        gain = recordings.decibels(LEVELS_DBFS[n % len(LEVELS_DBFS)] - recordings.ACTIVE_DBFS)
        samples, rate_hz = limited(voice.samples * gain), voice.rate_hz
        for suffix, kbit_s in CODED:
            group = "one utterance" if kbit_s is None else f"one utterance, {suffix[1:].upper()}"
            # Opus always comes back at 48 kHz, so what was 16 kHz is narrow there.
            told = flags | {"NARROW_BAND": None} if suffix == ".opus" else flags
            folder.add(samples, rate_hz, part=part, group=group, flags=told, suffix=suffix, kbit_s=kbit_s)
    for _ in range(JOINED):
        samples = minute(part, random)
        noise = recordings.noise_for("pink", len(samples), 16_000, random) * recordings.decibels(-78)
        told = flags | SEVERAL_READERS
        folder.add(limited(samples + noise), 16_000, part=part, group="a minute joined", flags=told, suffix=".flac")


def minute(part, random):
    """Utterances one after the other, with pauses of half a second."""
    voices = studio(part)
    pieces, gap = [], np.zeros(8_000, np.float32)
    while sum(map(len, pieces)) < 60 * 16_000:
        pieces += [voices[random.integers(len(voices))].at(16_000), gap]
    return np.concatenate(pieces)


def studio(part):
    """Far over their own floor, not clipped before they were published, and without a pause that is nearly too long."""
    return [
        u for u in recordings.clean(part, RANGE_DB) if u.own_pause_s < LONGEST_PAUSE_S and not recordings.piled_up(u)
    ]


def limited(samples):
    """Turned down where it would clip."""
    return samples / max(1.0, float(abs(samples).max()) / 0.8)
