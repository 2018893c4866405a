"""True peak against EBU Tech 3341 rows 15 to 23, and against the waveform that a signal was sampled from."""

import numpy as np
import pytest
from scipy import signal

UPPER_DB, LOWER_DB = 0.2, 0.4
"""Tech 3341, table 1: +0.2/-0.4 dB."""


def faded_sine(cycles_per_sample, amplitude, phase_degrees, frames=4_800, fade=480):
    """A sine whose phase at its first sample is given, faded in and out over 10 ms at 48 kHz."""
    at = np.arange(frames)
    ramp = np.minimum(1.0, np.minimum(at, at[::-1]) / fade)
    return ramp * amplitude * np.sin(2 * np.pi * cycles_per_sample * at + np.radians(phase_degrees))


def within_the_table(dbtp, expected):
    return expected - LOWER_DB <= dbtp <= expected + UPPER_DB


@pytest.mark.parametrize(
    ("divisor", "amplitude", "phase_degrees", "dbtp"),
    [(4, 0.5, 0.0, -6.0), (4, 0.5, 45.0, -6.0), (6, 0.5, 60.0, -6.0), (8, 0.5, 67.5, -6.0), (4, 1.41, 45.0, 3.0)],
    ids=["15", "16", "17", "18", "19"],
)
def test_the_peak_of_a_sine_is_found_between_its_samples(true_peak_of, divisor, amplitude, phase_degrees, dbtp):
    assert within_the_table(true_peak_of(faded_sine(1 / divisor, amplitude, phase_degrees)), dbtp)


@pytest.mark.parametrize("offset", range(4), ids=["20", "21", "22", "23"])
def test_one_loud_period_is_found_wherever_the_sampling_falls(true_peak_of, offset):
    frames = 4 * 9_600
    cycles = np.full(frames, 1 / 24)
    gain = np.full(frames, 0.5)
    first = 24 * 800  # the quiet sine passes through zero
    cycles[first : first + 16], gain[first : first + 16] = 1 / 16, 1.0
    phase = 2 * np.pi * np.concatenate(([0.0], np.cumsum(cycles)[:-1]))
    ramp = np.minimum(1.0, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / 1_920)
    oversampled = ramp * gain * np.sin(phase)
    low_pass = signal.firwin(4 * 256 + 1, 0.9 / 4, window=("kaiser", 9.0))
    sampled = signal.convolve(oversampled, low_pass, "same")[offset::4]
    assert within_the_table(true_peak_of(sampled), 0.0)


@pytest.mark.parametrize("cycles_per_sample", [0.01, 0.1, 0.25, 0.4, 0.45])
def test_no_phase_of_a_sine_reads_far_from_its_amplitude(true_peak_of, cycles_per_sample):
    """20 log10 cos(pi f / 4) is what four-fold oversampling may miss (BS.1770-5 annex 2, attachment 1); 0.1 is the filter's."""
    missed = -20 * np.log10(np.cos(np.pi * cycles_per_sample / 4)) + 0.1
    for phase_degrees in range(0, 180, 9):
        dbtp = true_peak_of(faded_sine(cycles_per_sample, 0.5, phase_degrees))
        assert -6.02 - missed <= dbtp <= -6.02 + 0.1


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000, 192_000, 384_000])
@pytest.mark.parametrize("frames", [1, 997, None], ids=str)
def test_the_block_size_changes_nothing_at_any_rate(true_peak_of, rate_hz, frames):
    noise = np.random.default_rng(2).standard_normal((3_000, 2)).astype(np.float32) * 0.1
    # A piece is searched where it can win; the same products are summed in another order.
    assert true_peak_of(noise, rate_hz, frames) == pytest.approx(true_peak_of(noise, rate_hz), abs=1e-5)


def test_skipping_what_cannot_win_changes_nothing(true_peak_of):
    """The quiet parts are passed over; searching all of it by SciPy's resampler finds the same."""
    random = np.random.default_rng(3)
    gain = np.repeat(10 ** (random.uniform(-40, 0, 40) / 20), 480)
    samples = np.zeros(len(gain) + 200)
    samples[100:-100] = signal.lfilter(*signal.butter(4, 0.5), gain * random.standard_normal(len(gain)))
    everywhere = np.abs(signal.resample_poly(samples, 4, 1, window=("kaiser", 8.0))).max()
    # Two interpolators of unlike length agree to a few hundredths below half the band.
    assert true_peak_of(samples) == pytest.approx(20 * np.log10(everywhere), abs=0.05)


@pytest.mark.parametrize("at", [0, 1, *range(4_040, 4_110, 3), 8_190])
def test_a_peak_is_found_wherever_it_lies(true_peak_of, at):
    """Two equal samples, between which the waveform is higher: also where one piece ends and the next begins."""
    samples = np.zeros(9_000)
    samples[at : at + 2] = 0.5
    assert true_peak_of(samples, frames=None) == pytest.approx(true_peak_of(samples[at : at + 2]), abs=1e-4)


def test_a_true_peak_is_never_under_the_sample_peak(true_peak_of):
    for seed in range(20):
        noise = np.random.default_rng(seed).uniform(-1, 1, 500).astype(np.float32)
        assert true_peak_of(noise) >= 20 * np.log10(np.abs(noise).max()) - 1e-6


def test_the_waveform_runs_out_into_silence(true_peak_of):
    """A signal that is cut at its height overshoots there, as with silence written around it."""
    cut = 0.5 * np.cos(2 * np.pi * 0.01 * np.arange(1_001))
    assert true_peak_of(cut) > -5.5
    assert true_peak_of(cut) == pytest.approx(true_peak_of(np.pad(cut, 500)), abs=1e-5)


def test_silence_has_no_true_peak(true_peak_of):
    assert true_peak_of(np.zeros(1_000)) is None


def test_the_louder_channel_counts(true_peak_of):
    quiet, loud = faded_sine(0.25, 0.1, 45), faded_sine(0.25, 0.5, 45)
    assert true_peak_of(np.stack([quiet, loud], axis=1)) == pytest.approx(true_peak_of(loud), abs=1e-6)
