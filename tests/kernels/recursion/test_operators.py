import mpmath
import numpy as np
import pytest

from rntk_bench.kernels.recursion.operators import (
    Curves,
    arcsine,
    relu_full_range,
    relu_small_range,
)
from rntk_bench.kernels.recursion.polynomials import SMALL_RANGE

mpmath.mp.dps = 60


def exact(u):
    """4 (1/2 - f) and 4 h at u = 1 - c, by (159) and (160)."""
    u = mpmath.mpf(float(u))
    c = 1 - u
    angle = mpmath.pi - mpmath.acos(c)
    f = (c * angle + mpmath.sqrt(1 - c * c)) / (2 * mpmath.pi)
    return float(4 * (mpmath.mpf(1) / 2 - f)), float(4 * angle / (2 * mpmath.pi))


RELU = Curves.of()


@pytest.mark.parametrize(
    ("operators", "one_minus_correlations"),
    [
        (relu_small_range, np.concatenate([[1e-300, 1e-20], np.linspace(1e-9, SMALL_RANGE, 200)])),
        (relu_full_range, np.concatenate([[1e-300, 1e-20], np.linspace(1e-9, 2.0, 400)])),
    ],
)
def test_polynomials_are_the_operators_to_rounding(operators, one_minus_correlations):
    for u in one_minus_correlations:
        deficit, slope = operators(u, RELU)
        expected_lack, expected_slope = exact(u)
        assert deficit == pytest.approx(expected_lack, rel=3e-14)
        assert slope == pytest.approx(expected_slope, abs=2e-14)


def test_the_ends():
    for operators in (relu_small_range, relu_full_range):
        assert operators(0.0, RELU) == (0.0, 2.0)
    assert relu_full_range(2.0, RELU) == (2.0, 0.0)
    assert relu_full_range(2.0 + 4e-16, RELU) == (2.0, 0.0)


@pytest.mark.parametrize("slope", [0.01, 0.3, 0.9])
def test_leaky_operators_are_a_mixture_of_relus_and_the_identitys(slope):
    curves = Curves.of(slope)
    share = (1 - slope) ** 2 / (1 + slope**2)
    for u in (1e-12, 0.1, SMALL_RANGE, 0.7, 1.0, 1.6, 2.0):
        deficit, derivative = exact(u)
        expected = share * deficit + (1 - share) * 2 * u, share * derivative + (1 - share) * 2
        for operators in (
            (relu_small_range, relu_full_range) if u <= SMALL_RANGE else (relu_full_range,)
        ):
            assert operators(u, curves) == pytest.approx(expected, rel=3e-14, abs=2e-14)
    assert relu_full_range(curves.start, curves)[0] == pytest.approx(2.0, rel=1e-15)


def test_arcsine_to_rounding():
    for c in (0.0, 1e-300, -1e-9, 0.3, -0.7, 0.70711, 0.9, -0.999, 1 - 1e-9, -1 + 1e-12):
        value, slope = arcsine(c, RELU)
        exact_c = mpmath.mpf(c)
        assert value == pytest.approx(float(mpmath.asin(exact_c)), rel=4e-16)
        assert slope == pytest.approx(float(1 / mpmath.sqrt(1 - exact_c**2)), rel=4e-16)
