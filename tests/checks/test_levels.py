"""Flat tops are found where there are some, and nowhere else."""

import numpy as np
import pytest
import soxr

from pipeline.checks.levels import SUBJECT, LevelsLimits, clipped
from pipeline.meters.flat_tops import MAX_SPANS
from pipeline.readings import Levels, Speech
from pipeline.records import Severity

RATE_HZ = 24_000


def overdriven(speechlike, over_db, ceiling=1.0, seconds=8.0, seed=1):
    """A voice that comes that far over a ceiling, cut off there."""
    voice = speechlike(seconds, rate_hz=RATE_HZ, seed=seed)
    return np.clip(voice * ceiling / np.abs(voice).max() * 10 ** (over_db / 20), -ceiling, ceiling)


def in_steps(samples, bits=16):
    """As a file of that resolution holds them."""
    steps = 2.0 ** (bits - 1)
    return np.clip(np.round(samples * steps), -steps, steps - 1) / steps


def found(levels, speech_ratio=None, limits=None):
    speech = None if speech_ratio is None else Speech(speech_s=1.0, speech_ratio=speech_ratio)
    return list(clipped(levels, speech, LevelsLimits() if limits is None else limits))


@pytest.mark.parametrize("ceiling", [1.0, 0.5, 0.1])
def test_a_voice_that_was_cut_off_is_clipped_also_under_full_scale(speechlike, reading_of, ceiling):
    levels = reading_of(SUBJECT, in_steps(overdriven(speechlike, 6, ceiling)), RATE_HZ)
    assert levels.clipped_runs > 10
    assert found(levels)


def test_flat_tops_are_told_where_they_are(speechlike, reading_of):
    samples = overdriven(speechlike, 0, 0.9, seconds=10.0, seed=5)
    loud = slice(round(4.2 * RATE_HZ), round(4.6 * RATE_HZ))
    peak = np.abs(samples[loud]).max()
    samples[loud] = np.clip(samples[loud], -0.4 * peak, 0.4 * peak) / 0.4
    levels = reading_of(SUBJECT, in_steps(samples), RATE_HZ)
    assert levels.clipped_spans[0].start_s >= 4.2
    assert levels.clipped_spans[-1].end_s <= 4.6
    assert len(levels.clipped_spans) < levels.clipped_runs


def test_a_clipped_take_is_found_beside_a_louder_one(speechlike, reading_of):
    """Every second has its own ceiling."""
    takes = [overdriven(speechlike, 6, 0.5, seconds=4.0), overdriven(speechlike, 0, 0.9, seconds=4.0, seed=4)]
    levels = reading_of(SUBJECT, in_steps(np.concatenate(takes)), RATE_HZ)
    assert found(levels)
    assert all(span.end_s <= 4.0 for span in levels.clipped_spans)


@pytest.mark.parametrize("bits", [8, 12, 16, 24])
@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000, 192_000])
def test_a_voice_that_was_not_cut_off_is_not_clipped(speechlike, reading_of, bits, rate_hz):
    voice = speechlike(4.0, rate_hz=rate_hz)
    levels = reading_of(SUBJECT, in_steps(voice / np.abs(voice).max() * 0.7, bits), rate_hz, bits=bits)
    assert levels.clipped_runs <= 2
    assert not found(levels)


def test_a_faint_voice_in_coarse_steps_is_not_clipped(speechlike, reading_of):
    voice = speechlike(4.0, rate_hz=RATE_HZ)
    assert reading_of(SUBJECT, in_steps(voice / np.abs(voice).max() * 0.01), RATE_HZ).clipped_runs == 0


@pytest.mark.parametrize("frames", [1, 997, None], ids=str)
def test_the_block_size_changes_nothing(speechlike, reading_of, frames):
    samples = in_steps(overdriven(speechlike, 5, 0.8, seconds=2.3))
    whole = reading_of(SUBJECT, samples, RATE_HZ)
    parts = reading_of(SUBJECT, samples, RATE_HZ, frames=len(samples) if frames is None else frames)
    assert (parts.clipped_runs, parts.clipped_spans) == (whole.clipped_runs, whole.clipped_spans)
    assert parts.clipped_runs > 0


@pytest.mark.parametrize("minutes", [1, 120])
def test_clipping_is_judged_by_its_rate(minutes):
    inside = Levels(clipped_runs=2 * minutes, clipped_ratio=1e-5, decoded_s=60.0 * minutes)
    outside = Levels(clipped_runs=2 * minutes + 1, clipped_ratio=1e-5, decoded_s=60.0 * minutes)
    assert not found(inside)
    assert [evidence.severity for evidence in found(outside)] == [None]


def test_a_flat_top_or_two_are_let_pass_in_the_shortest_clip():
    assert not found(Levels(clipped_runs=2, clipped_ratio=1e-3, decoded_s=2.0))
    assert found(Levels(clipped_runs=3, clipped_ratio=1e-3, decoded_s=2.0))


def test_a_handful_of_flat_tops_does_not_fell_two_hours():
    assert not found(Levels(clipped_runs=40, clipped_ratio=1e-6, decoded_s=7_200.0))


def test_clipping_is_grave_as_a_share_of_the_speech():
    """0.4 % of a clip that is half speech is 0.8 % of the speech."""
    levels = Levels(clipped_runs=1_000, clipped_ratio=0.004, decoded_s=60.0)
    assert [evidence.severity for evidence in found(levels, speech_ratio=1.0)] == [None]
    (grave,) = found(levels, speech_ratio=0.5)
    assert grave.severity is Severity.ERROR
    assert grave.value == pytest.approx(0.008)


def test_tops_that_were_bent_since_are_never_grave(speechlike, reading_of):
    """As gross as the worst of the flat ones below; at 22.05 kHz no two samples are equal any more."""
    bent = soxr.resample(0.9 * overdriven(speechlike, 12), RATE_HZ, 22_050)
    levels = reading_of(SUBJECT, in_steps(bent), 22_050)
    assert levels.rounded_runs > 50
    assert [evidence.severity for evidence in found(levels)] == [None]


def test_flat_and_bent_tops_are_told_apart():
    levels = Levels(clipped_runs=9, rounded_runs=5, clipped_ratio=1e-3, decoded_s=10.0)
    (evidence,) = found(levels)
    assert evidence.detail.startswith("4 flat tops, 0.10% of the speech, and 5 ")


@pytest.mark.parametrize(("over_db", "severity"), [(3, None), (12, Severity.ERROR)])
def test_the_further_over_the_ceiling_the_graver(speechlike, reading_of, over_db, severity):
    levels = reading_of(SUBJECT, in_steps(overdriven(speechlike, over_db)), RATE_HZ)
    assert [evidence.severity for evidence in found(levels)] == [severity]


def test_of_very_many_flat_tops_only_so_many_places_are_kept(reading_of):
    square = np.where(np.arange(RATE_HZ) // 6 % 2, 0.5, -0.5)
    levels = reading_of(SUBJECT, square, RATE_HZ)
    assert levels.clipped_runs == RATE_HZ // 6
    assert len(levels.clipped_spans) <= MAX_SPANS


@pytest.mark.parametrize(("offset", "ratio"), [(0.0, 0.0), (0.03, 0.03), (-0.02, 0.02)])
def test_a_constant_offset_is_measured_per_channel(speechlike, reading_of, offset, ratio):
    voice = speechlike(4.0, rate_hz=RATE_HZ)
    levels = reading_of(SUBJECT, np.stack([voice, voice + offset], axis=1), RATE_HZ)
    assert levels.dc_offset_ratio == pytest.approx(ratio, abs=1e-3)


def test_levels_of_a_square_wave_are_zero(reading_of):
    levels = reading_of(SUBJECT, np.where(np.arange(RATE_HZ) // 40 % 2, 1.0, -1.0), RATE_HZ)
    assert (levels.peak_dbfs, levels.rms_dbfs) == pytest.approx((0.0, 0.0), abs=1e-6)


@pytest.mark.parametrize("signs", [(0.2, -0.5), (0.5, -0.2)])
def test_the_peak_is_that_of_either_half_wave_wherever_it_is(speechlike, reading_of, signs):
    samples = np.stack([0.01 * speechlike(3.0, rate_hz=RATE_HZ, seed=seed) for seed in (1, 2)], axis=1)
    for at_s, value in zip((1.6, 0.7), signs, strict=True):
        samples[round(at_s * RATE_HZ), 1] = value
    for frames in (None, 997):
        levels = reading_of(SUBJECT, samples, RATE_HZ, frames=frames)
        assert levels.peak_dbfs == pytest.approx(20 * np.log10(0.5), abs=1e-6)


def test_clean_recordings_are_not_clipped(harness, reading_of):
    """Every twelfth utterance of LibriSpeech and LJSpeech; all 192 were looked at once, and none has a flat top."""
    everybody = [utterance for part in harness.PARTS for utterance in harness.utterances(part)]
    runs = [reading_of(SUBJECT, in_steps(u.samples), 16_000).clipped_runs for u in everybody[::12]]
    assert len(runs) >= 15
    assert sum(runs) == 0
