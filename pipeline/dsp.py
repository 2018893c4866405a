"""Array functions without state: filters, levels and windows that more than one subject needs."""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

FLOOR_DBFS = -120.0
"""What digital silence reads where a number per frame is needed; clip-wide readings say `None` instead."""

DEAD_DB = 40.0
"""A channel that has so much less energy than the loudest one is dead: left out of the downmix, and told of."""


def power_db(power: float) -> float | None:
    """10 log10 of a mean square; `None` for nothing at all."""
    return 10 * float(np.log10(power)) if power > 0 else None


def amplitude_db(amplitude: float) -> float | None:
    """20 log10 of an absolute value; `None` for nothing at all."""
    return 20 * float(np.log10(amplitude)) if amplitude > 0 else None


@cache
def k_weighting(rate_hz: int) -> Doubles:
    """The two K-weighting stages of ITU-R BS.1770-5 annex 1 as second-order sections, (2, 6).

    The standard tabulates 48 kHz; at other rates the same analogue prototypes are transformed again, which at 48 kHz
    gives back the tabulated coefficients.
    """
    shelf_hz, gain_db, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k, high = np.tan(np.pi * shelf_hz / rate_hz), 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    shelf = [
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        1,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    ]
    pass_hz, q = 38.13547087602444, 0.5003270373238773
    k = np.tan(np.pi * pass_hz / rate_hz)
    a0 = 1 + k / q + k * k
    high_pass = [1, -2, 1, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
    return np.array([shelf, high_pass])


@cache
def interpolator(factor: int, taps: int) -> Doubles:
    """Polyphase low-pass for `factor`-fold oversampling, (factor, taps): phase p holds every factor-th coefficient.

    A Kaiser-windowed sinc with its zero crossings on the original samples, so that phase 0 passes them unchanged
    (BS.1770-5 annex 2 leaves the filter open and gives a 12-tap one as an example).
    """
    half = factor * taps // 2
    at = np.arange(-half, half) / factor
    ideal = np.sinc(at) * np.kaiser(2 * half + 1, 8.0)[:-1]
    phases = ideal.reshape(taps, factor).T
    return np.ascontiguousarray(phases / phases.sum(axis=1, keepdims=True))


def fast_length(least: int) -> int:
    """The next even length from `least` on, of no prime factors but 2, 3 and 5, which transforms take in their stride."""
    length = max(least + least % 2, 2)
    while 30**64 % length:
        length += 2
    return length


def gamma_quantile(shapes: Doubles, probability: float) -> Doubles:
    """What a gamma variable of each shape, of scale 1, stays under with that probability, (shapes,).

    By halving, on the series of the incomplete gamma function (Abramowitz and Stegun 6.5.29).
    """
    terms = np.arange(1, 200)[:, None]
    scale = np.array([math.lgamma(shape + 1) for shape in shapes])
    low, high = np.zeros(len(shapes)), np.asarray(shapes + 20 * np.sqrt(shapes) + 20, np.float64)
    for _ in range(60):
        middle = (low + high) / 2
        series = 1 + np.cumprod(middle / (shapes + terms), axis=0).sum(axis=0)
        under = series * np.exp(shapes * np.log(middle) - middle - scale) < probability
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return high


def grid(start: int, frames: int, rate_hz: int, hz: int) -> NDArray[np.int64]:
    """Where a grid of `hz` cells a second has its edges inside a block, as frames from the block's start.

    Edges lie at floor(k * rate / hz), so that they need not divide the rate and do not depend on the block.
    """
    first = -(-start * hz // rate_hz)
    last = ((start + frames) * hz) // rate_hz + 1
    edges = np.arange(first, last + 1, dtype=np.int64) * rate_hz // hz - start
    return edges[(edges > 0) & (edges <= frames)]


def runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Starts and ends (exclusive) of the stretches in which a mask is true, (stretches, 2)."""
    padded = np.zeros(len(mask) + 2, bool)
    padded[1:-1] = mask
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


@cache
def hann(size: int) -> Doubles:
    """The symmetric Hann window, (size,); without its last value it is the periodic one of a size less. Not to be written to."""
    window = np.hanning(size)
    window.flags.writeable = False
    return window


def quantiles(values: NDArray[np.floating], *ratios: float) -> Doubles:
    """Below which values these parts of them lie along the first axis, with straight lines between, (ratios, ...).

    As `numpy.quantile`, which takes much longer over the few values of a short clip.
    """
    ordered, last = np.sort(values, axis=0), len(values) - 1
    lows = [int(ratio * last) for ratio in ratios]
    below, above = (np.array([ordered[min(low + up, last)] for low in lows], np.float64) for up in (0, 1))
    parts = np.array([ratio * last - low for ratio, low in zip(ratios, lows, strict=True)])
    between: Doubles = below + (above - below) * parts.reshape(-1, *[1] * (values.ndim - 1))
    return between


def extended(values: NDArray[Any], before: int, behind: int) -> NDArray[Any]:
    """The values with the first and the last of them repeated so often, along the first axis."""
    return np.concatenate((np.repeat(values[:1], before, axis=0), values, np.repeat(values[-1:], behind, axis=0)))
