"""A fingerprint is small, says the same whatever the level, and is read back as it was written."""

import base64
import tracemalloc

import numpy as np
import pytest

from pipeline.checks.fingerprint import SUBJECT
from pipeline.meters.fingerprint import SpectralPeaks
from pipeline.prints import NO_PEAK, peaks, written

RATE_HZ = 16_000


def kept(reading):
    return peaks(reading.peaks)


def test_a_minute_takes_some_three_kilobytes(speechlike, reading_of):
    reading = reading_of(SUBJECT, speechlike(60.0, rate_hz=RATE_HZ), RATE_HZ)
    assert 500 < len(reading.peaks) < 60 * 60


@pytest.mark.parametrize("gain", [0.01, 0.5, 4.0])
def test_the_level_changes_nothing(speechlike, reading_of, gain):
    samples = speechlike(5.0, rate_hz=RATE_HZ)
    assert reading_of(SUBJECT, samples, RATE_HZ) == reading_of(SUBJECT, samples * np.float32(gain), RATE_HZ)


def test_an_onset_is_a_peak_in_its_place(reading_of):
    at = np.arange(4 * RATE_HZ) / RATE_HZ
    beep = np.sin(2 * np.pi * 1_000 * at) * np.exp(-np.square((at - 2.0) / 0.03))
    found = kept(reading_of(SUBJECT, 0.3 * beep, RATE_HZ))
    assert len(found.frames) == 1
    assert found.frames[0] * 270 / RATE_HZ == pytest.approx(2.0, abs=0.02)  # a frame
    assert 312.5 + (found.steps[0] - 1) * 31.25 / 2 == pytest.approx(1_000, abs=16)  # half a bin


def test_digital_silence_is_not_gone_through_bin_by_bin():
    """Every bin of it is as high as what lies around it; each with its neighbours in time takes 27 MB, their sums alone 3 MB."""
    found, spectra = SpectralPeaks(), np.zeros((1_200, 257), np.float32)
    tracemalloc.start()
    found.feed(spectra)
    frames, _ = found.read()
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not len(frames)
    assert most_bytes < 10e6


@pytest.mark.parametrize("frames", [137, 7_919])
def test_long_clips_have_no_seams_whatever_the_blocks(speechlike, reading_of, frames):
    samples = speechlike(21.0, rate_hz=RATE_HZ)
    whole = reading_of(SUBJECT, samples, RATE_HZ, frames=len(samples))
    assert reading_of(SUBJECT, samples, RATE_HZ, frames=frames) == whole


def test_a_steady_tone_and_silence_have_no_peaks(tone, reading_of):
    assert reading_of(SUBJECT, np.zeros(3 * RATE_HZ), RATE_HZ).peaks is None
    reading = reading_of(SUBJECT, tone(6.0, 1_000.0, rate_hz=RATE_HZ), RATE_HZ)
    found = () if reading.peaks is None else kept(reading).frames
    assert all(frame < 3 or frame > 352 for frame in found)  # where the tone begins and ends


@pytest.mark.parametrize("gaps", [[0], [3, 1, 0], [254, 255, 256], [0, 510, 511, 100_000], []])
def test_peaks_are_read_as_they_were_written(gaps):
    frames = np.cumsum(np.array(gaps, np.int64))
    steps = np.arange(len(gaps), dtype=np.int64) * 40
    read = peaks(written(frames, steps))
    assert read.frames.tolist() == frames.tolist()
    assert read.steps.tolist() == steps.tolist()


def test_text_that_is_no_fingerprint_is_refused():
    for text in ("no base64!", base64.b64encode(bytes([1, NO_PEAK, 1])).decode()):
        with pytest.raises(ValueError):  # noqa: PT011  (numpy and base64 raise it with texts of their own)
            peaks(text)
