"""How well pauses are found: real voices with pauses of known place, in noise of known level, through derive and measure.

`python tests/accuracy/pauses.py [ENGINE] [SCENES]` prints a table a condition, for readers that thresholds were chosen
with and for readers that were kept out of that, and counts false long pauses in an hour and more of reading without any.

The utterances are LibriSpeech's and LJSpeech's. Each is cut to where speech begins and ends in the clean recording: from the
outermost 20 ms that come within 15 dB of its active speech level (ITU-T P.56), outwards while it stays within 30 dB of it,
bridging 30 ms. What lies lower is breath, reverberation and room: a cut at -40 dB left up to half a second of breath before
a first word. Utterances whose own noise hides their edges, or that pause for long themselves, are left out.
"""

import functools
import sys
from dataclasses import dataclass

import numpy as np
import recordings
from recordings import ACTIVE_DBFS, PARTS, SURE_DB, decibels

from pipeline.checks.speech import SpeechMeter
from pipeline.readings import Speech
from pipeline.records import Block, Span, StreamInfo
from pipeline.stages import derive

RATE_HZ = 16_000
INFO = StreamInfo("wav", "pcm_f32le", RATE_HZ, 1, positions=("FC",))
HOP = RATE_HZ // 100

EDGE_DB, BRIDGE = 30.0, 3
CLEAR_DB, AUDIBLE_DB = 40.0, 20.0
"""How far an utterance's active level is over its own floor, for its edges to be known, and for its pauses to be."""

OWN_PAUSE_S = 1.5
REVERBERANT = ("78", "4788")
"""Readers whose last word fades through the 20 dB under their voice for 0.2 s and more, so that noise decides its end."""

LONG_S, EDGE_S = 2.0, 0.15
LEVELS_DBFS = (-45.0, -36.0, -30.0, -23.0, -16.0)
STEADY = ("white", "pink", "hum")
CONDITIONS = [
    (None, 99.0),
    ("pink", 60.0),
    *((kind, snr) for kind in (*STEADY, *recordings.NOISES) for snr in (30.0, 20.0, 15.0)),
]
"""What lies under voice and pauses, and how far under the voice: digital silence, a quiet room's tone, and noise."""


@dataclass(frozen=True)
class Utterance:
    """Speech from its first to its last sample at -26 dBFS active level; `range_db` is how far it stands over its floor."""

    reader: str
    samples: np.ndarray
    range_db: float
    own_pause_s: float


@dataclass(frozen=True)
class Scene:
    """Utterances with pauses between them, which lie at `pauses`."""

    samples: np.ndarray
    pauses: tuple[Span, ...]


@functools.cache
def utterances(part: str) -> tuple[Utterance, ...]:
    """Those of one part, from their first word to their last."""
    return tuple(_trimmed(voice) for voice in recordings.utterances(part))


def with_known_edges(found):
    return [u for u in found if u.range_db > CLEAR_DB and u.own_pause_s < OWN_PAUSE_S and u.reader not in REVERBERANT]


def without_pauses(found):
    return [u for u in found if u.range_db > AUDIBLE_DB and u.own_pause_s < OWN_PAUSE_S]


def joined(parts, gaps_s, ends_s=(0.5, 0.5)):
    """Utterances with digital silence of those lengths between them, and before and after them."""
    pieces, pauses, at = [np.zeros(round(ends_s[0] * RATE_HZ), np.float32)], [], round(ends_s[0] * RATE_HZ)
    for part, gap_s in zip(parts, [*gaps_s, ends_s[1]], strict=True):
        gap = round(gap_s * RATE_HZ)
        pieces += [part.samples, np.zeros(gap, np.float32)]
        at += len(part.samples)
        pauses.append(Span(at / RATE_HZ, (at + gap) / RATE_HZ))
        at += gap
    return Scene(np.concatenate(pieces), tuple(pauses[:-1]))


def dressed(scene, kind, snr_db, level_dbfs, random):
    """The scene with noise that far under the voice, and the whole with the voice at that active level."""
    samples = scene.samples
    if kind is not None:
        samples = samples + noise(kind, len(samples), random) * np.float32(decibels(ACTIVE_DBFS - snr_db))
    return np.clip(samples * np.float32(decibels(level_dbfs - ACTIVE_DBFS)), -1, 1)


def noise(kind, frames, random):
    """Noise of mean power 1."""
    if kind != "hum":
        return recordings.noise_for(kind, frames, RATE_HZ, random).astype(np.float32)
    at = np.arange(frames) / RATE_HZ
    made = sum(np.sin(2 * np.pi * 50 * k * at + k) / k for k in range(1, 8)) + 0.1 * random.standard_normal(frames)
    return recordings.unit(made).astype(np.float32)


def heard(samples, engine="pyannet"):
    """The reading of the speech subject, by way of the stages that a file goes."""
    meter = SpeechMeter(INFO)
    blocks = (Block(samples[i : i + RATE_HZ, None], i, RATE_HZ) for i in range(0, len(samples), RATE_HZ))
    for block in derive.derive(INFO, blocks, derive.activity_engine(engine)):
        meter.feed(block)
    reading = meter.read()
    assert isinstance(reading, Speech)
    return reading


@dataclass
class Tally:
    """What became of the pauses of 2 to 10 s, and of others."""

    found: int = 0
    pauses: int = 0
    errors_s: list = None
    false: int = 0

    def __post_init__(self):
        self.errors_s = []

    def add(self, scene, speech):
        """Each true pause is matched with the one heard that shares most with it; a long one without a match is false."""
        matched = set()
        for true in scene.pauses:
            best = max(
                speech.pauses, key=lambda p: min(p.end_s, true.end_s) - max(p.start_s, true.start_s), default=None
            )
            shared = best is not None and min(best.end_s, true.end_s) > max(best.start_s, true.start_s)
            if true.length_s >= LONG_S:
                self.pauses += 1
                self.found += shared and best.length_s >= LONG_S - 2 * EDGE_S
                self.errors_s.append((best.start_s - true.start_s, best.end_s - true.end_s) if shared else (9.0, 9.0))
                matched.add(best)
        self.false += sum(p.length_s >= LONG_S for p in speech.pauses if p not in matched)

    def __str__(self):
        errors = np.abs(self.errors_s)
        middle, most, worst = np.percentile(errors, (50, 95, 100))
        return (
            f"{self.pauses:5d} {self.found / self.pauses:7.1%} {np.mean(errors <= EDGE_S):7.1%} "
            f"{np.mean(errors.max(axis=1) <= EDGE_S):7.1%} {middle:6.3f} {most:6.3f} {worst:6.2f} {self.false:5d}"
        )


def pauses_in(kind, snr_db, found, random, engine="pyannet", scenes=1):
    """The tally of scenes of nine utterances with six long pauses and two of 1.0 to 1.7 s between them."""
    tally = Tally()
    for _ in range(scenes):
        parts = [found[i] for i in random.permutation(len(found))[:9]]
        gaps_s = random.permutation(np.concatenate((random.uniform(2, 10, 6), random.uniform(1.0, 1.7, 2))))
        scene = joined(parts, gaps_s, random.uniform(0.2, 1.0, 2))
        tally.add(scene, heard(dressed(scene, kind, snr_db, random.choice(LEVELS_DBFS), random), engine))
    return tally


def false_pauses(kind, snr_db, found, random, engine="pyannet"):
    """How many long pauses are heard where everybody pauses for 0.3 to 0.8 s at most, and in how many seconds."""
    parts = [found[i] for i in random.permutation(len(found))]
    scene = joined(parts, random.uniform(0.3, 0.8, len(parts) - 1))
    speech = heard(dressed(scene, kind, snr_db, random.choice(LEVELS_DBFS[1:]), random), engine)
    return sum(p.length_s >= LONG_S for p in speech.pauses), len(scene.samples) / RATE_HZ


def _trimmed(voice):
    samples = voice.at(RATE_HZ)
    level_db = recordings.levels_db(samples, RATE_HZ)
    first, last = _outwards(level_db, -1), _outwards(level_db, 1)
    cut = samples[first * HOP : (last + 2) * HOP].copy()
    fade = np.linspace(0, 1, HOP // 2, dtype=np.float32)
    cut[: len(fade)] *= fade
    cut[-len(fade) :] *= fade[::-1]
    return Utterance(voice.reader, cut, voice.range_db, voice.own_pause_s)


def _outwards(level_db, step):
    """From the outermost window that is surely speech, the last one outwards that still is."""
    at = last = int(np.flatnonzero(level_db > -SURE_DB)[0 if step < 0 else -1])
    while 0 <= at < len(level_db) and abs(at - last) <= BRIDGE:
        last = at if level_db[at] > -EDGE_DB else last
        at += step
    return last


def main(engine="pyannet", scenes="2"):
    for part in PARTS:
        everybody = utterances(part)
        known, fluent = with_known_edges(everybody), without_pauses(everybody)
        print(f"\n{engine}, {len({u.reader for u in known})} readers, {part}")
        print("                   pauses   found   edges  pauses  median   95 %  worst  false")
        print("                                within 0.15 s   seconds, absolute")
        for number, (kind, snr_db) in enumerate(CONDITIONS):
            tally = pauses_in(kind, snr_db, known, np.random.default_rng(number), engine, int(scenes))
            print(f"{kind or 'silence':8s} {snr_db:4.0f} dB   {tally}", flush=True)
        heard_s = count = 0
        for number, (kind, snr_db) in enumerate(CONDITIONS[:: 3 if part == PARTS[1] else 4]):
            more, seconds = false_pauses(kind, snr_db, fluent, np.random.default_rng(100 + number), engine)
            count, heard_s = count + more, heard_s + seconds
        print(f"false long pauses in {heard_s / 3600:.2f} h of {len({u.reader for u in fluent})} readers: {count}")


if __name__ == "__main__":
    main(*sys.argv[1:])
