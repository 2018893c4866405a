"""Tops that were cut off are counted also when they are flat no more, and round ones never."""

import io

import av
import numpy as np
import pytest
import soxr
from scipy import signal

from pipeline.meters.flat_tops import CutTops

RATE_HZ = 24_000


def tops(samples, rate_hz=RATE_HZ, bits=16):
    """All tops of samples (frames,) or (frames, channels)."""
    samples = np.asarray(samples, np.float32).reshape(len(samples), -1)
    found = CutTops(rate_hz, samples.shape[1], bits)
    for start in range(0, len(samples), rate_hz):
        found.search(samples.T[:, start : start + rate_hz], start)
    found.finish()
    return found


@pytest.fixture
def voice(speechlike):
    samples = speechlike(8.0, rate_hz=RATE_HZ)
    return samples / np.abs(samples).max()


def cut(samples, over_db):
    return np.clip(samples * 10 ** (over_db / 20), -1, 1)


def blocked(samples):
    """Behind the filter of first order at 20 Hz that keeps constant voltage out."""
    return signal.sosfilt(signal.butter(1, 20, "high", fs=RATE_HZ, output="sos"), samples, axis=0)


def resampled(samples):
    return soxr.resample(samples, RATE_HZ, 22_050)


def coded(samples, kbit_s=64):
    """MP3 and back."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE_HZ, layout="mono")
        stream.bit_rate = kbit_s * 1_000
        frame = av.AudioFrame.from_ndarray(np.float32(samples)[None, :], format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


each_bend = pytest.mark.parametrize(("bend", "rate_hz"), [(blocked, RATE_HZ), (resampled, 22_050), (coded, RATE_HZ)])


@each_bend
@pytest.mark.parametrize("gain", [0.9, 0.2])
def test_cut_tops_are_found_when_they_are_flat_no_more(voice, bend, rate_hz, gain):
    before = tops(cut(voice, 8))
    after = tops(bend(gain * cut(voice, 8)), rate_hz)
    assert before.rounded == 0
    assert after.rounded > 0.1 * before.count  # the check needs three


@each_bend
def test_round_tops_are_not_found(voice, bend, rate_hz):
    assert tops(bend(0.9 * voice), rate_hz).count == 0


def test_one_cut_side_of_two_is_enough(voice):
    assert tops(blocked(np.stack([0.5 * voice, 0.8 * cut(voice, 8)], axis=1))).rounded > 10


def test_tops_of_one_height_that_are_round_are_not_cut(voice):
    """Every period of a tone is as high as the next, and so is every peak behind a slow limiter."""
    at = np.arange(8 * RATE_HZ) / RATE_HZ
    assert tops(0.7 * np.sin(2 * np.pi * 150.3 * at)).rounded == 0
    envelope = np.sqrt(np.convolve(voice**2, np.hanning(2_001) / 1_000, "same")) + 1e-3
    assert tops(0.2 * voice / envelope).rounded == 0


def test_the_places_are_those_of_the_cut_syllables(voice):
    loud = slice(4 * RATE_HZ, 6 * RATE_HZ)
    samples = 0.5 * voice
    samples[loud] = 0.9 * cut(voice[loud], 10)
    spans = tops(blocked(samples)).spans()
    assert spans
    assert all(3.99 < span.start_s < span.end_s < 6.01 for span in spans)


def test_faint_audio_in_coarse_steps_is_not_cut(voice):
    assert tops(np.round(0.2 * voice * 128) / 128, bits=8).count == 0
