"""What tests share: synthesised signals, files made of them, and a home of its own."""

import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

VOWELS_HZ = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""First three formants of a, i, u, e and o (Peterson and Barney 1952, men)."""


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory):
    """Nothing is read from or written to the user's folders; graphs of models are built once a session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("VOXGATE_CACHE", str(tmp_path_factory.mktemp("cache")))
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "VOXGATE_MODELS", "VOXGATE_DOWNLOAD"):
            patch.delenv(name, raising=False)
        for library in ("OMP", "OPENBLAS", "MKL"):
            patch.setenv(f"{library}_NUM_THREADS", "1")
        yield


def make_tone(seconds=1.0, hz=440.0, dbfs=-20.0, rate_hz=24_000):
    """A sine of that peak level, float32 (frames,)."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def make_speechlike(seconds=3.0, rms_dbfs=-22.0, rate_hz=24_000, seed=1, pitch_hz=120.0):
    """Vowels four times a second on a gliding pitch, every two seconds a pause, and a little room noise: float32 (frames,).

    Voice activity detectors take it for speech; it says nothing.
    """
    random = np.random.default_rng(seed)
    frames = round(seconds * rate_hz)
    at = np.arange(frames) / rate_hz
    pitch = pitch_hz * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * at + seed))
    phase = np.cumsum(pitch) / rate_hz
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.01 * random.standard_normal(frames)
    voice = np.zeros(frames)
    syllable = rate_hz // 4
    for number, start in enumerate(range(0, frames, syllable)):
        piece = pulses[start : start + syllable]
        for formant_hz in VOWELS_HZ[int(random.integers(len(VOWELS_HZ)))]:
            pole = np.exp((-np.pi * 90 + 2j * np.pi * formant_hz) / rate_hz)
            voice[start : start + syllable] += signal.lfilter([1 - abs(pole)], np.poly([pole, pole.conj()]).real, piece)
        dip = 0.0 if number % 8 in (3, 4) else 1.0
        voice[start : start + syllable] *= dip * np.hanning(len(piece))
    voice = signal.sosfilt(signal.butter(2, 60, "highpass", fs=rate_hz, output="sos"), voice)
    voice *= 10 ** (rms_dbfs / 20) / np.sqrt(np.mean(voice**2))
    return (voice + 10 ** (-75 / 20) * random.standard_normal(frames)).astype(np.float32)


def make_wav(path, samples, rate_hz=24_000):
    """Write float samples (frames,) or (frames, channels) as 16-bit WAV, with the folders above; the path comes back."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.asarray(samples, np.float64)
    channels = 1 if array.ndim == 1 else array.shape[1]
    pcm = np.clip(np.round(array * 32767), -32768, 32767).astype("<i2")
    with path.open("wb") as file, wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate_hz)
        writer.writeframes(pcm.tobytes())
    return path


@pytest.fixture(scope="session")
def tone():
    """`tone(seconds, hz, dbfs, rate_hz)`: a sine."""
    return make_tone


@pytest.fixture(scope="session")
def speechlike():
    """`speechlike(seconds, rms_dbfs, rate_hz, seed)`: what detectors take for a voice."""
    return make_speechlike


@pytest.fixture(scope="session")
def write_wav():
    """`write_wav(path, samples, rate_hz)`: a 16-bit WAV file."""
    return make_wav


@pytest.fixture
def recordings(tmp_path):
    """A folder of three short clips that differ and pass."""
    folder = tmp_path / "rec"
    for number in range(3):
        make_wav(folder / f"take{number + 1}.wav", make_speechlike(2.0, seed=number + 1))
    return folder


class Ran:
    """What a run of the command line left behind."""

    def __init__(self, status, stdout, stderr, out):
        self.status, self.stdout, self.stderr, self.out = status, stdout, stderr, out

    @property
    def report(self):
        return json.loads((self.out / "report.json").read_text())

    @property
    def manifest(self):
        return json.loads((self.out / "manifest.json").read_text())


@pytest.fixture
def voxgate(tmp_path):
    """`voxgate(*arguments, **environment)`: the command line as a user runs it, in a process of its own."""

    def run(*arguments, cwd=tmp_path, stdin=None, **environment):
        words = [str(argument) for argument in arguments]
        out = Path(words[words.index("-o") + 1]) if "-o" in words else cwd / "voxgate-out"
        done = subprocess.run(
            [sys.executable, "-c", "from pipeline.cli import main; main()", *words],
            cwd=cwd,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            stdin=stdin,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr, out)

    return run


@pytest.fixture
def passing():
    """Options under which a few seconds of synthetic voice are a set that passes, in the process that starts soonest."""
    lenient = ("speech.engine=webrtcvad", "extent.minimum_s=1", "extent.target_s=2")
    return ("--engine", "serial", *(word for setting in lenient for word in ("--set", setting)))


@pytest.fixture
def many(recordings):
    """So many recordings that there is time to stop in the middle."""
    for number in range(4, 40):
        make_wav(recordings / f"take{number}.wav", make_speechlike(4.0, seed=number))
    return recordings
