"""How well music is found: under speech, between it and alone, by instruments that no threshold was tuned on too."""

import numpy as np
import recordings as r
import soxr
from instruments import STYLES, piece
from scipy import signal

RATE_HZ = 16_000

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""

GREY = (
    "Left out: music more than 10 dB under the speech or shorter than 5 s, drums alone, solo singing, single held notes, "
    "sirens of two tones, and test tones of several frequencies. The noise of the market, which holds the carillon of the "
    "town hall."
)
CARILLON = "market"

REAL = {
    "tuning": ("iver56__audiomentations/demo/perfect-alley1.ogg",),
    "held out": (
        "jiaaro__pydub/test/data/test-192khz-32bit.flac",
        "jiaaro__pydub/test/data/test1-8bit.wav",
    ),
}
"""Recordings that are music, judged by their spectrograms: notes with decaying partials in a metre."""

LEVELS_DB = (0.0, -5.0, -10.0)


def build(folder, part, random):
    """Cases of that part: music at known times, and speech with all that is no music."""
    for style in STYLES[part]:
        for level_db in LEVELS_DB:
            _under(folder, part, f"under speech: {style}", _piece(part, style, 12, random), level_db, random)
        _between(folder, part, f"between speech: {style}", _piece(part, style, 8, random), random)
        folder.add(0.05 * _piece(part, style, 15, random), RATE_HZ, part=part, group="alone", flags={"MUSIC": True})
    for path in REAL[part]:
        samples, own_hz = r.decoded(r.AUDIO / path)
        real = r.unit(soxr.resample(samples, own_hz, RATE_HZ))
        for level_db in LEVELS_DB:
            _under(folder, part, "under speech: recorded", real, level_db, random)
        _between(folder, part, "between speech: recorded", real, random)
    for group, spoil in _spoilers(part):
        for _ in range(4):
            spoken, _ = r.long_clean(part, RATE_HZ, 20, random, range_db=0.0)
            spoiled = spoil(spoken, random)
            folder.add(spoiled, RATE_HZ, part=part, group=group, flags={"MUSIC": False})
    for _ in range(4):
        spoken, _ = r.long_clean(part, RATE_HZ, 20, random, range_db=0.0)
        flags = {"MUSIC": False}
        folder.add(spoken, RATE_HZ, part=part, group="MP3", flags=flags, suffix=".mp3", kbit_s=64)


def _piece(part, style, seconds, random):
    parts, beat = STYLES[part][style]
    return piece(parts, seconds, RATE_HZ, random, beat=beat)


def _under(folder, part, group, music, level_db, random):
    spoken, _ = r.long_clean(part, RATE_HZ, 30, random, range_db=30.0)
    first = int(random.integers(2 * RATE_HZ, 10 * RATE_HZ))
    end = min(first + len(music), len(spoken))
    spoken[first:end] += music[: end - first] * r.decibels(r.ACTIVE_DBFS + level_db)
    folder.add(spoken, RATE_HZ, part=part, group=f"{group} at {level_db:.0f} dB", flags={"MUSIC": True})


def _between(folder, part, group, music, random):
    spoken, _ = r.long_clean(part, RATE_HZ, 24, random, range_db=30.0)
    half = len(spoken) // 2
    joined = np.concatenate((spoken[:half], music * r.decibels(r.ACTIVE_DBFS), spoken[half:]))
    folder.add(joined, RATE_HZ, part=part, group=group, flags={"MUSIC": True})


def _spoilers(part):
    """What is no music and may be taken for it, each as a group and a function of speech and a generator."""
    yield "plain", lambda spoken, _: spoken
    for kind in ("white", "pink", *(name for name in r.of_part(r.NOISES, part) if name != CARILLON)):
        yield f"noise: {kind}", lambda spoken, random, kind=kind: _noisy(spoken, kind, random)
    for name in r.of_part(r.RESPONSES, part):
        yield f"room: {name}", lambda spoken, _, name=name: _in_room(spoken, name)
    yield "hum", _humming
    yield "telephone", lambda spoken, _: signal.sosfilt(TELEPHONE, spoken)
    yield "whispered", _whispered
    yield "higher voice", lambda spoken, _: soxr.resample(spoken, RATE_HZ, 13_000)
    yield "lower voice", lambda spoken, _: soxr.resample(spoken, RATE_HZ, 19_000)
    yield "beeps", _beeping


TELEPHONE = signal.butter(6, (300, 3_400), "bandpass", fs=RATE_HZ, output="sos")


def _noisy(spoken, kind, random):
    snr_db = random.uniform(10, 30)
    return spoken + r.noise_for(kind, len(spoken), RATE_HZ, random) * r.decibels(r.ACTIVE_DBFS - snr_db)


def _in_room(spoken, name):
    return signal.fftconvolve(spoken, r.response(name, RATE_HZ))[: len(spoken)] * 0.5


def _humming(spoken, random):
    at = np.arange(len(spoken)) / RATE_HZ
    base = float(random.choice((50.0, 60.0)))
    hum = r.unit(sum(np.sin(2 * np.pi * base * k * at + k) / k for k in range(1, 16)))
    return spoken + hum * r.decibels(r.ACTIVE_DBFS - random.uniform(10, 25))


def _whispered(spoken, random):
    """The same spectrum over time with phases of noise: no pitch is left."""
    _, _, bins = signal.stft(spoken, RATE_HZ, nperseg=320)
    bins = np.abs(bins) * np.exp(2j * np.pi * random.random(bins.shape))
    return signal.istft(bins, RATE_HZ, nperseg=320)[1][: len(spoken)]


def _beeping(spoken, random):
    at = np.arange(len(spoken)) / RATE_HZ
    return spoken + 0.03 * (at % 2 < 0.3) * np.sin(2 * np.pi * random.uniform(400, 2_000) * at)
