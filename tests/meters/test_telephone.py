"""What is taken for a telephone's: by where the power lies, at any level, with hum and with silence."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from pipeline.stages import decode, derive
from pipeline.telephone import FAINT_DB, by_telephone

RATE_HZ = 16_000
AUDIO = Path(os.environ.get("VOXGATE_TEST_AUDIO", Path(__file__).parents[3] / "shared" / "audio"))


def voice(seconds=2.0, seed=0):
    """Noise that falls off as speech does, 6 dB an octave over 500 Hz."""
    white = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ))
    return (0.05 * signal.lfilter(*signal.butter(1, 500, fs=RATE_HZ), white)).astype(np.float32)


def through_a_line(samples):
    """300 to 3,400 Hz, sampled at 8 kHz in 16 bits and brought to 16 kHz again."""
    passed = signal.sosfilt(signal.butter(6, (300, 3_400), "bandpass", fs=RATE_HZ, output="sos"), samples)
    coded = np.round(signal.resample_poly(passed, 1, 2) * 32_768) / 32_768
    return signal.resample_poly(coded, 2, 1).astype(np.float32)


@pytest.mark.parametrize("level", [0.02, 1.0])
def test_a_line_is_heard_and_a_microphone_is_none(level):
    assert by_telephone(level * through_a_line(voice()))
    assert not by_telephone(level * voice())


def test_noise_above_the_voice_is_no_telephones():
    hiss = np.random.default_rng(1).standard_normal(2 * RATE_HZ).astype(np.float32)
    line = through_a_line(voice())
    share = (16_000 / 2 - 4_200) / (16_000 / 2)  # of white noise, what lies over the edge
    limit = np.sqrt(np.mean(line**2) * 10 ** (FAINT_DB / 10) / share)
    assert by_telephone(line + 0.7 * limit * hiss)
    assert not by_telephone(line + 1.4 * limit * hiss)


def test_hum_makes_no_telephone_of_a_microphone():
    hum = np.sin(2 * np.pi * 50 * np.arange(2 * RATE_HZ) / RATE_HZ).astype(np.float32)
    assert not by_telephone(voice() + hum)


@pytest.mark.parametrize("samples", [0, 511, 4 * RATE_HZ])
def test_of_nothing_and_of_silence_no_telephone_is_told(samples):
    assert not by_telephone(np.zeros(samples, np.float32))


@pytest.mark.parametrize(
    ("pattern", "line"),
    [("resemble-ai__Resemblyzer/**/librispeech*/**/*.flac", False), ("SYSTRAN__faster-whisper/**/jfk.flac", True)],
)
def test_of_real_recordings_readers_are_at_a_microphone_and_an_old_radio_talk_is_as_by_telephone(pattern, line):
    if not AUDIO.is_dir():
        pytest.skip("the real recordings are not here; VOXGATE_TEST_AUDIO names their folder")
    found = sorted(AUDIO.glob(pattern))[:40]
    assert found
    for path in found:
        with decode.Stream(str(path)) as stream:
            mono = np.concatenate([b.mono16k for b in derive.derive(stream.info, stream.blocks(), None)])
        assert by_telephone(mono) == line, path.name
