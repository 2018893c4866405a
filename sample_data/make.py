"""Makes the sample data in place, beside this file: `python sample_data/make.py`."""

from pathlib import Path

from encode import MP3, OPUS, VORBIS, WEBM, Encoding, encode
from faults import FAULTS, expected_toml
from specimen import clean
from voice import need_flite

HERE = Path(__file__).parent
READINGS = 14
READING_S = 144.0
PASSAGE_S = 8.9
FORMATS = {
    "wav": Encoding("wav", "pcm_s16le", 44100),
    "mp3": MP3,
    "flac": Encoding("flac", "flac", 44100),
    "ogg": VORBIS,
    "oga": Encoding("oga", "flac", 44100),
    "ogx": VORBIS,
    "aac": Encoding("adts", "aac", 44100, 64),
    "wma": Encoding("asf", "wmav2", 44100, 64),
    "m4a": Encoding("ipod", "aac", 48000, 64),
    "opus": Encoding("opus", "libopus", 48000, 40, 0.4),
    "ac3": Encoding("ac3", "ac3", 48000, 96),
    "webm": WEBM,
}


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Writes the files of a folder and takes away what an older version of this script left there."""
    folder.mkdir(exist_ok=True)
    for stale in set(folder.iterdir()) - {folder / name for name in files}:
        stale.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    print(f"{folder.name}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.2f} MB")


def good() -> dict[str, bytes]:
    """A little more than half an hour of one voice, without a fault, in readings of 2 to 2.7 minutes."""
    names = [f"reading-{number:02}" for number in range(1, READINGS + 1)]
    lengths_s = [READING_S + 12 * (index % 3 - 1) for index in range(READINGS)]
    return {f"{name}.opus": encode(clean(name, seconds), OPUS) for name, seconds in zip(names, lengths_s, strict=True)}


def formats() -> dict[str, bytes]:
    """One short passage in each accepted format, another text in each."""
    return {f"passage.{name}": encode(clean(f"passage {name}", PASSAGE_S), how) for name, how in FORMATS.items()}


def flawed() -> dict[str, bytes]:
    """A clip for each finding that a file can show, and what must be found in each."""
    made = {fault.file: fault.make(Path(fault.file).stem) for fault in FAULTS}
    return {**{name: specimen.data for name, specimen in made.items()}, "expected.toml": expected_toml(made).encode()}


def main() -> None:
    """Writes all three folders."""
    need_flite()
    for make in (formats, flawed, good):
        _write(HERE / make.__name__, make())


if __name__ == "__main__":
    main()
