import mpmath
import numpy as np
import pytest

from rntk_bench.kernels.activations import NEAR, P_NEAR, P_WIDE, R_NEAR, R_WIDE
from rntk_bench.kernels.loops import _near, _wide

mpmath.mp.dps = 60


def exact(u):
    """4 (1/2 - f) and 4 h at the gap u = 1 - c, by (159) and (160)."""
    u = mpmath.mpf(float(u))
    c = 1 - u
    angle = mpmath.pi - mpmath.acos(c)
    f = (c * angle + mpmath.sqrt(1 - c * c)) / (2 * mpmath.pi)
    return float(4 * (mpmath.mpf(1) / 2 - f)), float(4 * angle / (2 * mpmath.pi))


@pytest.mark.parametrize(
    ("step", "polynomials", "gaps"),
    [
        (_near, (P_NEAR, R_NEAR), np.concatenate([[1e-300, 1e-20], np.linspace(1e-9, NEAR, 200)])),
        (_wide, (P_WIDE, R_WIDE), np.concatenate([[1e-300, 1e-20], np.linspace(1e-9, 2.0, 400)])),
    ],
)
def test_polynomials_are_the_operators_to_rounding(step, polynomials, gaps):
    for u in gaps:
        lack, slope = step(u, *polynomials)
        expected_lack, expected_slope = exact(u)
        assert lack == pytest.approx(expected_lack, rel=3e-14)
        assert slope == pytest.approx(expected_slope, abs=2e-14)


def test_the_ends():
    for step, polynomials in ((_near, (P_NEAR, R_NEAR)), (_wide, (P_WIDE, R_WIDE))):
        assert step(0.0, *polynomials) == (0.0, 2.0)
    lack, slope = _wide(2.0, P_WIDE, R_WIDE)
    assert (lack, slope) == (2.0, 0.0)
    assert _wide(2.0 + 4e-16, P_WIDE, R_WIDE) == (2.0, 0.0)
