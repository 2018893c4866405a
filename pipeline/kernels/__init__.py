"""The loops over samples and peaks that cost most: compiled where the install found a C compiler, and in NumPy where not.

Both do the same but for rounding; `plain` is the one to read. Samples are float32 (channels, frames) throughout.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.dsp import Doubles, fast_length
from pipeline.records import Floats

try:
    from pipeline.kernels import compiled as chosen
except ImportError:  # built without a compiler, see hatch_build.py
    from pipeline.kernels import plain as chosen  # type: ignore[no-redef]

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

NOWHERE: Whole = np.empty(0, np.int64)
"""No edges: all samples are summed up together."""

FEW = 1 << 12
"""Room for so many finds is made at first."""

TAPS_A_BLOCK = 16
"""Blocks to filter are so many times as long as the filters: of shorter ones more overlaps, longer ones leave the caches."""


class Side(NamedTuple):
    """The samples (frames,) of a channel as they are, or with a sign of -1 upside down."""

    plane: Floats
    sign: float


class Shape(NamedTuple):
    """Which tops are drawn, and where they are measured.

    A top is a run of samples from `foot` on, with one beside it at each end, that gets as high as `tall`. Its height is the mean
    of its samples over `crown` of the highest one; its widths are those at `roof` and at `waist`, parts of the height, of
    which the latter is at least `least_waist` samples.
    """

    foot: float
    tall: float
    crown: float
    roof: float
    waist: float
    least_waist: float


def name() -> str:
    """Which of the two this is, `compiled` or `plain`."""
    return chosen.__name__.rpartition(".")[2]


def moments(planes: Floats, edges: Whole = NOWHERE) -> tuple[Doubles, Doubles]:
    """Sums and sums of squares (channels, len(edges) + 1) of the samples before each edge, and of those after the last.

    Edges rise, over zero and up to the number of frames.
    """
    sums, squares = (np.empty((len(planes), len(edges) + 1)) for _ in range(2))
    chosen.moments(_in_rows(planes), edges, sums, squares)
    return sums, squares


def spectra(windows: Floats, window: Floats, first: int = 0, end: int | None = None) -> NDArray[np.complex64]:
    """The bins (windows, bins) from `first` up to `end` of the spectra of windows (windows, size) under a window (size,).

    The size is one that `pipeline.dsp.fast_length` gives.
    """
    made = np.empty((len(windows), _end(window, end) - first), np.complex64)
    chosen.spectra(_in_rows(windows), window, _roots(len(window)), made.view(np.float32), first)
    return made


def power_spectra(windows: Floats, window: Floats, first: int = 0, end: int | None = None) -> Floats:
    """The squared magnitudes (windows, bins) of the same."""
    made = np.empty((len(windows), _end(window, end) - first), np.float32)
    chosen.power_spectra(_in_rows(windows), window, _roots(len(window)), made, first)
    return made


class FilterBank(NamedTuple):
    """Filters that are used at a stride, and of which the highest magnitude of every `pool` outputs counts.

    filters : float32 (2 * pairs, taps), an odd number of taps; the first half are even functions around the middle tap, the
        others odd ones
    offsets : float32 (2 * pairs,), what is added to the outputs of each
    """

    filters: Floats
    offsets: Floats
    stride: int
    pool: int


def band_maxima(waves: Floats, bank: FilterBank) -> Floats:
    """The highest magnitudes of each filter's outputs (waves, filters, pools) for waves (waves, samples)."""
    filters, offsets, stride, pool = bank
    outputs = max(waves.shape[1] - filters.shape[1] + stride, 0) // stride
    made = np.empty((len(waves) * len(filters), outputs // pool), np.float32)
    points = fast_length(TAPS_A_BLOCK * filters.shape[1] // stride)
    gains = _gains(filters.tobytes(), filters.shape, stride * points)
    roots, fold_roots = _roots(stride * points), _roots(2 * points)
    chosen.band_maxima(_in_rows(waves), filters, offsets, gains, roots, fold_roots, made, stride, pool)
    return made.reshape(len(waves), len(filters), -1)


def filtered_energies(sos: Doubles, state: Doubles, planes: Floats, edges: Whole) -> Doubles:
    """The second of `moments` of the samples behind a filter of two second-order sections, (2, 6).

    `state` (channels, 4) holds the two states of each section after the last sample, and is brought up to date.
    """
    made = np.empty((len(planes), len(edges) + 1))
    chosen.filtered_energies(sos, state, _in_rows(planes), edges, made)
    return made


def extremes(planes: Floats, size: int) -> tuple[Floats, Floats]:
    """The highest and the lowest of every `size` samples, (channels, cells); the last cell may be shorter."""
    high, low = (np.empty((len(planes), -(-planes.shape[1] // size)), np.float32) for _ in range(2))
    chosen.extremes(_in_rows(planes), high, low, size)
    return high, low


def runs_over(side: Side, least: float) -> Whole:
    """Starts and ends (runs, 2) of the runs of samples that are at least so high."""
    plane = _in_rows(side.plane)
    return _filled(lambda room: chosen.runs_over(plane, room, side.sign, least), 2, np.int64)


def tops(side: Side, shape: Shape) -> Doubles:
    """The tops that lie whole inside the samples: rows of middle, height, and width at the roof and at the waist, in samples."""
    plane, levels = _in_rows(side.plane), np.array(shape)
    return _filled(lambda room: chosen.tops(plane, levels, room, side.sign), 4, np.float64)


def highest_between(plane: Floats, phases: Floats, gain: float, best: float) -> float:
    """The magnitude of the highest sample (frames,) and of the highest point between samples, or `best` when that is higher.

    The point of a phase (phases, taps) is the product of its taps with as many samples from its own on. `gain` is the most by which
    such a point can exceed its samples.
    """
    return chosen.highest_between(_in_rows(plane), phases, gain, best)


class Peaks(NamedTuple):
    """The spectral peaks of a clip in the order of time: frame (peaks,) and half bin (peaks,) of each.

    `firsts` (frames + 1,) are the numbers of the first peak at or behind each frame, 8 bytes each.
    """

    frames: Whole
    steps: Whole
    firsts: Whole

    @classmethod
    def of(cls, frames: Whole, steps: Whole) -> "Peaks":
        """Those peaks with the numbers of the first ones."""
        return cls(frames, steps, frames.searchsorted(np.arange(frames.max(initial=-1) + 2)))


def meetings(one: Peaks, other: Peaks, least: int, latenesses: int, near: int) -> Whole:
    """How many pairs of a peak of one and one of the other within `near` steps there are at each lateness in frames.

    The first lateness is `least`, the next one more.
    """
    counts = np.empty(latenesses, np.int64)
    chosen.meetings(*one, *other, counts, least, near)
    return counts


class Crowd(NamedTuple):
    """At least `ratio` of the peaks within `window` frames of one stand in another clip, too."""

    window: int
    ratio: float


def crowds(one: Peaks, other: Peaks, least: int, near: int, crowd: Crowd) -> tuple[Flags, Flags]:
    """Which peaks of one stand in a `crowd`, and which have one of the other within `near` steps.

    Those of the other are `least` frames later, or one more.
    """
    met, before, crowded = (np.empty(len(one.frames) + more, np.int64) for more in (0, 1, 0))
    chosen.crowds(*one, *other, met, before, crowded, least, near, *crowd)
    return crowded.astype(bool), met.astype(bool)


class Activity(NamedTuple):
    """How long a signal was active by ITU-T P.56, for each of some rising thresholds; all of it is brought up to date.

    `envelope` holds the two exponential means of the magnitude, p = g p + (1 - g) |x| and q = g q + (1 - g) p; `active` counts
    the samples at which q reached a threshold, and after them `hold` more until it did so again; `over_until` is the sample
    after the last that did, or -1.
    """

    thresholds: Doubles
    envelope: Doubles
    active: Whole
    over_until: Whole
    g: float
    hold: int


def active_samples(samples: Floats, first: int, activity: Activity) -> None:
    """Go on counting with samples (frames,) that begin at sample `first`."""
    thresholds, envelope, active, over_until, g, hold = activity
    chosen.active_samples(_in_rows(samples), thresholds, envelope, active, over_until, g, hold, first)


def _end(window: Floats, end: int | None) -> int:
    return len(window) // 2 + 1 if end is None else end


@cache
def _roots(size: int) -> Floats:
    """exp(-2 pi i k / size) for each k below size, real and imaginary parts in turn."""
    angles = -2 * np.pi / size * np.arange(size)
    return np.stack((np.cos(angles), np.sin(angles)), axis=1).ravel().astype(np.float32)


@cache
def _gains(filters: bytes, shape: tuple[int, int], size: int) -> Floats:
    """What bin k of `size` is multiplied with to give the even output plus i times the odd one, (pairs, size), for each pair."""
    taps = np.frombuffer(filters, np.float32).reshape(shape).astype(np.float64)
    around = np.zeros((shape[0], size))
    around[:, np.arange(shape[1]) - shape[1] // 2] = taps
    even, odd = np.split(np.fft.fft(around), 2)
    gains: Floats = ((even.real + odd.imag) / size).astype(np.float32)
    return gains


def _in_rows(planes: Floats) -> Floats:
    """Single precision, each channel in one piece; mostly it is so already."""
    fits = planes.dtype == np.float32 and planes.strides[-1] == planes.itemsize
    return planes if fits else np.ascontiguousarray(planes, np.float32)


def _filled(fill: Callable[[NDArray[Any]], int], columns: int, dtype: DTypeLike) -> NDArray[Any]:
    """What a kernel finds, with more room for it until everything fits."""
    most = FEW
    while (found := fill(room := np.empty((most, columns), dtype))) == most:
        most *= 8
    return room[:found]
