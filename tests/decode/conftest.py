"""Signals, encoders and readings for the tests of decoding."""

import json
import os
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline import catalogue, config
from pipeline.readings import Container
from pipeline.records import Readings
from pipeline.stages import decode, flag

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def samples_folder():
    """One file a format, as the project ships them."""
    folder = CHECKOUT / "sample_data" / "formats"
    if not folder.is_dir():
        pytest.skip("sample_data/formats is not here; sample_data/make.py writes it")
    return folder


@pytest.fixture(scope="session")
def shared_audio():
    """Folder of real recordings, and what is known of each: `truth.json`'s rows."""
    named = os.environ.get("VOXGATE_TEST_AUDIO")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "audio"
    if not (folder / "truth.json").is_file():
        pytest.skip("there are no real recordings here; name their folder in VOXGATE_TEST_AUDIO")
    return folder, json.loads((folder / "truth.json").read_text())["files"]


@pytest.fixture(scope="session")
def ffmpeg():
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the ffmpeg program is not installed; voxgate does not need it, this comparison does")
    return program


@pytest.fixture(scope="session")
def signal():
    """Float32 (frames, channels): a swelling tone with some noise, another one in each channel and for each seed."""

    def make(seconds=3.0, rate=48_000, channels=1, seed=1):
        draw = np.random.default_rng(seed)
        t = np.arange(round(seconds * rate)) / rate
        tones = [np.sin(2 * np.pi * (300 + 70 * c + 40 * seed) * t) for c in range(channels)]
        swell = 0.2 + 0.1 * np.sin(2 * np.pi * 0.7 * t)
        noise = 0.01 * draw.standard_normal((len(t), channels))
        return (np.stack(tones, axis=1) * swell[:, None] + noise).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def encode(tmp_path_factory):
    """Bytes of a file that FFmpeg's libraries encode: `encode(container, codec, samples, rate, …)`."""
    folder = tmp_path_factory.mktemp("encoded")

    def make(container, codec, samples, rate, kbps=None, **options):
        path = folder / "file"
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
        with av.open(str(path), "w", format=container, options=options) as file:
            stream = file.add_stream(codec, rate=rate, layout=layout)
            if kbps is not None:
                stream.bit_rate = kbps * 1000
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
            file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        return path.read_bytes()

    return make


@pytest.fixture(scope="session")
def by_program(ffmpeg, tmp_path_factory):
    """Bytes of a file that the ffmpeg program encodes: `by_program(samples, rate, "name.ext", *arguments)`."""
    folder = tmp_path_factory.mktemp("by-program")

    def make(samples, rate, name, *arguments, inputs=()):
        path = folder / name
        command = [ffmpeg, "-nostdin", "-v", "error", "-y", "-f", "f32le", "-ar", str(rate)]
        command += ["-ac", str(samples.shape[1]), "-i", "-", *inputs, *arguments, str(path)]
        subprocess.run(command, input=samples.tobytes(), check=True, timeout=60)
        return path.read_bytes()

    return make


@pytest.fixture
def read(tmp_path):
    """Samples (frames, channels) and the container reading of a path or of bytes under a name."""

    def make(given, name="clip.bin"):
        path = given
        if isinstance(given, bytes):
            path = tmp_path / name
            path.write_bytes(given)
        with decode.Stream(str(path)) as stream:
            blocks = [block.samples for block in stream.blocks()]
            return np.concatenate(blocks), stream.container()

    return make


@pytest.fixture(scope="session")
def findings():
    """Findings of the container's checks by their code, with the default profile."""
    settings = config.load(config.DEFAULT_PROFILE, ())
    subject = next(s for s in catalogue.clip_subjects() if s.kind is Container)

    def make(container):
        readings = Readings().with_reading(container)
        return {finding.code: finding for finding in flag.findings(subject, container, readings, settings)}

    return make
