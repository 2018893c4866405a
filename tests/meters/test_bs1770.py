"""Programme loudness against the tables of EBU Tech 3341 (2023) and 3342 (2023) and the text of ITU-R BS.1770-5.

All their signals but the authentic programmes are synthesised here, in the standards' tolerances. Numbers in brackets
are those of the tables' rows.
"""

import numpy as np
import pytest

from pipeline.dsp import k_weighting

LU = 0.1
"""Tech 3341, table 1."""

RANGE_LU = 1.0
"""Tech 3342, table 1."""

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)


@pytest.mark.parametrize(("dbfs", "lufs"), [(-23.0, -23.0), (-33.0, -33.0)], ids=["1", "2"])
def test_a_steady_tone_reads_its_level_in_all_three_time_scales(steps, loudness_of, dbfs, lufs):
    meter = loudness_of(steps([(20, dbfs)]))
    read = (meter.integrated_lufs(), meter.max_short_term_lufs(), meter.max_momentary_lufs())
    assert read == pytest.approx((lufs, lufs, lufs), abs=LU)


@pytest.mark.parametrize(
    "programme",
    [
        [(10, -36), (60, -23), (10, -36)],
        [(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)],
        [(20, -26), (20.1, -20), (20, -26)],
    ],
    ids=["3", "4", "5"],
)
def test_what_is_far_under_the_programme_is_gated_out(steps, loudness_of, programme):
    assert loudness_of(steps(programme)).integrated_lufs() == pytest.approx(-23.0, abs=LU)


def test_surround_channels_weigh_more(steps, loudness_of):  # [6]
    levels = {"FL": -28, "FR": -28, "FC": -24, "SL": -30, "SR": -30}
    sides = [steps([(20, dbfs)], channels=1) for dbfs in levels.values()]
    meter = loudness_of(np.concatenate(sides, axis=1), positions=tuple(levels))
    assert meter.integrated_lufs() == pytest.approx(-23.0, abs=LU)


def test_the_low_frequency_channel_does_not_count(steps, loudness_of):
    tone = steps([(5, -23)], channels=3)
    with_lfe = loudness_of(tone, positions=("FL", "FR", "LFE")).integrated_lufs()
    assert with_lfe == pytest.approx(loudness_of(tone[:, :2]).integrated_lufs(), abs=1e-9)


def test_short_term_loudness_of_an_alternating_tone_is_constant(steps, loudness_of):  # [9]
    signal = steps([(1.34, -20), (1.66, -30)] * 5)
    assert loudness_of(signal).max_short_term_lufs() == pytest.approx(-23.0, abs=LU)
    for start in range(0, 12, 2):  # the lowest is the highest of any 3 s
        part = signal[start * 48_000 :][: 3 * 48_000]
        assert loudness_of(part).max_short_term_lufs() == pytest.approx(-23.0, abs=LU)


def test_momentary_loudness_of_an_alternating_tone_is_constant(steps, loudness_of):  # [12]
    signal = steps([(0.18, -20), (0.22, -30)] * 25)
    assert loudness_of(signal).max_momentary_lufs() == pytest.approx(-23.0, abs=LU)
    for start in range(20):
        part = signal[start * 4_800 :][:19_200]
        assert loudness_of(part).max_momentary_lufs() == pytest.approx(-23.0, abs=LU)


@pytest.mark.parametrize("i", range(20))
def test_three_seconds_read_their_short_term_loudness_wherever_they_start(steps, loudness_of, i):  # [10]
    meter = loudness_of(steps([(i * 0.15, None), (3, -23), (1, None)]))
    assert meter.max_short_term_lufs() == pytest.approx(-23.0, abs=LU)


@pytest.mark.parametrize("i", range(20))
def test_four_tenths_read_their_momentary_loudness_wherever_they_start(steps, loudness_of, i):  # [13]
    meter = loudness_of(steps([(i * 0.02, None), (0.4, -23), (1, None)]))
    assert meter.max_momentary_lufs() == pytest.approx(-23.0, abs=LU)


@pytest.mark.parametrize(
    ("length_s", "shift_s", "read"),
    [(3.0, 0.15, "max_short_term_lufs"), (0.4, 0.02, "max_momentary_lufs")],
    ids=["11", "14"],
)
def test_bursts_that_grow_read_their_level_one_after_the_other(steps, loudness_of, length_s, shift_s, read):
    programme = []
    for i in range(20):
        programme += [(i * shift_s, None), (length_s, -38 + i), (length_s - i * shift_s, None)]
    signal = steps(programme)
    meter = loudness_of(signal[:0])
    ends = np.round(np.cumsum([seconds for seconds, _ in programme]) * 48_000).astype(int)
    for i, (start, end) in enumerate(zip([0, *ends[2:-1:3]], ends[2::3], strict=True)):
        meter.feed(signal[start:end], start)
        assert getattr(meter, read)() == pytest.approx(-38 + i, abs=LU)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("side", [0, 1])
def test_a_full_scale_sine_in_one_channel_reads_minus_3_01(steps, loudness_of, rate_hz, side):
    """BS.1770-5 annex 1: 0 dB FS at 997 Hz in one of left, right and centre is -3.01 LKFS, at any rate."""
    signal = steps([(2, 0.0)], rate_hz, hz=997.0)
    signal[:, 1 - side] = 0
    # The bilinear transform bends the shelf by the sample rate: -2.97 at 16 kHz, -3.04 at 192.
    assert loudness_of(signal, rate_hz).integrated_lufs() == pytest.approx(
        -3.01, abs=0.005 if rate_hz == 48_000 else 0.05
    )


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_stereo_tone_of_minus_18_reads_minus_18_at_any_rate(steps, loudness_of, rate_hz):
    assert loudness_of(steps([(3, -18)], rate_hz), rate_hz).integrated_lufs() == pytest.approx(-18.0, abs=LU)


def test_the_filter_at_48_khz_is_the_tabulated_one():
    """BS.1770-5 annex 1, tables 1 and 2, to the digits that are printed there."""
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585]
    high_pass = [1, -2, 1, 1, -1.99004745483398, 0.99007225036621]
    assert k_weighting(48_000) == pytest.approx(np.array([shelf, high_pass]), abs=1e-13)


@pytest.mark.parametrize(
    ("rate_hz", "frames", "seconds"),
    [(8_000, 1, 3.4), *((rate, frames, 10) for rate in (11_025, 44_100, 48_000) for frames in (997, 1_000, None))],
)
def test_the_block_size_changes_nothing(loudness_of, rate_hz, frames, seconds):
    random = np.random.default_rng(1)
    level = np.repeat(10 ** (random.uniform(-50, -10, round(seconds * 5)) / 20), rate_hz // 5)
    signal = (level[:, None] * random.standard_normal((len(level), 2))).astype(np.float32)
    whole, parts = loudness_of(signal, rate_hz), loudness_of(signal, rate_hz, frames=frames)
    for read in ("integrated_lufs", "range_lu", "max_momentary_lufs", "max_short_term_lufs"):
        # Sums of 10 ms are taken in another order: rounding of the last digits.
        assert getattr(parts, read)() == pytest.approx(getattr(whole, read)(), abs=1e-6)


@pytest.mark.parametrize(
    ("programme", "range_lu"),
    [
        ([(20, -20), (20, -30)], 10.0),
        ([(20, -20), (20, -15)], 5.0),
        ([(20, -40), (20, -20)], 20.0),
        ([(20, -50), (20, -35), (20, -20), (20, -35), (20, -50)], 15.0),
    ],
    ids=["1", "2", "3", "4"],
)
def test_loudness_range(steps, loudness_of, programme, range_lu):  # Tech 3342, table 1
    assert loudness_of(steps(programme)).range_lu() == pytest.approx(range_lu, abs=RANGE_LU)
    once, thrice = (loudness_of(steps(programme * times, 16_000), 16_000).range_lu() for times in (1, 3))
    # The joints add windows of 3 s that hold both levels, too few to move the percentiles by a tenth.
    assert thrice == pytest.approx(once, abs=0.1)


def test_asking_changes_nothing(steps, loudness_of):
    signal = steps([(4, -20), (4, -30)])
    meter = loudness_of(signal[: 4 * 48_000])
    first = meter.range_lu(), meter.integrated_lufs()
    assert (meter.range_lu(), meter.integrated_lufs()) == first
    meter.feed(signal[4 * 48_000 :], 4 * 48_000)
    assert meter.range_lu() == pytest.approx(loudness_of(signal).range_lu(), abs=1e-9)


def test_less_than_a_gating_block_has_no_loudness(steps, loudness_of):
    meter = loudness_of(steps([(0.399, -20)]))
    assert (meter.integrated_lufs(), meter.max_momentary_lufs(), meter.range_lu()) == (None, None, None)


def test_what_stays_under_the_absolute_gate_has_no_loudness(steps, loudness_of):
    assert loudness_of(steps([(5, -71)])).integrated_lufs() is None
    assert loudness_of(steps([(5, -69)])).integrated_lufs() == pytest.approx(-69.0, abs=LU)


def test_the_gate_test_of_bs_2217_reads_what_it_should(real_audio, loudness_of):
    soundfile = pytest.importorskip("soundfile")
    files = sorted((real_audio / "csteinmetz1__pyloudnorm" / "tests" / "data").glob("*AbsGateTest*.wav"))
    if not files:
        pytest.skip("the absolute gate test of ITU-R BS.2217 is not among the real recordings")
    samples, rate_hz = soundfile.read(files[0], dtype="float32", always_2d=True)
    positions = ("FC",) if samples.shape[1] == 1 else ("FL", "FR")
    assert loudness_of(samples, rate_hz, positions).integrated_lufs() == pytest.approx(-69.5, abs=LU)
