"""Mel spectra against what their definition gives."""

import numpy as np
import pytest

from pipeline import mel

RATE_HZ = mel.RATE_HZ


def frames_of(samples, block=4_001):
    meter = mel.MelFrames()
    made = []
    for start in range(0, len(samples), block):
        made += meter.feed(np.asarray(samples[start : start + block], np.float32))
    return np.concatenate([*made, meter.rest()])


def tone(hz, seconds=1.0, gain=0.1):
    return gain * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)


def test_the_bands_lie_where_slaney_put_them():
    """Forty bands up to 8 kHz are 1.1035 mel apart, of which 66.7 Hz are one up to 1 kHz."""
    peaks_hz = mel.mel_bank().argmax(axis=0) * 40
    step = (15 + 27 * np.log(8) / np.log(6.4)) / 41
    assert peaks_hz[:13] == pytest.approx(step * 200 / 3 * np.arange(1, 14), abs=21)  # to the nearest bin
    assert peaks_hz[-1] == pytest.approx(1_000 * 6.4 ** ((40 * step - 15) / 27), abs=21)


def test_every_band_has_the_area_of_one():
    """Slaney's normalisation: 2 over the width. The narrow bands hold four bins and are that much coarser."""
    areas = mel.mel_bank().sum(axis=0) * 40
    assert areas[20:] == pytest.approx(1.0, abs=0.03)
    assert areas == pytest.approx(1.0, abs=0.25)


@pytest.mark.parametrize("hz", [200.0, 1_000.0, 4_000.0])
def test_a_tone_has_its_power_in_its_band(hz):
    """Under a Hann window of 400 a sine's bin holds (100 a) squared, and the bins beside it a quarter of that."""
    spectrum = frames_of(tone(hz))[50, : mel.BANDS]
    bank = mel.mel_bank()
    at = round(hz / 40)
    expected = (100 * 0.1) ** 2 * (bank[at] + (bank[at - 1] + bank[at + 1]) / 4)
    assert spectrum == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 25_600, 40_001])
def test_there_is_a_frame_every_ten_milliseconds(samples):
    assert len(frames_of(np.full(samples, 0.1))) == samples // 160 + 1


def test_beside_the_bands_are_the_lowest_bins_of_the_spectrum():
    """A sine of 400 Hz is bin 10 of 40 Hz each."""
    low = frames_of(tone(400.0))[50, mel.BANDS :]
    assert len(low) == mel.LOW_BINS
    assert low[9:12] == pytest.approx(100.0 * np.array([0.25, 1, 0.25]), rel=1e-3)
    assert low[20:] == pytest.approx(0, abs=1e-3)


def test_blocks_do_not_matter_to_the_last_bit():
    samples = np.random.default_rng(3).standard_normal(50_000)
    assert (frames_of(samples, 999) == frames_of(samples, 50_000)).all()


def test_asking_changes_nothing():
    meter = mel.MelFrames()
    meter.feed(np.ones(1_000, np.float32))
    assert (meter.rest() == meter.rest()).all()
