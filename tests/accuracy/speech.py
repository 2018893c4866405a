"""Pauses, silence at the ends and clips without speech, in the scenes that pauses.py makes."""

import numpy as np
import pauses

GREY = "pauses of 1.7 to 2.2 s; ends of 1.5 to 2.5 s; pauses that make up 12 to 18 % of the clip; 5 to 20 % speech."

RATE_HZ = pauses.RATE_HZ
CONDITIONS = ((None, 99.0), ("pink", 40.0), ("white", 25.0), ("pink", 20.0), ("street", 25.0), ("room", 20.0))
PER_CONDITION = 2


def build(folder, part, random):
    known = pauses.with_known_edges(pauses.utterances(part))
    fluent = pauses.without_pauses(pauses.utterances(part))
    for kind, snr_db in CONDITIONS:
        for _ in range(PER_CONDITION):
            with_pauses(folder, part, known, (kind, snr_db), random)
            without(folder, part, fluent, (kind, snr_db), random)
            long_ends(folder, part, known, (kind, snr_db), random)
            next_to_nothing(folder, part, (kind, snr_db), random)


def with_pauses(folder, part, known, noise, random):
    """Twelve utterances with few or many long pauses."""
    count = int(random.integers(1, 7))
    gaps_s = random.permutation(np.concatenate((random.uniform(2.2, 8, count), random.uniform(0.3, 1.5, 11 - count))))
    parts = [known[i] for i in random.integers(len(known), size=12)]
    scene = pauses.joined(parts, gaps_s, random.uniform(0.2, 1.0, 2))
    spans = [(p.start_s, p.end_s) for p in scene.pauses if p.length_s >= 2]
    seconds = len(scene.samples) / RATE_HZ
    share = sum(end - start for start, end in spans) / seconds
    heavy = None if 0.12 < share < 0.18 or 50 < seconds < 70 else share > 0.15 and len(spans) >= 3 and seconds >= 60
    add(
        folder,
        scene,
        noise,
        random,
        part=part,
        flags={"LONG_PAUSE": True, "PAUSE_HEAVY": heavy, "EDGE_SILENCE": False, "NO_SPEECH": False},
        spans={"LONG_PAUSE": spans},
    )


def without(folder, part, fluent, noise, random):
    """Fluent reading: everybody pauses for 0.3 to 1 s."""
    parts = [fluent[i] for i in random.integers(len(fluent), size=4)]
    scene = pauses.joined(parts, random.uniform(0.3, 1.0, 3))
    flags = dict.fromkeys(("LONG_PAUSE", "PAUSE_HEAVY", "EDGE_SILENCE", "NO_SPEECH"), False)
    add(folder, scene, noise, random, part=part, flags=flags, spans={"LONG_PAUSE": []})


def long_ends(folder, part, known, noise, random):
    """A few sentences with silence before them, behind them, or neither."""
    ends_s = [random.uniform(2.5, 8) if random.random() < 0.5 else random.uniform(0.1, 1.5) for _ in range(2)]
    parts = [known[i] for i in random.integers(len(known), size=3)]
    scene = pauses.joined(parts, random.uniform(0.3, 1.0, 2), ends_s)
    numbers = {"speech.leading_s": ends_s[0], "speech.trailing_s": ends_s[1]}
    add(folder, scene, noise, random, part=part, flags={"EDGE_SILENCE": max(ends_s) > 2}, numbers=numbers)


def next_to_nothing(folder, part, noise, random):
    """Half a minute of the noise alone, or of digital silence."""
    scene = pauses.Scene(np.zeros(30 * RATE_HZ, np.float32), ())
    add(folder, scene, noise, random, part=part, flags={"NO_SPEECH": True})


def add(folder, scene, noise, random, **case):
    kind, snr_db = noise
    samples = pauses.dressed(scene, kind, snr_db, random.choice(pauses.LEVELS_DBFS[1:]), random)
    folder.add(samples, RATE_HZ, group="silence" if kind is None else f"{kind} noise at {snr_db:.0f} dB", **case)
