"""Reverberation: dry readers in rooms of known T60, synthesised, modelled and measured.

The truth is T20 of the room's impulse response, by Schroeder's backward integration from -5 to -25 dB and extrapolated to 60 dB
(ISO 3382-1, 3382-2), the mean of the octaves at 500 Hz and 1 kHz. Of the measured responses `rir2` is left out: behind its direct
sound there is only noise.

Readers are those who stand 38 dB over their own floor. On the tuning part each of them, unconvolved, has falls so steep that
their own rooms cannot ring for 0.25 s; what they add to a room of 0.2 s lies within the tolerance.
"""

import numpy as np
import recordings
import soxr
from scipy import signal

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""
GREY = (
    "REVERBERANT: T60 within 25 % of the limit, 0.45 to 0.75 s; and where it is longer, but the direct sound is 9 dB over all "
    "reverberation: a close voice with a faint tail, which the ear hardly calls reverberant."
)
TOLERANCE_RATIO, TOLERANCE_S = 0.25, 0.1
"""A T60 is right within a quarter of the truth or 0.1 s, whichever is more, which is also how wide the grey zone is. (ISO 3382-1
has 5 % as the least difference that is heard, side by side.)"""

RATE_HZ = 16_000
OCTAVES_HZ = (500, 1_000)
LIMIT_S = 0.6
NEAR_DB = 9.0
DIRECT_S = 0.0025
READER_DB = 38.0
USABLE = ("rir1", "rir48000", "impulse_response_0")
T60S_S = ((0.2, 0.4), (0.4, 0.8), (0.8, 1.5))
CODED = ((".mp3", 64), (".opus", 24), (".m4a", 64), (".mp3", 128))


def build(folder, part, random):
    dry(folder, part, random)
    for shortest_s, longest_s in T60S_S:
        for make, kind in ((decaying, "synthesised"), (shoebox, "shoebox")):
            for n in range(8):
                group = f"{kind} {shortest_s:g} to {longest_s:g} s"
                t60_s = np.exp(random.uniform(np.log(shortest_s), np.log(longest_s)))
                wet(folder, part, random, make(t60_s, random), group=group, seconds=(10, 20, 30)[n % 3])
    for name in recordings.of_part(recordings.RESPONSES, part):
        for _ in range(5 if name in USABLE else 0):
            wet(folder, part, random, recordings.response(name, RATE_HZ), group=f"measured response {name}")
    for snr_db in (30, 20):
        for n in range(8):
            response = (decaying, shoebox)[n % 2](np.exp(random.uniform(np.log(0.2), np.log(1.5))), random)
            noise = ("white", "pink", *recordings.of_part(recordings.NOISES, part))[n % 4]
            wet(folder, part, random, response, group=f"with noise {snr_db} dB", snr_db=snr_db, noise=noise, seconds=20)
    for n, (suffix, kbit_s) in enumerate(2 * CODED):
        response = (decaying, shoebox)[n % 2](np.exp(random.uniform(np.log(0.2), np.log(1.5))), random)
        wet(folder, part, random, response, group="coded", rate_hz=48_000, suffix=suffix, kbit_s=kbit_s)


def dry(folder, part, random):
    """Utterances as they are, a minute of several joined, and both in noise: none is reverberant."""
    flags = {"REVERBERANT": False}
    for voice in recordings.clean(part, 45.0):
        folder.add(voice.samples, voice.rate_hz, part=part, group="dry, one utterance", flags=flags)
    for n in range(8):
        samples, _ = recordings.long_clean(part, RATE_HZ, 60, random)
        if n % 2:
            samples = noisy(samples, ("pink", "white")[n // 2 % 2], 20, random)
        group = "dry, a minute with noise 20 dB" if n % 2 else "dry, a minute"
        folder.add(samples, RATE_HZ, part=part, group=group, flags=flags)


def wet(folder, part, random, response, *, seconds=15, snr_db=None, noise=None, rate_hz=RATE_HZ, **case):
    """One case of speech in a room, with its T60 and whether it should be flagged."""
    voices, _ = recordings.long_clean(part, RATE_HZ, seconds - 5, random, READER_DB)
    samples = signal.fftconvolve(voices, response)[: len(voices) + RATE_HZ // 2]
    samples *= recordings.decibels(recordings.ACTIVE_DBFS) / np.sqrt(np.mean(np.square(samples)))
    samples = noisy(samples, noise or "white", snr_db or 60, random)
    samples = soxr.resample(samples, RATE_HZ, rate_hz) if rate_hz != RATE_HZ else samples
    t60_s = t20_s(response)
    near = t60_s > LIMIT_S and direct_to_reverberant_db(response) > NEAR_DB
    grey = near or abs(t60_s - LIMIT_S) <= TOLERANCE_RATIO * LIMIT_S
    flags = {"REVERBERANT": None if grey else t60_s >= LIMIT_S}
    folder.add(samples, rate_hz, part=part, flags=flags, numbers={"room.t60_s": t60_s}, **case)


def noisy(samples, kind, snr_db, random):
    """The samples with noise so far under their mean power."""
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    noise = recordings.noise_for(kind, len(samples), RATE_HZ, random)
    return (samples + noise * level * recordings.decibels(-snr_db)).astype(np.float32)


def t20_s(response):
    """The reverberation time of an impulse response at 16 kHz, mean of two octaves."""
    times_s = []
    for middle_hz in OCTAVES_HZ:
        band = signal.butter(4, (middle_hz / 2**0.5, middle_hz * 2**0.5), "bandpass", fs=RATE_HZ, output="sos")
        energy = np.cumsum(np.square(signal.sosfilt(band, response))[::-1])[::-1]
        decay_db = 10 * np.log10(energy / energy[0] + 1e-20)
        at = np.flatnonzero((decay_db <= -5) & (decay_db >= -25))
        times_s.append(-60 / np.polyfit(at / RATE_HZ, decay_db[at], 1)[0])
    return float(np.mean(times_s))


def direct_to_reverberant_db(response):
    """The energy of the first 2.5 ms over that of the rest."""
    energy = np.square(response)
    direct = energy[: round(DIRECT_S * RATE_HZ)].sum()
    return 10 * np.log10(direct / (energy.sum() - direct))


def decaying(t60_s, random):
    """Noise that decays, the quicker the higher its octave, behind a direct sound -3 to 12 dB over it and six reflections."""
    frames = round((1.2 * t60_s + 0.1) * RATE_HZ)
    tail, at = np.zeros(frames), np.arange(frames) / RATE_HZ
    quicker = random.uniform(0.75, 1.0)
    for middle_hz in 125 * 2 ** np.arange(6):
        band = signal.butter(4, (middle_hz / 2**0.5, middle_hz * 2**0.5), "bandpass", fs=RATE_HZ, output="sos")
        decay = 10 ** (-3 * at / (t60_s * quicker ** np.log2(middle_hz / 707)))
        tail += signal.sosfilt(band, random.standard_normal(frames)) * decay
    tail = np.concatenate((np.zeros(round(random.uniform(0.003, 0.02) * RATE_HZ)), tail))
    early = np.zeros(len(tail))
    early[random.integers(round(0.002 * RATE_HZ), round(0.04 * RATE_HZ), 6)] = random.uniform(-0.4, 0.4, 6)
    response = tail / np.linalg.norm(tail) + 0.5 * early / np.linalg.norm(early)
    response *= 10 ** (-random.uniform(-3, 12) / 20) / np.linalg.norm(response)
    response[0] += 1
    return response


def shoebox(t60_s, random):
    """A room of six plane walls by image sources (Allen and Berkley, J. Acoust. Soc. Am. 65, 1979), all walls absorbing alike.

    Absorption is Eyring's for that T60; what it comes to is measured afterwards. Images are moved by 3 cm or so, as no real room
    is so regular that they would arrive in step.
    """
    c_m_s, sides_m = 343.0, random.uniform((2.5, 2.2, 2.2), (7.0, 5.0, 3.2))
    source_m = random.uniform(0.5, sides_m - 0.5)
    away = random.standard_normal(3)
    microphone_m = source_m + away / np.linalg.norm(away) * random.uniform(0.15, 1.2)
    microphone_m = np.clip(microphone_m, 0.3, sides_m - 0.3)
    surface = 2 * sum(sides_m[i] * sides_m[i - 1] for i in range(3))
    t60_s = min(0.8 * t60_s, 1.0)
    reflection = np.exp(-12 * np.log(10) * np.prod(sides_m) / (c_m_s * surface * t60_s))
    reach_m = 1.1 * t60_s * c_m_s
    axes = []
    for side, source, microphone in zip(sides_m, source_m, microphone_m, strict=True):
        order = np.arange(-int(reach_m / 2 / side) - 1, int(reach_m / 2 / side) + 2)
        place = np.concatenate((2 * order * side + source, 2 * order * side - source)) - microphone
        axes.append((place, np.abs(np.concatenate((2 * order, 2 * order - 1)))))
    response = np.zeros(round(reach_m / c_m_s * RATE_HZ) + 100)
    for x, walls in zip(*axes[0], strict=True):
        metres = np.sqrt(x**2 + axes[1][0][:, None] ** 2 + axes[2][0] ** 2)
        hits = walls + axes[1][1][:, None] + axes[2][1]
        near = metres < reach_m
        metres, hits = metres[near], hits[near]
        metres = np.maximum(metres + (hits > 0) * random.normal(0, 0.03, len(metres)), 0.1)
        at = (metres / c_m_s * RATE_HZ).astype(int)
        response += np.bincount(at, reflection**hits / metres, len(response))[: len(response)]
    response = signal.sosfilt(signal.butter(2, 60, "highpass", fs=RATE_HZ, output="sos"), response)
    response = response[int(np.abs(response).argmax()) :]
    return response / np.abs(response[0])
