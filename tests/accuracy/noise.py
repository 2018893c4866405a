"""Labelled cases of noise and hum: clean voices with noise of known power, mains hum, and gates that hide the noise.

The voices are `recordings.clean`, their own pauses faded to digital silence, so that the noise that is added is the noise
there is. Up to 40 dB, that is; what a voice's own room leaves under it is 45 dB down and more.
"""

import itertools

import numpy as np
from recordings import ACTIVE_DBFS, NOISES, clean, decibels, noise_for, of_part, unit

GREY = (
    "SNR of 20 to 27 dB, where a tenth of a decibel more would be another answer to NOISY; hum of 29 to 40 dB under the "
    "speech; hum in the engine's recording, which itself holds 50 Hz; hum under readers whose own recording hums."
)
GREY_SNR_DB = (20.0, 27.0)
SPOKEN_DB, HELD_DB = -30.0, 40.0
"""Speech is what comes within 30 dB of the active level, with gaps of 250 ms; what is 40 dB under it, or 6 dB over the
recording's own floor, is faded out."""

HOP_S, BRIDGE_S, FADE_S = 0.01, 0.25, 0.04
LEVELS_DBFS = (-45.0, -36.0, -26.0, -20.0, -16.0)
RATES_HZ = (16_000, 24_000, 44_100)
HUMS = {
    "saw": [1 / k for k in range(1, 9)],
    "odd": [1 / k if k % 2 else 0.1 / k for k in range(1, 10)],
    "fundamental alone": [1.0],
    "without fundamental": [0.0, *(1 / k for k in range(2, 9))],
    "even": [0.0 if k % 2 else 1 / k for k in range(1, 13)],
}


def build(folder, part, random):
    """Add that part's cases."""
    for kind in ("white", "pink", *of_part(NOISES, part)):
        for number in range(12):
            _noisy(folder, part, random, kind, 3.4 * number + random.uniform(0, 3), random.uniform(10, 20))
        _noisy(folder, part, random, kind, random.uniform(12, 35), 90.0)
    for shape in HUMS:
        for kind, snr_db in ((None, 0.0), ("pink", 30.0), ("pink", 20.0)):
            for dbfs in (random.uniform(-55, -45), random.uniform(-45, -20)):
                _humming(folder, part, random, shape, dbfs, kind, snr_db)
    for _ in range(12):
        _untouched(folder, part, random)
    for depth_db in (200.0, 40.0):
        for kind in ("white", "pink"):
            _gated(folder, part, random, kind, random.uniform(5, 17), depth_db)


def voice(part, rate_hz, seconds, random):
    """Clean utterances with pauses of digital silence for that long, and a mask of the speech."""
    found = clean(part)
    pieces, total = [np.zeros(round(random.uniform(0.3, 0.6) * rate_hz), np.float32)], 0
    while total < seconds * rate_hz:
        for i in random.permutation(len(found)):
            samples = found[i].at(rate_hz)
            held = _wide(_loud(samples, rate_hz, -min(found[i].range_db - 6, HELD_DB), BRIDGE_S), rate_hz)
            pieces += [samples * held, np.zeros(round(random.uniform(0.3, 0.8) * rate_hz), np.float32)]
            total += len(samples)
            if total >= seconds * rate_hz:
                break
    samples = np.concatenate(pieces)[: round(seconds * rate_hz)]
    return samples, _loud(samples, rate_hz, SPOKEN_DB, BRIDGE_S)


def _loud(samples, rate_hz, over_db, bridge_s):
    """Where 10 ms come that near to the active level, short gaps closed."""
    hop = round(HOP_S * rate_hz)
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    loud = 10 * np.log10(np.mean(np.square(frames, dtype=np.float64), axis=1) + 1e-14) > ACTIVE_DBFS + over_db
    places = np.flatnonzero(loud)
    for first, last in itertools.pairwise(places):
        if (last - first) * HOP_S < bridge_s:
            loud[first:last] = True
    return np.append(np.repeat(loud, hop), np.zeros(len(samples) - len(frames) * hop, bool))


def _wide(mask, rate_hz):
    """A gain that is 1 on the mask and fades to 0 around it."""
    reach = round(FADE_S * rate_hz)
    sums = np.concatenate((np.zeros(reach), np.cumsum(np.pad(mask.astype(np.float64), reach, mode="edge"))))
    near = (sums[2 * reach :] - sums[: -2 * reach])[: len(mask)] > 0
    sums = np.cumsum(np.pad(near.astype(np.float64), reach, mode="edge"))
    return ((sums[2 * reach :] - sums[: -2 * reach])[: len(mask)] / (2 * reach)).astype(np.float32)


def _mixed(part, rate_hz, seconds, random, noise):
    """A voice with noise of a kind that far under its mean power, and its mask."""
    samples, spoken = voice(part, rate_hz, seconds, random)
    kind, snr_db = noise
    if kind is None:
        return samples, spoken
    power = np.mean(np.square(samples[spoken], dtype=np.float64))
    return samples + noise_for(kind, len(samples), rate_hz, random) * np.sqrt(power) * decibels(-snr_db), spoken


def _noisy(folder, part, random, kind, snr_db, seconds):
    rate_hz, level_dbfs = int(random.choice(RATES_HZ)), float(random.choice(LEVELS_DBFS))
    samples, _ = _mixed(part, rate_hz, seconds, random, (kind, snr_db))
    grey = GREY_SNR_DB[0] <= snr_db <= GREY_SNR_DB[1]
    flags = {"NOISY": None if grey else snr_db < GREY_SNR_DB[0], "HUM": None if kind == "engine" else False}
    numbers = {"noise.snr_db": snr_db}
    folder.add(
        np.clip(samples * decibels(level_dbfs - ACTIVE_DBFS), -1, 1),
        rate_hz,
        part=part,
        group=f"noise: {kind}",
        flags=flags,
        numbers=numbers,
    )


def _humming(folder, part, random, shape, dbfs, kind, snr_db):
    rate_hz, mains_hz = int(random.choice(RATES_HZ)), float(random.choice((50.0, 60.0)))
    samples, _ = _mixed(part, rate_hz, random.uniform(10, 15), random, (kind, snr_db))
    at = np.arange(len(samples)) / rate_hz * (mains_hz + random.uniform(-0.15, 0.15))
    waves = [height * np.sin(2 * np.pi * (k * at + random.random())) for k, height in enumerate(HUMS[shape], 1)]
    summed = np.clip(samples + unit(sum(waves)) * decibels(dbfs), -1, 1)
    folder.add(
        summed, rate_hz, part=part, group=f"hum: {shape}", flags={"HUM": True}, numbers={"noise.hum_hz": mains_hz}
    )


def _untouched(folder, part, random):
    """An utterance as its reader recorded it: no noise, no floor and no hum to speak of, and no ratio to hold against it."""
    found = clean(part)
    utterance = found[int(random.integers(len(found)))]
    flags = {"NOISY": False, "NOISE_FLOOR": False, "HUM": False}
    folder.add(utterance.samples, utterance.rate_hz, part=part, group="clean", flags=flags)


def _gated(folder, part, random, kind, snr_db, depth_db):
    """Noise under the voice that is taken out of the pauses."""
    rate_hz = int(random.choice(RATES_HZ))
    samples, spoken = _mixed(part, rate_hz, random.uniform(10, 20), random, (kind, snr_db))
    opened = np.maximum(_wide(spoken, rate_hz), decibels(-depth_db))
    folder.add(samples * opened, rate_hz, part=part, group=f"gated by {depth_db:.0f} dB", flags={"UNSURE": True})
