"""Loudness and true peak of real files against FFmpeg's ebur128 filter, fed with the samples that voxgate decoded.

`VOXGATE_TEST_ALL=1` compares every file that decodes, instead of one in seven.
"""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from pipeline.checks.loudness import LoudnessMeter
from pipeline.errors import DecodeError
from pipeline.records import Block, StreamInfo
from pipeline.stages.decode import Stream

LU, DB = 0.1, 0.2
EVERY = 1 if os.environ.get("VOXGATE_TEST_ALL") == "1" else 7

ON_THE_GATE = {
    # One of its 27 blocks lies 0.003 LU under the relative gate; FFmpeg's histogram of 0.01 LU lets it in.
    "resemble-ai__Resemblyzer/audio_data/librispeech_train-clean-100/1624-142933-0000.flac": 0.17,
}

pytestmark = [
    pytest.mark.ffmpeg,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg program is not installed"),
]


def by_ffmpeg(samples, info):
    """Integrated loudness to 0.001 LUFS at the last full 100 ms, and true peak to 0.1 dBTP; `None` where it has none."""
    layout = "mono" if info.channels == 1 else "+".join(info.positions)
    source = ["-f", "f32le", "-ar", info.sample_rate, "-ac", info.channels, "-channel_layout", layout, "-i", "-"]
    sink = ["-af", "ebur128=metadata=1:peak=true,ametadata=print:file=-", "-f", "null", "-"]
    command = ["ffmpeg", "-hide_banner", "-nostats", *map(str, source), *sink]
    done = subprocess.run(command, input=samples.astype("<f4").tobytes(), capture_output=True, check=True)
    loudness = re.findall(r"r128\.I=(\S+)", done.stdout.decode())
    peak = re.search(r"Peak:\s+(\S+) dBFS", done.stderr.decode())
    integrated = float(loudness[-1]) if loudness else -70.0
    dbtp = float(peak.group(1))
    return integrated if integrated > -70 else None, dbtp if np.isfinite(dbtp) else None


def with_silence_around(samples, rate_hz):
    """FFmpeg's resampler mirrors a signal at its start and drops its end; inside silence it sees all of the waveform."""
    silence = np.zeros((rate_hz // 2, samples.shape[1]), np.float32)
    return np.concatenate((silence, samples, silence))


def read_by(meter, blocks):
    for block in blocks:
        meter.feed(block)
    return meter.read()


def differences(path, allowed_lu):
    """In words, what differs by more than it may; `None` when the file does not decode."""
    try:
        with Stream(str(path)) as stream:
            info, blocks = stream.info, list(stream.blocks())
    except DecodeError:
        return None
    samples = np.concatenate([block.samples for block in blocks])
    ours = read_by(LoudnessMeter(info), blocks)
    lufs, _ = by_ffmpeg(samples, info)
    _, dbtp = by_ffmpeg(with_silence_around(samples, info.sample_rate), info)
    pairs = (("LUFS", ours.integrated_lufs, lufs, allowed_lu), ("dBTP", ours.true_peak_dbtp, dbtp, DB))
    return [f"{path}: {a} {unit}, ffmpeg {b}" for unit, a, b, allowed in pairs if not close(a, b, allowed)]


def close(a, b, allowed):
    return a is b is None or (a is not None and b is not None and abs(a - b) <= allowed)


def test_real_files_read_what_ffmpeg_reads(real_audio):
    truth = json.loads((real_audio / "truth.json").read_text())["files"]
    names = sorted(item["path"] for item in truth if (item.get("decoded_s") or 0) > 0)
    found = [differences(real_audio / name, ON_THE_GATE.get(name, LU)) for name in {*names[::EVERY], *ON_THE_GATE}]
    compared = [wrong for wrong in found if wrong is not None]
    assert len(compared) > 30
    assert [line for wrong in compared for line in wrong] == []


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_synthetic_sounds_read_what_ffmpeg_reads(speechlike, rate_hz, channels):
    positions = ("FC",) if channels == 1 else ("FL", "FR")
    info = StreamInfo("wav", "pcm_f32le", rate_hz, channels, positions=positions)
    sides = [speechlike(4.0, rms_dbfs=-24.0 - 6 * side, rate_hz=rate_hz, seed=side) for side in range(channels)]
    samples = np.stack(sides, axis=1)
    ours = read_by(LoudnessMeter(info), [Block(samples, 0, rate_hz)])
    lufs, _ = by_ffmpeg(samples, info)
    _, dbtp = by_ffmpeg(with_silence_around(samples, rate_hz), info)
    assert ours.integrated_lufs == pytest.approx(lufs, abs=LU)
    assert ours.true_peak_dbtp == pytest.approx(dbtp, abs=DB)
