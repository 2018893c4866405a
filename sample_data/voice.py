"""The voice that reads nearly everything: flite's `rms`, sentence by sentence, with pauses of our choosing."""

import hashlib
import random
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from passages import Chronicle
from sound import RATE_HZ, Samples, decibels, resample

EDGE_S = 0.4
PAUSE_S = (0.35, 0.75)
Span = tuple[float, float]
Reading = tuple[Samples, list[Span]]
_LETTER_S = 0.058
_PACED_SENTENCE_S = 5.0
_SHORT_S = 3.2
_SHORTEST_S = 2.4
_OVER_S = 1.6
_FLITE_HZ = 16000
_LOWEST_HZ = 50
_HIGH_BANDS_DB = (-7.0, -13.0)
_CHRONICLE = Chronicle()


def need_flite() -> None:
    """Stops with the way to install it where the flite program is missing."""
    if shutil.which("flite") is None:
        raise SystemExit(
            "flite is needed to make the sample data: apt-get install flite (Debian and Ubuntu), then run again"
        )


def _flite(text: str, stretch: float, voice: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sentence.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.3f}", "-t", text, "-o", str(path)]
        subprocess.run(command, check=True)
        with wave.open(str(path)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64) / 32768


def _trimmed(speech: Samples) -> Samples:
    """Cuts the silence off both ends, keeping 15 ms of it, and fades the cut edges."""
    frame, keep = _FLITE_HZ // 200, 3
    peaks = np.abs(speech[: len(speech) // frame * frame]).reshape(-1, frame).max(axis=1)
    heard = np.flatnonzero(peaks > decibels(-42) * peaks.max())
    cut = speech[max(0, heard[0] - keep) * frame : (heard[-1] + 1 + keep) * frame].copy()
    fade = np.linspace(0, 1, 2 * frame)
    cut[: len(fade)] *= fade
    cut[-len(fade) :] *= fade[::-1]
    return cut


def _widened(speech: Samples) -> Samples:
    """Lifts 16 kHz speech to 48 kHz with a high band made of its own 3.9-7.3 kHz, moved up twice and weaker each time.

    The voice ends under 8 kHz; a microphone would hear the breath of its consonants up to 14 kHz. Under 50 Hz it has
    nothing but an offset, which goes.
    """
    spectrum = np.fft.rfft(resample(speech, _FLITE_HZ, RATE_HZ))
    bins_per_hz = (len(spectrum) - 1) * 2 / RATE_HZ
    top, width = int(7300 * bins_per_hz), int(3400 * bins_per_hz)
    spectrum[: int(_LOWEST_HZ * bins_per_hz)] = 0
    band = spectrum[top - width : top].copy()
    spectrum[top:] = 0
    for step, gain_db in enumerate(_HIGH_BANDS_DB):
        spectrum[top + step * width : top + (step + 1) * width] = band * decibels(gain_db)
    return np.asarray(np.fft.irfft(spectrum), dtype=np.float64)


def sentence(text: str, voice: str = "rms") -> Samples:
    """One sentence as read, trimmed, at a set level; its pace varies a little with its text, as a reader's would."""
    pace = random.Random(hashlib.sha256(text.encode()).hexdigest()).uniform(0.97, 1.08)
    speech = _widened(_trimmed(_flite(text, pace, voice)))
    return speech * (0.05 / float(np.sqrt(np.mean(speech**2))))


def _next_sentence(texts: Iterator[str], longest_s: float, voice: str = "rms") -> Samples:
    """The next sentence of a text that takes no longer to read than told, by the voice's pace; longer ones are lost."""
    letters = (longest_s - 0.5) / _LETTER_S
    return sentence(next(text for text in texts if len(text) <= letters), voice)


def silence(seconds: float) -> Samples:
    """Nothing; room tone is laid under it later."""
    return np.zeros(round(seconds * RATE_HZ))


def paced(passage: str, pauses_s: list[float], edges_s: tuple[float, float] = (EDGE_S, EDGE_S)) -> Reading:
    """A passage with one sentence more than it has pauses, each as long as told; and where the pauses came to lie."""
    texts = _CHRONICLE.sentences(passage)
    parts, spans = [silence(edges_s[0]), _next_sentence(texts, _PACED_SENTENCE_S)], []
    for pause_s in pauses_s:
        start_s = sum(map(len, parts)) / RATE_HZ
        spans.append((start_s, start_s + pause_s))
        parts += [silence(pause_s), _next_sentence(texts, _PACED_SENTENCE_S)]
    return np.concatenate([*parts, silence(edges_s[1])]), spans


def reading(passage: str, seconds: float, voice: str = "rms") -> Samples:
    """A passage that lasts so many seconds, give or take about one, with ordinary pauses and short silent edges."""
    rng = random.Random(f"pauses of {passage}")
    texts = _CHRONICLE.sentences(passage)
    parts = [silence(EDGE_S)]
    left_s = seconds - 2 * EDGE_S
    while True:
        speech = _next_sentence(texts, min(max(0.45 * seconds, _SHORT_S), left_s + _OVER_S), voice)
        pause = silence(rng.uniform(*PAUSE_S))
        parts += [speech, pause]
        left_s -= (len(speech) + len(pause)) / RATE_HZ
        if left_s + _OVER_S < _SHORTEST_S:
            return np.concatenate([*parts[:-1], silence(EDGE_S)])
