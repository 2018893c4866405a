"""Real recordings decode to the same length as with the ffmpeg program, and to the same samples as with pydub."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline.errors import DecodeError
from pipeline.stages import decode

pytestmark = pytest.mark.ffmpeg

TOLERANCE_S = 0.05

LONGER_THAN_FFMPEG: dict[str, str] = {}
"""Files that decode to another length than with the ffmpeg program, with the reason; there are none."""


def decoded(path):
    """The container reading, or None for a file that is refused."""
    try:
        with decode.Stream(str(path)) as stream:
            for _ in stream.blocks():
                pass
            return stream.container()
    except DecodeError:
        return None


def bytes_by_program(ffmpeg, path, *arguments):
    command = [ffmpeg, "-nostdin", "-v", "quiet", "-i", f"file:{path}", "-map", "0:a:0", *arguments, "-f", "f32le", "-"]
    return subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=120).stdout


def test_every_real_recording_has_the_length_that_ffmpeg_decodes(ffmpeg, shared_audio):
    folder, rows = shared_audio
    readings = {row["path"]: decoded(folder / row["path"]) for row in rows}
    held = {path: reading for path, reading in readings.items() if reading is not None}
    with ThreadPoolExecutor(2) as pool:
        # a change of the parameters is brought to the first ones by both
        lengths = pool.map(
            lambda path: len(bytes_by_program(ffmpeg, folder / path)) / 4 / held[path].channels, list(held)
        )
        frames = dict(zip(held, lengths, strict=True))
    assert len(held) > 300, "most of the recordings can be decoded"
    off = {
        path: reading.decoded_s - frames[path] / reading.sample_rate
        for path, reading in held.items()
        if path not in LONGER_THAN_FFMPEG
        and abs(reading.frames - frames[path]) > (TOLERANCE_S * reading.sample_rate if reading.lossy else 0)
    }
    assert off == {}


def test_no_real_recording_that_ffmpeg_decodes_is_refused(shared_audio):
    folder, rows = shared_audio
    known = [row for row in rows if (row.get("decoded_s") or 0) > 0]
    refused = [row["path"] for row in known if decoded(folder / row["path"]) is None]
    assert refused == []
    assert len(known) > 300


def test_every_real_recording_has_the_length_that_its_truth_names(shared_audio):
    folder, rows = shared_audio
    for row in rows:
        if not row.get("decoded_s"):
            continue
        reading = decoded(folder / row["path"])
        assert reading.decoded_s == pytest.approx(row["decoded_s"], abs=TOLERANCE_S), row["path"]


# Lossy decoders of two FFmpeg versions differ by rounding; the program gives pydub 16 bits, half a step of them is 2**-16.
SAMPLE_TOLERANCE = 2**-14


@pytest.mark.filterwarnings("ignore:.*audioop.*:DeprecationWarning", "ignore::ResourceWarning")
def test_pydub_decodes_the_twelve_formats_to_the_same_samples(ffmpeg, samples_folder):
    from pydub import AudioSegment

    files = sorted(samples_folder.glob("passage.*"))
    assert len(files) == 12
    for path in files:
        with decode.Stream(str(path)) as stream:
            ours = np.concatenate([block.samples for block in stream.blocks()])
        segment = AudioSegment.from_file(path)
        theirs = np.array(segment.get_array_of_samples()).reshape(-1, segment.channels) / float(
            1 << (8 * segment.sample_width - 1)
        )
        assert segment.frame_rate == stream.info.sample_rate, path.name
        assert theirs.shape == ours.shape, path.name
        assert np.abs(ours - theirs).max() <= SAMPLE_TOLERANCE, path.name
