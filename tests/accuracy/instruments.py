"""Music made of numbers: notes of several instruments, arranged as chords, arpeggios, melodies, bass and drums in any key."""

import numpy as np
from scipy import signal

PROGRESSIONS = ((0, 5, 3, 4), (0, 3, 4, 0), (5, 3, 0, 4), (0, 4, 5, 3), (1, 4, 0, 0))
"""Degrees of the scale on which the chords of four bars stand."""

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


def envelope(frames, rate_hz, attack_s, decay_s, release_s=0.05):
    """Rises, decays by a factor of e in each `decay_s`, and is faded out at its end."""
    at = np.arange(frames) / rate_hz
    shape = np.minimum(at / attack_s, 1) * np.exp(-at / decay_s)
    return shape * np.clip((frames / rate_hz - at) / release_s, 0, 1)


def partials(hz, frames, rate_hz, weights, stretch=0.0):
    """Harmonics of those weights; `stretch` is a string's inharmonicity B (f_k = k f sqrt(1 + B k^2))."""
    at = 2 * np.pi * np.arange(frames) / rate_hz
    tone = np.zeros(frames)
    for k, weight in enumerate(weights, 1):
        own = k * hz * np.sqrt(1 + stretch * k * k)
        if own < 0.45 * rate_hz:
            tone += weight * np.sin(own * at + k)
    return tone


def pad(hz, frames, rate_hz, random):
    """Three detuned voices that swell."""
    tones = [partials(hz * 2 ** (c / 1200), frames, rate_hz, 1 / np.arange(1, 9) ** 1.3) for c in (-4, 0, 4)]
    return sum(tones) * envelope(frames, rate_hz, 0.3, 20.0, 0.3)


def organ(hz, frames, rate_hz, random):
    return partials(hz, frames, rate_hz, (1, 0.8, 0.6, 0.5, 0, 0.3, 0, 0.3)) * envelope(frames, rate_hz, 0.02, 50.0)


def piano(hz, frames, rate_hz, random):
    """Stretched partials, the higher ones shorter."""
    at = 2 * np.pi * np.arange(frames) / rate_hz
    tone = np.zeros(frames)
    for k in range(1, 13):
        own = k * hz * np.sqrt(1 + 4e-4 * k * k)
        if own < 0.45 * rate_hz:
            tone += (
                np.sin(own * at + k) / k * envelope(frames, rate_hz, 0.004, 1.2 / (1 + 0.25 * k) * (220 / hz) ** 0.4)
            )
    return tone


def pluck(hz, frames, rate_hz, random):
    """Karplus and Strong's string: a burst of noise in a delay line with a two-point mean (CMJ 7, 1983)."""
    period = max(round(rate_hz / hz - 0.5), 2)
    burst = np.zeros(frames)
    burst[:period] = random.uniform(-1, 1, min(period, frames))
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1, -0.498, -0.498
    return signal.lfilter([1.0], loop, burst) * envelope(frames, rate_hz, 0.002, 5.0)


def bell(hz, frames, rate_hz, random):
    """Frequency modulation at an inharmonic ratio (Chowning, JAES 21, 1973)."""
    at = 2 * np.pi * np.arange(frames) / rate_hz
    return np.sin(hz * at + 3 * envelope(frames, rate_hz, 0.001, 0.7) * np.sin(1.4 * hz * at)) * envelope(
        frames, rate_hz, 0.002, 1.0
    )


def electric_piano(hz, frames, rate_hz, random):
    at = 2 * np.pi * np.arange(frames) / rate_hz
    index = 1.5 * envelope(frames, rate_hz, 0.002, 0.4)
    return np.sin(hz * at + index * np.sin(hz * at)) * envelope(frames, rate_hz, 0.004, 1.5)


def strings(hz, frames, rate_hz, random):
    """Four saws, each with a vibrato of its own of 15 to 25 cents."""
    at = np.arange(frames) / rate_hz
    total = np.zeros(frames)
    for _ in range(4):
        cents = random.uniform(15, 25) * np.sin(2 * np.pi * random.uniform(4.5, 6) * at + random.uniform(0, 6))
        phase = 2 * np.pi * np.cumsum(hz * 2 ** ((cents + random.uniform(-6, 6)) / 1200)) / rate_hz
        total += sum(np.sin(k * phase) / k for k in range(1, 9) if k * hz < 0.4 * rate_hz)
    return total * envelope(frames, rate_hz, 0.15, 50.0, 0.15)


def brass(hz, frames, rate_hz, random):
    bright = envelope(frames, rate_hz, 0.08, 2.0)
    at = 2 * np.pi * hz * np.arange(frames) / rate_hz
    return sum(np.sin(k * at) * bright ** (0.5 * k) / k**0.5 for k in range(1, 11) if k * hz < 0.45 * rate_hz)


def kick(frames, rate_hz, random):
    at = np.arange(frames) / rate_hz
    return 2.5 * np.sin(2 * np.pi * (50 * at - 4 * np.exp(-at / 0.03))) * np.exp(-at / 0.12)


def snare(frames, rate_hz, random):
    at = np.arange(frames) / rate_hz
    return (random.standard_normal(frames) + np.sin(2 * np.pi * 190 * at)) * np.exp(-at / 0.07)


def hat(frames, rate_hz, random):
    noise = np.diff(random.standard_normal(frames + 2), 2)
    return 0.25 * noise * np.exp(-np.arange(frames) / rate_hz / 0.03)


class Score:
    """A stretch of silence into which notes are put."""

    def __init__(self, seconds, rate_hz, random):
        self.samples, self.rate_hz, self.random = np.zeros(round(seconds * rate_hz)), rate_hz, random

    def put(self, at_s, sound, gain=1.0):
        first = round(at_s * self.rate_hz)
        room = len(self.samples) - first
        if room > 0:
            self.samples[first : first + len(sound)] += gain * sound[:room]

    def note(self, at_s, length_s, midi, instrument, gain=1.0):
        hz, frames = 440 * 2 ** ((midi - 69) / 12), max(round(length_s * self.rate_hz), 8)
        sound = instrument(hz, frames, self.rate_hz, self.random)
        self.put(at_s, sound / (np.sqrt(np.mean(sound**2)) + 1e-9), gain)


def chords(score, beat_s, chord, at_s, instrument):
    for midi in chord:
        score.note(at_s, 4 * beat_s, midi, instrument)


def arpeggio(score, beat_s, chord, at_s, instrument):
    for i in range(8):
        score.note(at_s + i * beat_s / 2, 1.5 * beat_s, chord[(0, 1, 2, 1)[i % 4]] + 12 * (i == 5), instrument)


def melody(score, beat_s, chord, at_s, instrument):
    """One voice, in notes of a half to two beats, over its chord's root."""
    place = 0.0
    while place < 4:
        length = min(float(score.random.choice((0.5, 1, 1, 2))), 4 - place)
        score.note(at_s + place * beat_s, length * beat_s, 12 + int(score.random.choice(chord)), instrument)
        place += length
    score.note(at_s, 4 * beat_s, chord[0] - 12, instrument, 0.7)


def bass(score, beat_s, chord, at_s, instrument):
    for i in range(8):
        score.note(at_s + i * beat_s / 2, beat_s / 2, chord[0] - 12 * (i % 2 == 0) - 12, instrument)


def drums(score, beat_s, at_s):
    size = round(0.5 * score.rate_hz)
    for i in range(8):
        score.put(at_s + i * beat_s / 2, hat(size, score.rate_hz, score.random))
        if i % 4 == 0:
            score.put(at_s + i * beat_s / 2, kick(size, score.rate_hz, score.random))
        if i % 4 == 2:
            score.put(at_s + i * beat_s / 2, snare(size, score.rate_hz, score.random))


def piece(parts, seconds, rate_hz, random, *, tempo=None, beat=False):
    """Music with mean power 1: `parts` are pairs of an arrangement and an instrument; `beat` adds drums."""
    tempo = random.uniform(60, 160) if tempo is None else tempo
    score, beat_s = Score(seconds, rate_hz, random), 60 / tempo
    key, scale = int(random.integers(50, 62)), (MAJOR, MINOR)[int(random.integers(2))]
    progression = PROGRESSIONS[int(random.integers(len(PROGRESSIONS)))]
    for bar in range(int(seconds / (4 * beat_s)) + 1):
        degree = progression[bar % 4]
        chord = [key + scale[(degree + step) % 7] + 12 * ((degree + step) // 7) for step in (0, 2, 4)]
        for arrange, instrument in parts:
            arrange(score, beat_s, chord, 4 * beat_s * bar, instrument)
        if beat:
            drums(score, beat_s, 4 * beat_s * bar)
    return ring(score.samples, rate_hz, random)


def ring(samples, rate_hz, random, t60_s=1.2, wet=0.25):
    """A little hall, at mean power 1."""
    at = np.arange(round(t60_s * rate_hz)) / rate_hz
    tail = random.standard_normal(len(at)) * 10 ** (-3 * at / t60_s)
    wetted = signal.fftconvolve(samples, tail / np.sqrt(np.sum(tail**2)))[: len(samples)]
    mixed = samples + wet * wetted
    return (mixed / np.sqrt(np.mean(mixed**2) + 1e-12)).astype(np.float32)


STYLES = {
    "tuning": {
        "pad": (((chords, pad),), False),
        "organ": (((chords, organ), (bass, organ)), False),
        "piano": (((arpeggio, piano), (chords, piano)), False),
        "guitar": (((arpeggio, pluck),), False),
        "band": (((bass, pluck), (chords, organ)), True),
        "piano melody": (((melody, piano),), False),
        "bass and drums": (((bass, pluck),), True),
    },
    "held out": {
        "bells": (((arpeggio, bell),), False),
        "electric piano": (((chords, electric_piano), (melody, electric_piano)), False),
        "strings": (((chords, strings),), False),
        "brass": (((chords, brass),), True),
        "beat": (((arpeggio, electric_piano), (bass, brass)), True),
        "bell melody": (((melody, bell),), False),
    },
}
"""Arrangements and whether drums play, apart by instrument."""
