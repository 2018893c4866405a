"""Programme loudness by ITU-R BS.1770-5, in the time scales of EBU Tech 3341 and with the range of EBU Tech 3342."""

import numpy as np

from pipeline import kernels
from pipeline.dsp import Doubles, grid, k_weighting
from pipeline.series import Series

BIN_HZ = 100
"""Energies are summed in bins of 10 ms: Tech 3341 #13 needs windows that start on a 20 ms grid."""

MOMENTARY_BINS, SHORT_TERM_BINS, HOP_BINS = 40, 300, 10
OFFSET_LU = -0.691
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU, RANGE_GATE_LU = -70.0, -10.0, -20.0
TAIL_BINS = 150
"""Tech 3342 has 1.5 s of silence appended to a file before its range is taken."""

SURROUND_WEIGHT = 1.41
SURROUND = frozenset({"BL", "BR", "BC", "SL", "SR", "TBL", "TBR", "TBC", "SDL", "SDR"})
LOW_FREQUENCY = frozenset({"LFE", "LFE2"})


def channel_weights(positions: tuple[str, ...]) -> Doubles:
    """The weights of BS.1770-5 table 3 for channels named as FFmpeg names them; the low-frequency channel is left out."""
    weights = [0.0 if p in LOW_FREQUENCY else SURROUND_WEIGHT if p in SURROUND else 1.0 for p in positions]
    return np.array(weights)


class LoudnessMeter:
    """Keeps the filter state, 3 s of bins, and two energies per 100 ms of programme: 576 kB an hour."""

    def __init__(self, rate_hz: int, positions: tuple[str, ...]) -> None:
        self._rate = rate_hz
        self._weights = channel_weights(positions)
        self._sos = k_weighting(rate_hz)
        self._state = np.zeros((len(positions), 2 * len(self._sos)))
        self._open = 0.0
        self._bins = np.empty(0)
        self._first_bin = 0
        self._blocks = Series(np.float64)
        self._short_terms = Series(np.float64)
        self._max_momentary = self._max_short_term = 0.0

    def feed(self, samples: np.ndarray, start: int) -> None:
        """Take in samples (frames, channels) that begin at frame `start`."""
        edges = grid(start, len(samples), self._rate, BIN_HZ)
        sums = self._weights @ kernels.filtered_energies(self._sos, self._state, samples.T, edges)
        sums[0] += self._open
        self._open = float(sums[-1])
        if len(edges):
            self._take(sums[:-1])

    def integrated_lufs(self) -> float | None:
        """Gated loudness of the programme (BS.1770-5 annex 1, equations 5 to 7); `None` if nothing passes the gate."""
        blocks = self._blocks.array()
        blocks = blocks[blocks > _energy(ABSOLUTE_GATE_LUFS)]
        if not len(blocks):
            return None
        return _lufs(float(blocks[blocks > blocks.mean() * 10 ** (RELATIVE_GATE_LU / 10)].mean()))

    def range_lu(self) -> float | None:
        """Loudness range (Tech 3342): spread of the gated short-term loudness between its 10th and 95th percentile."""
        tail = np.concatenate((self._bins, np.zeros(TAIL_BINS)))
        made, ends = self._windows(tail, SHORT_TERM_BINS)
        grid_ends = (ends % HOP_BINS == 0) & (ends > self._first_bin + len(self._bins))
        values = np.concatenate((self._short_terms.array(), made[grid_ends])) if len(made) else np.empty(0)
        values = values[values > _energy(ABSOLUTE_GATE_LUFS)]
        if not len(values):
            return None
        values = np.sort(values[values > values.mean() * 10 ** (RANGE_GATE_LU / 10)])
        low, high = (values[round((len(values) - 1) * share)] for share in (0.10, 0.95))
        return 10 * float(np.log10(high / low))

    def max_momentary_lufs(self) -> float | None:
        """Highest loudness of any 400 ms, on a grid of 10 ms."""
        return _lufs(self._max_momentary)

    def max_short_term_lufs(self) -> float | None:
        """Highest loudness of any 3 s, on a grid of 10 ms."""
        return _lufs(self._max_short_term)

    def _take(self, sums: Doubles) -> None:
        new_from = self._first_bin + len(self._bins)
        self._bins = np.concatenate((self._bins, sums))
        momentary, ends = self._windows(self._bins, MOMENTARY_BINS)
        fresh = ends > new_from
        if fresh.any():
            self._max_momentary = max(self._max_momentary, float(momentary[fresh].max()))
            self._blocks.extend(momentary[fresh & (ends % HOP_BINS == 0)])
        short_term, ends = self._windows(self._bins, SHORT_TERM_BINS)
        fresh = ends > new_from
        if fresh.any():
            self._max_short_term = max(self._max_short_term, float(short_term[fresh].max()))
            self._short_terms.extend(short_term[fresh & (ends % HOP_BINS == 0)])
        surplus = max(len(self._bins) - SHORT_TERM_BINS, 0)
        self._bins, self._first_bin = self._bins[surplus:], self._first_bin + surplus

    def _windows(self, bins: Doubles, length: int) -> tuple[Doubles, np.ndarray]:
        """Mean energy of each window of `length` bins, and the number of the bin that follows each."""
        if len(bins) < length:
            return np.empty(0), np.empty(0, np.int64)
        totals = np.concatenate(([0.0], np.cumsum(bins)))
        ends = np.arange(self._first_bin + length, self._first_bin + len(bins) + 1)
        frames = ends * self._rate // BIN_HZ - (ends - length) * self._rate // BIN_HZ
        return np.maximum(totals[length:] - totals[:-length], 0.0) / frames, ends


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET_LU) / 10))


def _lufs(energy: float) -> float | None:
    return OFFSET_LU + 10 * float(np.log10(energy)) if energy > 0 else None
