"""Flaws of the sound: what is wrong can be heard, in a sound file. Makers take the clip's name, its text's seed."""

import numpy as np
from encode import FLAC, MP3_STEREO, VORBIS, WEBM, encode
from sound import RATE_HZ, ROOM_DBFS, SPEECH_LUFS, Samples, decibels, level, resample, shaped_noise, with_room
from specimen import Specimen, clean
from voice import Span, paced, reading

_STEREO_LUFS = SPEECH_LUFS - 3.0


def _shouted(samples: Samples, rate_hz: int, boost_db: float) -> Samples:
    """Lifts the loudest instant of every two seconds, and a fifth of a second around it."""
    gain_db = np.zeros(len(samples))
    window = np.hanning(2 * rate_hz // 5)
    for start in range(0, len(samples) - rate_hz, 2 * rate_hz):
        middle = start + int(np.argmax(np.abs(samples[start : start + 2 * rate_hz])))
        first = min(max(0, middle - len(window) // 2), len(samples) - len(window))
        gain_db[first : first + len(window)] = np.maximum(gain_db[first : first + len(window)], boost_db * window)
    return samples * 10 ** (gain_db / 20)


def _clipping(name: str, boost_db: float) -> tuple[Samples, tuple[Span, ...]]:
    """A reading at FLAC's rate, its shouted words cut off at full scale, and when the flat tops begin and end."""
    samples = _shouted(resample(clean(name, 9), RATE_HZ, FLAC.rate_hz), FLAC.rate_hz, boost_db)
    samples = np.clip(samples, -1.0, 1.0)
    flat = np.flatnonzero(
        (np.abs(samples) >= 1.0)[:-2] & (samples[:-2] == samples[1:-1]) & (samples[1:-1] == samples[2:])
    )
    groups = np.split(flat, np.flatnonzero(np.diff(flat) > FLAC.rate_hz // 20) + 1)
    spans = tuple((group[0] / FLAC.rate_hz, (group[-1] + 3) / FLAC.rate_hz) for group in groups)
    return samples, spans


def clipped(name: str) -> Specimen:
    """Words that are far too loud for the converter, so many that they are a share of the voice."""
    samples, spans = _clipping(name, 17)
    return Specimen(encode(samples, FLAC, FLAC.rate_hz), spans)


def clipped_then_turned_down(name: str) -> Specimen:
    """A few words too loud for the converter, then all attenuated by 6 dB: flat tops with room above them."""
    samples, spans = _clipping(name, 7.5)
    return Specimen(encode(samples * decibels(-6), FLAC, FLAC.rate_hz), spans)


def too_brief(name: str) -> Specimen:
    """A third of a second from the middle of a word: less than loudness can be measured in."""
    samples = clean(name, 9)
    loudest = int(np.argmax(np.abs(samples)))
    start = max(0, loudest - RATE_HZ // 6)
    return Specimen(encode(resample(samples[start : start + RATE_HZ // 3], RATE_HZ, FLAC.rate_hz), FLAC, FLAC.rate_hz))


def hot_peak(name: str) -> Specimen:
    """Peaks that are limited, and too close to full scale."""
    return Specimen(encode(with_room(level(reading(name, 10), -17.0, -0.05), name), VORBIS))


def too_quiet(name: str) -> Specimen:
    """Speech from far away from the gain knob, and the room with it."""
    return Specimen(encode(with_room(level(reading(name, 12), -36.0), name, ROOM_DBFS - 12), WEBM))


def too_loud(name: str) -> Specimen:
    """Speech that a compressor brought up, 20 ms at a time, with its peaks still in order."""
    samples = reading(name, 12)
    step = RATE_HZ // 50
    envelope = np.sqrt(np.convolve(samples**2, np.hanning(4 * step) / (2 * step), "same"))
    squeezed = samples * (envelope + 0.005) ** -0.6
    for _ in range(3):
        squeezed = level(squeezed, -13.0, -4.5)
    return Specimen(encode(with_room(squeezed, name), WEBM))


def dc_offset(name: str) -> Specimen:
    """A reading that rides on a constant 3 % of full scale."""
    return Specimen(encode(clean(name, 10) + 0.03, VORBIS))


def _with_pauses(name: str, pauses_s: list[float]) -> Specimen:
    samples, spans = paced(name, pauses_s)
    long = tuple(span for span in spans if span[1] - span[0] >= 2.0)
    return Specimen(encode(with_room(level(samples), name), WEBM), long)


def long_pause(name: str) -> Specimen:
    """Pauses of 2.6 s and 3.4 s, and an ordinary one."""
    return _with_pauses(name, [0.5, 2.6, 3.4])


def pause_heavy(name: str) -> Specimen:
    """Four pauses of 4 to 5 s in a clip of more than a minute, about a quarter of it."""
    return _with_pauses(name, [0.5, 4.2, 0.6, 0.4, 5.0, 0.5, 4.5, 0.7, 0.6, 4.0, 0.5])


def edge_silence(name: str) -> Specimen:
    """Three seconds before the first word and two and a half after the last."""
    samples, _ = paced(name, [0.5, 0.6], (3.0, 2.5))
    length_s = len(samples) / RATE_HZ
    return Specimen(encode(with_room(level(samples), name), WEBM), ((0.0, 3.0), (length_s - 2.5, length_s)))


def no_speech(name: str) -> Specimen:
    """The noise of a fan, as loud as speech would be, and nobody there."""
    return Specimen(encode(level(shaped_noise(12 * RATE_HZ, name, 1.2, 200.0), -26.0), WEBM))


def dead_channel(name: str) -> Specimen:
    """The voice on the left, nothing on the right."""
    samples = clean(name, 10)
    return Specimen(encode(np.stack([samples, np.zeros(len(samples))], axis=1), MP3_STEREO))


def inverted_channels(name: str) -> Specimen:
    """The right side is the left one upside down, as from a miswired cable: their mean is silence."""
    samples = clean(name, 10) * decibels(_STEREO_LUFS - SPEECH_LUFS)
    return Specimen(encode(np.stack([samples, -samples], axis=1), MP3_STEREO))


def different_channels(name: str) -> Specimen:
    """One passage on the left, another on the right that begins in its middle, so that the silences differ."""
    sides = [clean(f"{name} {side}", 10) * decibels(_STEREO_LUFS - SPEECH_LUFS) for side in ("left", "right")]
    length = min(map(len, sides))
    left, right = sides[0][:length], np.roll(sides[1][:length], length // 2)
    return Specimen(encode(np.stack([left, right], axis=1), MP3_STEREO))
