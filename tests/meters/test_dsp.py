"""Lengths that transforms take in their stride, and quantiles of noise."""

import numpy as np
import pytest
from scipy.special import gammaincinv

from pipeline.dsp import extended, fast_length, gamma_quantile, quantiles, runs


@pytest.mark.parametrize("least", [0, 1, 2, 13, 121, 512, 1_896, 2_822, 8_257])
def test_a_fast_length_is_the_next_even_one_of_small_primes(least):
    def is_fast(length):
        for prime in (2, 3, 5):
            while length % prime == 0:
                length //= prime
        return length == 1

    wanted = next(length for length in range(max(least, 2), 2 * least + 3) if length % 2 == 0 and is_fast(length))
    assert fast_length(least) == wanted


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5])
def test_gamma_quantiles_are_scipys(probability):
    shapes = np.array([1.0, 1.5, 3.0, 6.0, 24.75, 40.0])
    assert gamma_quantile(shapes, probability) == pytest.approx(gammaincinv(shapes, probability), rel=1e-12)


@pytest.mark.parametrize("shape", [(1,), (2,), (7,), (1_000,), (1, 3), (50, 4)])
def test_quantiles_are_numpys(shape):
    values, ratios = np.random.default_rng(5).standard_normal(shape), (0.0, 0.03, 0.5, 0.8, 0.95, 1.0)
    assert quantiles(values, *ratios) == pytest.approx(np.quantile(values, ratios, axis=0), abs=1e-12)


def test_quantiles_of_single_precision_are_not_rounded_to_it():
    values = np.array([0.1, 0.2], np.float32)
    assert quantiles(values, 0.3)[0] == pytest.approx(float(values[0]) * 0.7 + float(values[1]) * 0.3, abs=1e-15)


def test_ends_are_repeated():
    assert extended(np.array([3, 5]), 2, 1).tolist() == [3, 3, 3, 5, 5]
    assert extended(np.array([[1, 2], [3, 4]]), 0, 2).tolist() == [[1, 2], [3, 4], [3, 4], [3, 4]]


@pytest.mark.parametrize(
    ("mask", "found"),
    [("", []), ("0", []), ("1", [[0, 1]]), ("0110", [[1, 3]]), ("1011", [[0, 1], [2, 4]]), ("111", [[0, 3]])],
)
def test_runs_are_the_stretches_that_are_true(mask, found):
    assert runs(np.array([flag == "1" for flag in mask], bool)).tolist() == found
