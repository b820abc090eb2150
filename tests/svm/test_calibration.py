import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from rntk_bench.svm.calibration import inverse_temperature, probabilities


def drawn(factor, n=4000, k=3, seed=0):
    """Scores, and classes drawn with the probabilities softmax(factor * scores)."""
    rng = np.random.default_rng(seed)
    scores = rng.standard_normal((n, k))
    chances = probabilities(scores, factor)
    return scores, (rng.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1)


@pytest.mark.parametrize("factor", [0.2, 1.0, 6.0])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_factor_that_drew_the_classes_is_found(factor, scale):
    scores, y = drawn(factor)
    found = inverse_temperature(scale * scores, y)
    assert scale * found == pytest.approx(factor, rel=0.1)


def test_the_factor_minimises_the_cross_entropy_with_platts_targets():
    scores, y = drawn(1.5, n=40)
    sizes = np.bincount(y)
    targets = np.empty((40, 3))
    for i, c in enumerate(y):
        targets[i] = 1 / (sizes[c] + 3)
        targets[i, c] = (sizes[c] + 1) / (sizes[c] + 3)
    expected = minimize(lambda t: -(targets * log_softmax(t * scores, axis=1)).sum(), 1.0).x
    assert inverse_temperature(scores, y) == pytest.approx(expected[0], rel=1e-4)


def test_separable_useless_and_misleading_scores_have_finite_factors():
    y = np.arange(10) % 2
    right = np.column_stack([1.0 - y, y])
    sharp = probabilities(right, inverse_temperature(right, y))
    # Five of each class: as certain as Platt's targets are.
    np.testing.assert_allclose(sharp[np.arange(10), y], 6 / 7, atol=1e-4)
    assert inverse_temperature(np.zeros((10, 2)), y) == 0.0
    flat = probabilities(-right, inverse_temperature(-right, y))
    np.testing.assert_allclose(flat, 0.5, atol=1e-4)
