"""Lengths that transforms take in their stride, and quantiles of noise."""

import numpy as np
import pytest
from scipy.special import gammaincinv

from pipeline.dsp import fast_length, gamma_quantile


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
