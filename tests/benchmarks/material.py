"""What the benchmarks are run on, made once from sample_data/good into a folder that is kept between runs."""

import tempfile
from functools import cache, partial
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

GOOD = Path(__file__).parents[2] / "sample_data" / "good"
FOLDER = Path(tempfile.gettempdir()) / "voxgate-benchmarks"
RATE_HZ, FILE_S, FILES = 44_100, 300, 24
CHAPTER_S = 1_800
SHORT_S, SHORT_HZ, SHORTS = 3, 24_000, 2_000


def long_files() -> list[Path]:
    """Two hours of 44.1 kHz stereo MP3 at 160 kbit/s, 24 files: a voice, later and quieter on one side, with noise of its own."""
    return _made("long", FILES, ".mp3", _write_long)


def chapter() -> Path:
    """One such file of half an hour, as a chapter of a narration is, and what Cartesia asks for at least."""
    (path,) = _made("chapter", 1, ".mp3", partial(_write_long, seconds=CHAPTER_S))
    return path


def short_files() -> list[Path]:
    """2,000 clips of 3 s, mono WAV, each with noise of its own, so that none is a copy."""
    return _made("short", SHORTS, ".wav", _write_short)


def joined_shorts() -> list[Path]:
    """The same audio as the short files in files of five minutes."""
    return _made("joined", SHORTS * SHORT_S // FILE_S, ".wav", _write_joined)


def _made(name: str, count: int, suffix: str, write: object) -> list[Path]:
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:04d}{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        if not path.exists():
            write(path, number)
    return paths


@cache
def _voice(rate_hz: int) -> np.ndarray:
    parts = []
    for path in sorted(GOOD.glob("*.opus")):
        with av.open(str(path)) as file:
            frames = [frame.to_ndarray() for frame in file.decode(audio=0)]
            own_hz = file.streams.audio[0].rate
        parts.append(soxr.resample(np.concatenate(frames, axis=1).mean(axis=0), own_hz, rate_hz))
    return np.concatenate(parts).astype(np.float32)


def _cut(number: int, seconds: int, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    voice = _voice(rate_hz)
    first = int(random.integers(len(voice)))
    return np.take(voice, np.arange(first, first + seconds * rate_hz), mode="wrap")


def _write_long(path: Path, number: int, seconds: int = FILE_S) -> None:
    random = np.random.default_rng(number)
    left = _cut(number, seconds, RATE_HZ, random)
    sides = np.stack((left, 0.9 * np.roll(left, 9)))
    sides = (sides + 1e-4 * random.standard_normal(sides.shape)).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="stereo")
        stream.bit_rate = 160_000
        frame = av.AudioFrame.from_ndarray(sides, format="fltp", layout="stereo")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _short(number: int) -> np.ndarray:
    random = np.random.default_rng(10_000 + number)
    samples = _cut(number, SHORT_S, SHORT_HZ, random)
    return random.uniform(0.7, 1.0) * samples + 1e-4 * random.standard_normal(len(samples))


def _write_short(path: Path, number: int) -> None:
    soundfile.write(path, _short(number), SHORT_HZ, "PCM_16")


def _write_joined(path: Path, number: int) -> None:
    each = FILE_S // SHORT_S
    samples = np.concatenate([_short(number * each + part) for part in range(each)])
    soundfile.write(path, samples, SHORT_HZ, "PCM_16")


if __name__ == "__main__":
    long_files()
    chapter()
    short_files()
    joined_shorts()
