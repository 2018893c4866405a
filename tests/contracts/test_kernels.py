"""The compiled kernels against the plain ones, the plain ones against loops, and both against what does not fit."""

import importlib
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy.signal import lfilter, sosfilt

from pipeline import kernels
from pipeline.dsp import interpolator, k_weighting
from pipeline.kernels import plain

ENVELOPE_G = math.exp(-1 / (16_000 * 0.03))
THRESHOLDS = 2.0 ** -np.arange(15, 0, -1)
SHAPE = kernels.Shape(foot=0.09, tall=0.145, crown=0.8, roof=0.98, waist=0.75, least_waist=2.5)


@pytest.fixture(params=["compiled", "plain"])
def kind(request, monkeypatch):
    """Each of the two in turn stands behind the functions of `pipeline.kernels`."""
    try:
        chosen = importlib.import_module(f"pipeline.kernels.{request.param}")
    except ImportError:
        pytest.skip("the kernels were not compiled, for no C compiler was found at the install")
    monkeypatch.setattr(kernels, "chosen", chosen)
    return request.param


@pytest.fixture
def both(monkeypatch):
    """Calls a function with each of the two, on copies of its arguments, and returns both results."""
    compiled = pytest.importorskip(
        "pipeline.kernels.compiled", reason="the kernels were not compiled, for no C compiler was found at the install"
    )

    def call(function):
        made = []
        for chosen in (compiled, plain):
            monkeypatch.setattr(kernels, "chosen", chosen)
            made.append(function())
        return made

    return call


def noise(channels, frames, *, seed=0, gain=0.1):
    return (np.random.default_rng(seed).standard_normal((channels, frames)) * gain).astype(np.float32)


def voice(frames, rate_hz=16_000):
    """A tone that comes and goes, over noise."""
    at = np.arange(frames) / rate_hz
    made = 0.2 * np.sin(2 * np.pi * 220 * at) * (np.sin(2 * np.pi * 0.7 * at) > 0) + 0.001 * noise(1, frames)[0]
    return made.astype(np.float32)


def activity(hold=3_200):
    count = len(THRESHOLDS)
    none = np.full(count, -1, np.int64)
    return kernels.Activity(THRESHOLDS, np.zeros(2), np.zeros(count, np.int64), none, ENVELOPE_G, hold)


EDGES = [[], [1], [7, 8, 500], [250, 1_000], [1_000]]


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_moments_are_those_of_each_cell(kind, channels, edges):
    planes, edges = noise(channels, 1_000), np.array(edges, np.int64)
    sums, squares = kernels.moments(planes, edges)
    cells = np.split(planes.astype(np.float64), edges, axis=1)
    assert sums == pytest.approx(np.stack([cell.sum(axis=1) for cell in cells], axis=1), abs=1e-12)
    assert squares == pytest.approx(np.stack([(cell**2).sum(axis=1) for cell in cells], axis=1), rel=1e-12)


@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_filtered_energies_are_those_of_scipys_filter_and_go_on_where_they_left_off(kind, channels, edges):
    planes, edges, sos = noise(channels, 1_000), np.array(edges, np.int64), k_weighting(44_100)
    state = np.zeros((channels, 4))
    kernels.filtered_energies(sos, state, planes, np.empty(0, np.int64))
    made = kernels.filtered_energies(sos, state, planes, edges)
    filtered = sosfilt(sos, np.concatenate((planes, planes), axis=1))[:, 1_000:]
    cells = np.split(filtered, edges, axis=1)
    # Rounding differs with the order of the products, by 1e-13 of a sum.
    assert made == pytest.approx(np.stack([(cell**2).sum(axis=1) for cell in cells], axis=1), rel=1e-11)


def bank(pairs, taps, stride, pool, *, seed=0):
    """Drawn filters, each first half the mirror of its second but for the sign, and what is added to each output."""
    draw = np.random.default_rng(seed)
    half = draw.standard_normal((2, pairs, taps // 2))
    even, odd = (
        [side[:, ::-1], middle * np.ones((pairs, 1)), sign * side]
        for side, sign, middle in zip(half, (1, -1), (1, 0), strict=True)
    )
    filters = np.concatenate([np.concatenate(parts, axis=1) for parts in (even, odd)]).astype(np.float32)
    return kernels.FilterBank(filters, draw.standard_normal(2 * pairs).astype(np.float32), stride, pool)


def filtered_one_by_one(waves, drawn):
    """The same by a product for every output."""
    outputs = np.lib.stride_tricks.sliding_window_view(waves.astype(np.float64), drawn.filters.shape[1], axis=1)
    made = np.abs(outputs[:, :: drawn.stride] @ drawn.filters.astype(np.float64).T + drawn.offsets)
    whole = made.shape[1] // drawn.pool * drawn.pool
    return made[:, :whole].reshape(len(waves), -1, drawn.pool, len(drawn.filters)).max(axis=2).transpose(0, 2, 1)


@pytest.mark.parametrize(("taps", "stride", "pool"), [(251, 10, 3), (3, 2, 1), (41, 4, 2), (21, 10, 3), (19, 6, 7)])
@pytest.mark.parametrize("samples", [250, 251, 1_000, 20_011])
@pytest.mark.parametrize("waves", [1, 5, 9])
def test_band_maxima_are_those_of_products_with_every_filter(kind, taps, stride, pool, samples, waves):
    drawn, planes = bank(3, taps, stride, pool), noise(waves, samples)
    made = kernels.band_maxima(planes, drawn)
    if samples < taps:
        assert made.shape == (waves, 6, 0)
        return
    wanted = filtered_one_by_one(planes, drawn)
    # Sums of up to 251 products in single precision, or transforms of 4,000 points.
    assert made == pytest.approx(wanted, abs=3e-6 * max(1.0, float(wanted.max(initial=0.0))))


def test_bands_of_digital_silence_are_their_offsets_to_the_last_bit(kind):
    drawn = bank(2, 251, 10, 3)
    made = kernels.band_maxima(np.zeros((2, 8_000), np.float32), drawn)
    assert (made == np.abs(drawn.offsets)[None, :, None]).all()


def test_a_wave_gives_the_same_bands_alone_as_among_others(kind):
    drawn, planes = bank(2, 251, 10, 3), noise(5, 9_000)
    together = kernels.band_maxima(planes, drawn)
    alone = np.concatenate([kernels.band_maxima(planes[k : k + 1], drawn) for k in range(5)])
    assert np.array_equal(together, alone)


def test_a_filter_forgets_what_is_next_to_nothing(both):
    def energy():
        state = np.zeros((1, 4))
        kernels.filtered_energies(k_weighting(8_000), state, noise(1, 8_000), np.empty(0, np.int64))
        for _ in range(40):  # 20 s of silence, in which the high-pass dies away to 1e-1000
            kernels.filtered_energies(
                k_weighting(8_000), state, np.zeros((1, 4_000), np.float32), np.empty(0, np.int64)
            )
        return kernels.filtered_energies(k_weighting(8_000), state, noise(1, 8_000), np.empty(0, np.int64))

    compiled, in_numpy = both(energy)
    assert compiled == pytest.approx(in_numpy, rel=1e-11)


@pytest.mark.parametrize("size", [2, 4, 6, 10, 30, 360, 400, 512, 1_080, 1_920, 2_880, 12_288])
def test_spectra_are_those_of_numpy_in_double_precision(kind, size):
    windows, window = noise(19, size), np.hanning(size + 2)[1:-1].astype(np.float32)
    wanted = np.fft.rfft(windows.astype(np.float64) * window)
    most = float(np.abs(wanted).max())
    # Rounding of single precision grows with the number of passes, of which there are seven at most.
    assert kernels.spectra(windows, window) == pytest.approx(wanted, abs=1e-6 * most)
    assert kernels.power_spectra(windows, window) == pytest.approx(np.abs(wanted) ** 2, rel=1e-5, abs=1e-6 * most**2)


def test_some_of_the_bins_are_the_same_as_in_all(kind):
    windows, window = noise(3, 512), np.hanning(512).astype(np.float32)
    assert np.array_equal(kernels.spectra(windows, window, 7, 100), kernels.spectra(windows, window)[:, 7:100])
    assert np.array_equal(kernels.power_spectra(windows, window, 0, 1), kernels.power_spectra(windows, window)[:, :1])


def test_a_window_does_not_tell_on_those_beside_it(kind):
    window = np.hanning(512).astype(np.float32)
    windows = np.concatenate((noise(1, 512, gain=10.0), np.zeros((1, 512), np.float32), noise(9, 512)))
    made = kernels.power_spectra(windows, window)
    assert not made[1].any()
    for number in range(len(windows)):
        assert np.array_equal(made[number], kernels.power_spectra(windows[number : number + 1], window)[0])


def test_windows_may_overlap_in_memory(kind):
    stream, window = noise(1, 5_000)[0], np.hanning(400).astype(np.float32)
    views = np.lib.stride_tricks.sliding_window_view(stream, 400)[::160]
    assert np.array_equal(kernels.power_spectra(views, window), kernels.power_spectra(views.copy(), window))


@pytest.mark.parametrize("size", [1, 7, 8, 32, 44, 1_000, 2_000])
def test_extremes_are_those_of_each_cell_and_of_the_short_last_one(kind, size):
    planes = noise(2, 1_003)
    high, low = kernels.extremes(planes, size)
    cells = [planes[:, at : at + size] for at in range(0, 1_003, size)]
    assert np.array_equal(high, np.stack([cell.max(axis=1) for cell in cells], axis=1))
    assert np.array_equal(low, np.stack([cell.min(axis=1) for cell in cells], axis=1))


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("frames", [0, 1, 31, 32, 33, 20_000])
def test_runs_over_a_level_are_all_found_however_many(kind, frames, sign):
    plane, least = noise(1, frames)[0], 0.05
    over = (sign * plane >= np.float32(least)).tolist()
    wanted, begun = [], None
    for at, high in enumerate([*over, False]):
        if high and begun is None:
            begun = at
        elif not high and begun is not None:
            wanted.append([begun, at])
            begun = None
    assert kernels.runs_over(kernels.Side(plane, sign), least).tolist() == wanted


def test_a_triangle_has_the_height_and_widths_that_one_draws(kind):
    triangle = np.concatenate((np.linspace(0, 0.2, 21), np.linspace(0.2, 0, 21)[1:])).astype(np.float32)
    shape = kernels.Shape(foot=0.055, tall=0.1, crown=0.95, roof=0.9, waist=0.5, least_waist=2.5)
    found = kernels.tops(kernels.Side(np.tile(triangle, 3), 1.0), shape)
    height = (0.19 + 0.20 + 0.19) / 3
    widths = [2 * (0.2 - level * height) / 0.01 for level in (0.9, 0.5)]
    assert found[:, 0].tolist() == [20.5, 61.5, 102.5]
    assert found[:, 1:] == pytest.approx(np.array([[height, *widths]] * 3), rel=1e-5)  # float32


def test_tops_that_run_over_an_end_are_none(kind):
    arch = np.sin(np.linspace(0, np.pi, 40)).astype(np.float32) * np.float32(0.2)
    assert len(kernels.tops(kernels.Side(np.concatenate((arch[20:], arch, arch[:20])), 1.0), SHAPE)) == 1


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_tops_are_the_same_compiled_and_plain(both, sign):
    plane = np.convolve(noise(1, 60_000)[0], np.hanning(40), "same").astype(np.float32) / 10
    shape = SHAPE._replace(foot=0.02, tall=0.03)
    compiled, in_numpy = both(lambda: kernels.tops(kernels.Side(plane, sign), shape))
    assert len(compiled) > 500
    assert compiled == pytest.approx(in_numpy, rel=1e-4)  # sums of float32


@pytest.mark.parametrize("frames", [1, 31, 32, 95, 96, 5_000])
def test_the_highest_point_between_samples_is_found_wherever_it_is(kind, frames):
    phases = interpolator(4, 32)[1:].astype(np.float32)
    gain = float(np.abs(phases).sum(axis=1).max())
    for seed in range(5):
        plane = noise(1, frames, seed=seed)[0]
        between = [np.abs(np.correlate(plane, phase, "valid")).max() for phase in phases if frames >= len(phase)]
        wanted = max([float(np.abs(plane).max()), *map(float, between)])
        assert kernels.highest_between(plane, phases, gain, 0.0) == pytest.approx(wanted, rel=1e-5)  # sums of float32


def test_a_best_that_is_higher_already_stays_as_it_is(kind):
    phases = interpolator(4, 32)[1:].astype(np.float32)
    assert kernels.highest_between(noise(1, 1_000)[0], phases, 2.4, 0.7) == 0.7


def test_active_samples_are_those_that_one_counts_one_by_one(kind):
    samples, counted, hold = voice(24_000), activity(hold=400), 400
    kernels.active_samples(samples, 0, counted)
    envelope = lfilter([1 - ENVELOPE_G], [1, -ENVELOPE_G], np.abs(samples.astype(np.float64)))
    envelope = lfilter([1 - ENVELOPE_G], [1, -ENVELOPE_G], envelope)
    for number, threshold in enumerate(THRESHOLDS):
        active, since, last = 0, None, -1
        for at, value in enumerate(envelope):
            if value >= threshold:
                active += 1 if since is None else 1 + min(at - since, hold)
                since, last = None, at + 1
            elif last >= 0 and since is None:
                since = at
        assert (counted.active[number], counted.over_until[number]) == (active, last)


def test_active_samples_do_not_depend_on_how_the_signal_is_cut(kind):
    samples, whole, parts = voice(32_000), activity(), activity()
    kernels.active_samples(samples, 0, whole)
    for first in range(0, 32_000, 777):
        kernels.active_samples(samples[first : first + 777], first, parts)
    assert whole.active.tolist() == parts.active.tolist()
    assert whole.over_until.tolist() == parts.over_until.tolist()


def peaks(count, *, seed, frames=300):
    draw = np.random.default_rng(seed)
    return kernels.Peaks.of(np.sort(draw.integers(0, frames, count)), draw.integers(0, 196, count))


@pytest.mark.parametrize("sizes", [(0, 0), (0, 5), (5, 0), (1, 1), (400, 300), (30, 2_000)])
@pytest.mark.parametrize("least", [-400, -30, -1, 0, 17, 400])
def test_meetings_are_those_of_all_pairs_of_peaks(kind, sizes, least):
    one, other = (peaks(size, seed=size + 1) for size in sizes)
    wanted = [0] * 14
    for frame, step in zip(one.frames, one.steps, strict=True):
        for late in (other.frames - frame - least)[abs(other.steps - step) <= 2].tolist():
            if 0 <= late < 14:
                wanted[late] += 1
    assert kernels.meetings(one, other, least, 14, 2).tolist() == wanted


@pytest.mark.parametrize("sizes", [(0, 0), (0, 5), (5, 0), (1, 1), (400, 300), (30, 2_000)])
@pytest.mark.parametrize("least", [-400, -30, -1, 0, 17, 400])
def test_crowds_are_where_enough_of_the_peaks_around_are_met(kind, sizes, least):
    one, other = (peaks(size, seed=size + 1) for size in sizes)
    crowded, met = kernels.crowds(one, other, least, 2, kernels.Crowd(window=44, ratio=0.1))
    for at, (frame, step) in enumerate(zip(one.frames, one.steps, strict=True)):
        late = (other.frames - frame - least)[abs(other.steps - step) <= 2]
        assert met[at] == bool(np.isin(late, (0, 1)).any())
        around = met[abs(one.frames - frame) <= 44]
        assert crowded[at] == (around.sum() >= 0.1 * len(around))


def test_rows_that_are_no_one_piece_are_taken_too(kind):
    interleaved = noise(1_000, 2)
    sums, _ = kernels.moments(interleaved.T)
    assert sums[:, 0] == pytest.approx(interleaved.sum(axis=0, dtype=np.float64), abs=1e-12)
    assert kernels.extremes(interleaved.T, 1_000)[0][:, 0].tolist() == interleaved.max(axis=0).tolist()
    assert kernels.moments(interleaved.T.astype(np.float64))[0].tolist() == sums.tolist()


PLANES, SUMS, STATE, NUMBERS = noise(2, 10), np.zeros((2, 2)), np.zeros((2, 4)), np.zeros(3, int)
BINS = np.zeros((2, 4), np.float32)
BANK = (noise(2, 50), noise(4, 9), noise(1, 4)[0], noise(2, 40), noise(1, 80)[0], noise(1, 40)[0])
"""Waves, filters, offsets, gains and both kinds of roots for blocks of 40 samples, of which every fourth output is made."""
POOLS = np.zeros((8, 5), np.float32)


def without(number, other):
    """What `band_maxima` takes, but for one argument."""
    given = [*BANK, POOLS, 4, 2]
    given[number] = other
    return "band_maxima", tuple(given)


REFUSED = {
    "two waves fewer than room": without(0, noise(1, 50)),
    "filters with an even number of taps": without(1, noise(4, 8)),
    "three filters": without(1, noise(3, 9)),
    "offsets of some filters": without(2, noise(1, 3)[0]),
    "gains of another block": without(3, noise(2, 44)),
    "roots of another block": without(4, noise(1, 78)[0]),
    "points that are no part of a block": without(5, noise(1, 36)[0]),
    "room for more pools": without(6, np.zeros((8, 6), np.float32)),
    "room for fewer pools": without(6, np.zeros((8, 4), np.float32)),
    "an odd stride": without(7, 5),
    "a stride of nothing": without(7, 0),
    "a stride that is no number": without(7, math.nan),
    "pools of nothing": without(8, 0),
    "pools longer than a block": without(8, 100),
    "edges behind the end": ("moments", (PLANES, np.array([11]), SUMS, SUMS.copy())),
    "edges that fall": ("moments", (PLANES, np.array([5, 4]), np.zeros((2, 3)), np.zeros((2, 3)))),
    "an edge at the start": ("moments", (PLANES, np.array([0]), SUMS, SUMS.copy())),
    "too little room": ("moments", (PLANES, np.array([5]), np.zeros((2, 1)), SUMS.copy())),
    "doubles for samples": ("moments", (np.zeros((2, 10)), np.array([5]), SUMS, SUMS.copy())),
    "rows in pieces": ("moments", (noise(10, 2).T, np.array([5]), SUMS, SUMS.copy())),
    "three axes": ("moments", (PLANES[None], np.array([5]), SUMS, SUMS.copy())),
    "too few arguments": ("moments", (PLANES,)),
    "room that is read-only": ("moments", (PLANES, np.array([5]), np.frombuffer(bytes(32)).reshape(2, 2), SUMS)),
    "roots of another size": ("spectra", (PLANES, PLANES[0], noise(1, 18)[0], BINS, 0)),
    "a window of another size": ("spectra", (PLANES, PLANES[0, :8], noise(1, 16)[0], BINS, 0)),
    "bins behind the last": ("power_spectra", (PLANES, PLANES[0], noise(1, 20)[0], BINS, 3)),
    "bins before the first": ("power_spectra", (PLANES, PLANES[0], noise(1, 20)[0], BINS, -1)),
    "half a bin": ("spectra", (PLANES, PLANES[0], noise(1, 20)[0], BINS[:, :3], 0)),
    "a size with a factor of seven": ("spectra", (noise(2, 14), noise(1, 14)[0], noise(1, 28)[0], BINS, 0)),
    "an odd size": ("spectra", (noise(2, 9), noise(1, 9)[0], noise(1, 18)[0], BINS, 0)),
    "three sections": ("filtered_energies", (np.zeros((3, 6)), STATE, PLANES, np.array([5]), SUMS)),
    "no state": ("filtered_energies", (np.zeros((2, 6)), np.zeros((1, 4)), PLANES, np.array([5]), SUMS)),
    "cells of no size": ("extremes", (PLANES, np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32), 0)),
    "a size that is none": ("extremes", (PLANES, np.zeros((2, 1), np.float32), np.zeros((2, 1), np.float32), "x")),
    "room of one column": ("runs_over", (PLANES[0], np.zeros((5, 1), np.int64), 1.0, 0.1)),
    "a shape of five": ("tops", (PLANES[0], np.zeros(5), np.zeros((5, 4)), 1.0)),
    "two planes": ("highest_between", (PLANES, np.zeros((3, 4), np.float32), 2.0, 0.0)),
    "frames without steps": ("meetings", (NUMBERS, NUMBERS[:2], *[NUMBERS] * 5, 0, 2)),
    "peaks with no first": ("meetings", (*[NUMBERS] * 5, NUMBERS[:0], NUMBERS, 0, 2)),
    "peaks in a table": ("meetings", (*[np.zeros((2, 3), int)] * 6, NUMBERS, 0, 2)),
    "too few flags": ("crowds", (*[NUMBERS] * 6, NUMBERS[:2], np.zeros(4, int), NUMBERS, 0, 2, 44, 0.4)),
    "too few of those before": ("crowds", (*[NUMBERS] * 9, 0, 2, 44, 0.4)),
    "too few counts": (
        "active_samples",
        (PLANES[0], THRESHOLDS, np.zeros(2), np.zeros(1, int), np.zeros(1, int), 0.9, 3, 0),
    ),
}


def test_peaks_whose_firsts_lie_reach_no_memory_of_others():
    compiled = pytest.importorskip("pipeline.kernels.compiled", reason="the kernels were not compiled")
    lies, counts = np.array([-(10**6), 10**6, 10**6]), np.zeros(3, int)
    compiled.meetings(NUMBERS, NUMBERS, lies, NUMBERS, NUMBERS, lies, counts, 1, 2)
    assert counts.sum() <= 9
    compiled.crowds(*[NUMBERS, NUMBERS, lies] * 2, np.zeros(3, int), np.zeros(4, int), np.zeros(3, int), 1, 2, 44, 0.4)


def test_what_the_refusals_change_is_else_taken():
    compiled = pytest.importorskip("pipeline.kernels.compiled", reason="the kernels were not compiled")
    compiled.band_maxima(*BANK, POOLS, 4, 2)
    assert POOLS.all()


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_fit_is_refused_before_memory_is_touched(what):
    compiled = pytest.importorskip("pipeline.kernels.compiled", reason="the kernels were not compiled")
    function, arguments = REFUSED[what]
    with pytest.raises((TypeError, ValueError, BufferError)):
        getattr(compiled, function)(*arguments)


def test_without_compiled_kernels_the_plain_ones_are_chosen():
    program = (
        "import sys; sys.modules['pipeline.kernels.compiled'] = None\n"
        "from pipeline import kernels; print(kernels.name())"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "plain"
