"""The kernels in NumPy and SciPy: what is used where nothing could be compiled, and what the compiled ones are held against.

Results are written into the arrays that are given for them.
"""

import numpy as np
import scipy
from numpy.typing import NDArray

from pipeline.dsp import Doubles, runs
from pipeline.records import Floats

Whole = NDArray[np.int64]

CELL = 32
"""Points between so many samples are looked at or passed over together."""

FIRST_CELLS = 4
"""The most promising cells are looked at before the others, which then seldom can win."""


def moments(planes: Floats, edges: Whole, sums: Doubles, squares: Doubles) -> None:
    """See `pipeline.kernels.moments`."""
    whole = int(edges[-1]) if len(edges) else 0
    if whole:
        starts = np.append(0, edges[:-1])
        sums[:, :-1] = np.add.reduceat(planes[:, :whole], starts, axis=1, dtype=np.float64)
        squares[:, :-1] = np.add.reduceat(np.square(planes[:, :whole], dtype=np.float64), starts, axis=1)
    rest = planes[:, whole:].astype(np.float64)
    sums[:, -1], squares[:, -1] = rest.sum(axis=1), np.square(rest).sum(axis=1)


def spectra(windows: Floats, window: Floats, _roots: Floats, made: Floats, first: int) -> None:
    """See `pipeline.kernels.spectra`."""
    made.view(np.complex64)[:] = scipy.fft.rfft(windows * window)[:, first : first + made.shape[1] // 2]


def power_spectra(windows: Floats, window: Floats, _roots: Floats, made: Floats, first: int) -> None:
    """See `pipeline.kernels.power_spectra`."""
    bins = scipy.fft.rfft(windows * window)[:, first : first + made.shape[1]]
    np.add(np.square(bins.real), np.square(bins.imag), out=made)


def band_maxima(
    waves: Floats,
    filters: Floats,
    offsets: Floats,
    _gains: Floats,
    _roots: Floats,
    _fold_roots: Floats,
    made: Floats,
    stride: int,
    pool: int,
) -> None:
    """See `pipeline.kernels.band_maxima`; halves of filters are the same, but for the sign, and so are multiplied once."""
    taps, frames = filters.shape[1], made.shape[1]
    half, outputs = taps // 2, frames * pool
    if not frames:
        return
    even, odd = np.split(filters[:, half:], 2)
    for number, wave in enumerate(waves):
        windows = np.lib.stride_tricks.sliding_window_view(wave, taps)[: outputs * stride : stride]
        before, behind = windows[:, half::-1], windows[:, half:]
        both = (before + behind) @ even.T - windows[:, half, None] * even[:, 0], (behind - before) @ odd.T
        pools = np.abs(np.concatenate(both, axis=1) + offsets).reshape(frames, pool, -1).max(axis=1)
        made[number * len(filters) : (number + 1) * len(filters)] = pools.T


def filtered_energies(sos: Doubles, state: Doubles, planes: Floats, edges: Whole, energies: Doubles) -> None:
    """See `pipeline.kernels.filtered_energies`."""
    per_section = state.reshape(len(planes), len(sos), 2).transpose(1, 0, 2)
    filtered, after = scipy.signal.sosfilt(sos, planes, zi=per_section)
    state[:] = after.transpose(1, 0, 2).reshape(len(planes), -1)
    whole = int(edges[-1]) if len(edges) else 0
    squared = np.square(filtered)
    if whole:
        energies[:, :-1] = np.add.reduceat(squared[:, :whole], np.append(0, edges[:-1]), axis=1)
    energies[:, -1] = squared[:, whole:].sum(axis=1)


def extremes(planes: Floats, high: Floats, low: Floats, size: int) -> None:
    """See `pipeline.kernels.extremes`."""
    if planes.shape[1]:
        starts = np.arange(0, planes.shape[1], size)
        np.maximum.reduceat(planes, starts, axis=1, out=high)
        np.minimum.reduceat(planes, starts, axis=1, out=low)


def runs_over(plane: Floats, found: Whole, sign: float, least: float) -> int:
    """See `pipeline.kernels.runs_over`; at most as many as there is room for, of which the number is told."""
    over = runs(plane * np.float32(sign) >= np.float32(least))[: len(found)]
    found[: len(over)] = over
    return len(over)


def tops(plane: Floats, shape: Doubles, made: Doubles, sign: float) -> int:
    """See `pipeline.kernels.tops`; at most as many as there is room for, of which the number is told."""
    foot, tall, crown, roof, waist, least_waist = (np.float32(level) for level in shape)
    side = plane * np.float32(sign)
    over = runs(side >= foot)
    over = over[(over[:, 0] > 0) & (over[:, 1] < len(side))]
    over = over[np.maximum.reduceat(side, over.ravel())[::2] >= tall] if len(over) else over
    if not len(over):
        return 0
    sizes = over[:, 1] - over[:, 0] + 2
    firsts = np.cumsum(sizes) - sizes
    values = side[np.repeat(over[:, 0] - 1 - firsts, sizes) + np.arange(sizes.sum())]
    crowned = values >= np.repeat(crown * np.maximum.reduceat(values, firsts), sizes)
    heights = np.add.reduceat(values * crowned, firsts) / np.add.reduceat(crowned, firsts, dtype=np.float32)
    widths = [_widths_over(values, firsts, np.repeat(level * heights, sizes)) for level in (roof, waist)]
    found = np.column_stack((over[:, 0] - 1 + sizes / 2, heights, *widths))
    found = found[found[:, 3] >= least_waist][: len(made)]
    made[: len(found)] = found
    return len(found)


def _widths_over(values: Floats, firsts: Whole, level: Floats) -> Floats:
    """How long a straight line from each sample of a top to the next is over a level, for all tops, one behind the other."""
    after = np.append(values[1:], values[-1])
    higher, rise = np.maximum(values, after), np.maximum(np.abs(after - values), np.float32(1e-12))
    share = np.clip((higher - level) / rise, 0, 1)
    share[np.append(firsts[1:], len(values)) - 1] = 0  # the last sample of a top leads to none
    widths: Floats = np.add.reduceat(share, firsts)
    return widths


def highest_between(plane: Floats, phases: Floats, gain: float, best: float) -> float:
    """See `pipeline.kernels.highest_between`; cells that cannot hold a new highest point are passed over."""
    taps, points = phases.shape[1], len(plane) - phases.shape[1] + 1
    magnitude = np.abs(plane)
    best = max(best, float(magnitude.max(initial=0.0)))
    if points <= 0:
        return best
    if float(magnitude.max()) * gain <= best:
        return best
    highest = np.maximum.reduceat(magnitude, np.arange(0, len(plane), CELL))
    # A point of a cell is made of samples of that cell and of as many behind it as there are taps.
    behind = -(-taps // CELL)
    highest = np.lib.stride_tricks.sliding_window_view(np.append(highest, np.zeros(behind)), behind + 1).max(axis=1)
    reach = gain * highest[: -(-points // CELL)]
    promising = np.flatnonzero(reach > best)
    promising = promising[np.argsort(-reach[promising])]
    between = np.zeros((CELL + taps - 1, len(phases), CELL), np.float32)
    for at in range(CELL):
        between[at : at + taps, :, at] = phases.T
    for cells in np.split(promising, [FIRST_CELLS]):
        starts = cells[reach[cells] > best] * CELL
        windows = plane.take(starts[:, None] + np.arange(CELL + taps - 1), mode="clip")
        made = np.abs(windows @ between.reshape(len(between), -1))
        for last in np.flatnonzero(starts + CELL > points):
            made[last].reshape(-1, CELL)[:, points - starts[last] :] = 0.0
        best = max(best, float(made.max(initial=0.0)))
    return best


def meetings(
    frames: Whole,
    steps: Whole,
    firsts: Whole,
    other_frames: Whole,
    other_steps: Whole,
    other_firsts: Whole,
    counts: Whole,
    least: int,
    near: int,
) -> None:
    """See `pipeline.kernels.meetings`."""
    own, theirs = _pairs((frames, steps), (other_steps, other_firsts), range(least, least + len(counts)), near)
    counts[:] = np.bincount(other_frames[theirs] - frames[own] - least, minlength=len(counts))


def crowds(
    frames: Whole,
    steps: Whole,
    firsts: Whole,
    other_frames: Whole,
    other_steps: Whole,
    other_firsts: Whole,
    met: Whole,
    before: Whole,
    crowded: Whole,
    least: int,
    near: int,
    window: int,
    ratio: float,
) -> None:
    """See `pipeline.kernels.crowds`."""
    met[:] = before[:] = 0
    met[_pairs((frames, steps), (other_steps, other_firsts), range(least, least + 2), near)[0]] = 1
    np.cumsum(met, out=before[1:])
    first, end = _firsts(firsts, frames - window), _firsts(firsts, frames + window + 1)
    crowded[:] = before[end] - before[first] >= ratio * (end - first)


def _pairs(one: tuple[Whole, Whole], other: tuple[Whole, Whole], late: range, near: int) -> tuple[Whole, Whole]:
    """The numbers of the peaks of one, frames and steps, and of the other, steps and firsts, that meet so late in that range."""
    (frames, steps), (other_steps, firsts) = one, other
    first = _firsts(firsts, frames + late.start)
    found = _firsts(firsts, frames + late.stop) - first
    own = np.repeat(np.arange(len(frames)), found)
    theirs = np.arange(len(own)) + np.repeat(first - np.cumsum(found) + found, found)
    alike = np.abs(other_steps[theirs] - steps[own]) <= near
    return own[alike], theirs[alike]


def _firsts(firsts: Whole, frames: Whole) -> Whole:
    """The number of the first peak at or behind each of some frames."""
    return firsts[np.clip(frames, 0, len(firsts) - 1)]


def active_samples(
    samples: Floats,
    thresholds: Doubles,
    envelope: Doubles,
    active: Whole,
    over_until: Whole,
    g: float,
    hold: int,
    first: int,
) -> None:
    """See `pipeline.kernels.active_samples`.

    The envelope is cut into runs that reach the same number of thresholds. Over a threshold, every sample of a run that
    reaches it is active, and so are those that follow it, up to the next such run.
    """
    if not len(samples):
        return
    once, _ = scipy.signal.lfilter([1 - g], [1, -g], np.abs(samples, dtype=np.float64), zi=[g * envelope[0]])
    twice, _ = scipy.signal.lfilter([1 - g], [1, -g], once, zi=[g * envelope[1]])
    envelope[:] = once[-1], twice[-1]
    reached = np.searchsorted(thresholds, np.asarray(twice, np.float64), side="right")
    starts = np.concatenate(([0], np.flatnonzero(np.diff(reached)) + 1))
    ends = np.append(starts[1:], len(samples))
    for number in range(int(reached.max())):
        over = reached[starts] > number
        begin, end = starts[over] + first, ends[over] + first
        before = over_until[number]
        previous = np.concatenate(([before if before >= 0 else begin[0]], end[:-1]))
        active[number] += int((end - begin).sum() + np.minimum(begin - previous, hold).sum())
        over_until[number] = end[-1]
