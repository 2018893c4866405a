"""Flaws of the place and the apparatus: noise, hum, rooms, music, gaps and filters around a good voice."""

import functools

import numpy as np
from encode import FLAC, MP3, WEBM, encode
from sound import RATE_HZ, SPEECH_LUFS, Samples, decibels, level, resample, shaped_noise, with_room
from specimen import Specimen, clean
from voice import Span, reading

_MAINS_HZ = 50.0
_HUM_DBFS = -44.0
_GAP_S = 0.04
_GAPS = 6
_CHORDS_HZ = ((220.0, 277.18, 329.63), (146.83, 220.0, 293.66), (196.0, 246.94, 392.0), (164.81, 246.94, 329.63))


def noisy(name: str) -> Specimen:
    """A fan that runs 14 dB under the voice, in its pauses too."""
    samples = clean(name, 12)
    return Specimen(encode(samples + decibels(SPEECH_LUFS - 14) * shaped_noise(len(samples), name, 1.0, 300.0), WEBM))


def hum(name: str) -> Specimen:
    """The mains, 50 Hz and eleven harmonics, as through a bad cable."""
    samples = clean(name, 12)
    at = np.arange(len(samples)) / RATE_HZ
    mains = np.sum([np.sin(2 * np.pi * _MAINS_HZ * k * at + k * k) / k for k in range(1, 13)], axis=0)
    return Specimen(encode(samples + decibels(_HUM_DBFS) * mains / np.sqrt(np.mean(mains**2)), WEBM))


def dropouts(name: str) -> Specimen:
    """Six gaps of 40 ms where the loudest words are, as when a buffer ran empty."""
    samples = resample(clean(name, 12), RATE_HZ, FLAC.rate_hz)
    size = round(_GAP_S * FLAC.rate_hz)
    spans: list[Span] = []
    for part in np.array_split(np.arange(FLAC.rate_hz, len(samples) - FLAC.rate_hz), _GAPS):
        middle = int(part[np.argmax(np.abs(samples[part]))])
        samples[middle - size // 2 : middle + size // 2] = 0
        spans.append(((middle - size // 2) / FLAC.rate_hz, (middle + size // 2) / FLAC.rate_hz))
    return Specimen(encode(samples, FLAC, FLAC.rate_hz), tuple(spans))


def uneven(name: str) -> Specimen:
    """Two takes in one file, the second 10 dB lower."""
    halves = [clean(f"{name} {half}", 14) for half in ("first", "second")]
    return Specimen(encode(np.concatenate((halves[0], halves[1] * decibels(-10))), WEBM))


def poor(name: str) -> Specimen:
    """The voice torn by a noise suppressor that is too strong: a third of its time and pitch is missing, here and there."""
    samples = clean(name, 62)
    size = RATE_HZ // 50
    rows = np.fft.rfft(_windows(samples, size))
    bands = np.random.default_rng(5).random((len(rows), 40)) > 0.35
    rows *= np.repeat(bands, -(-rows.shape[1] // 40), axis=1)[:, : rows.shape[1]]
    torn = np.zeros((len(rows) + 1) * size)
    for at, row in enumerate(np.fft.irfft(rows)):
        torn[at * size : (at + 2) * size] += row
    return Specimen(encode(with_room(level(torn), name), WEBM))


def _windows(samples: Samples, size: int) -> Samples:
    """Windows of twice that size, half over the next, that add up to the signal."""
    window = np.hanning(2 * size + 1)[:-1]
    starts = range(0, len(samples) - 2 * size, size)
    return np.stack([samples[start : start + 2 * size] * window for start in starts])


def music(name: str) -> Specimen:
    """Ten seconds of a chord progression under the middle of a passage, 6 dB under the voice."""
    samples = clean(name, 20)
    start, chord = 5 * RATE_HZ, round(1.25 * RATE_HZ)
    at = np.arange(chord) / RATE_HZ
    fade = np.minimum(1, np.minimum(at, at[::-1]) / 0.05) * np.exp(-at / 2)
    bed = np.concatenate([sum(_note(hz, at) for hz in _CHORDS_HZ[i % 4]) * fade for i in range(8)])
    samples[start : start + len(bed)] += bed * decibels(SPEECH_LUFS - 6) / np.sqrt(np.mean(bed**2))
    return Specimen(encode(level(samples), WEBM), ((5.0, 5.0 + len(bed) / RATE_HZ),))


def _note(hz: float, at: Samples) -> Samples:
    return np.asarray(sum(np.sin(2 * np.pi * hz * k * at) / k**1.5 for k in range(1, 7)), dtype=np.float64)


def reverberant(name: str) -> Specimen:
    """A bare room that rings for 1.2 s, the voice two metres from the microphone."""
    samples = level(reading(name, 14))
    at = np.arange(round(1.3 * RATE_HZ)) / RATE_HZ
    tail = np.random.default_rng(7).standard_normal(len(at)) * 10 ** (-3 * at / 1.2)
    response = np.concatenate(([1.0], 0.9 * tail / np.sqrt(np.sum(tail**2))))
    size = len(samples) + len(response)
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
    return Specimen(encode(with_room(level(wet), name), WEBM))


def telephone(name: str) -> Specimen:
    """A call: 8 kHz, brought back to 24 kHz."""
    narrow = resample(clean(name, 10), RATE_HZ, 8_000)
    return Specimen(encode(resample(narrow, 8_000, RATE_HZ), FLAC))


def second_copy(name: str) -> Specimen:
    """The take of near-duplicate-a, 6 dB lower, without its first two seconds, as MP3."""
    del name
    return Specimen(encode(_take()[2 * RATE_HZ :] * decibels(-6), MP3))


def first_copy(name: str) -> Specimen:
    """A take of which there is another copy."""
    del name
    return Specimen(encode(_take(), FLAC))


@functools.cache
def _take() -> Samples:
    return clean("near-duplicate", 14)


def quieter_than_the_rest(name: str) -> Specimen:
    """In order by itself, and 8 dB under all others."""
    return Specimen(encode(clean(name, 12) * decibels(-8.5), WEBM))


def another_microphone(name: str) -> Specimen:
    """The same voice through a dull and boomy microphone."""
    samples = clean(name, 14)
    bins = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    gain_db = 9 / (1 + (hz / 250) ** 4) - 16 / (1 + (2_500 / np.maximum(hz, 1)) ** 4)
    return Specimen(encode(level(np.fft.irfft(bins * 10 ** (gain_db / 20), len(samples))), WEBM))
