import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge as Reference

from rntk_bench import RNTK
from rntk_bench.errors import InputError
from rntk_bench.svm.ridge import RIDGES, KernelRidge, Spectrum, validation_residuals


def problem(n=17, rank=None, seed=0):
    """A Gram of the given rank, and targets."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, rank or 2 * n))
    return X @ X.T, rng.standard_normal(n)


def direct(K, y, ridge):
    """(K + ridge)^-1 y, by the pseudo-inverse where that is singular."""
    return np.linalg.pinv(K + ridge * np.eye(len(K)), rcond=1e-13, hermitian=True) @ y


def test_the_grid_is_the_papers():
    assert len(RIDGES) == 20
    assert list(RIDGES) == sorted(set(RIDGES))
    assert RIDGES[0] == 0.0
    assert RIDGES[-1] == 100.0


def test_every_ridge_is_that_of_scikit_learn():
    K, y = problem()
    found = Spectrum.of(K).coefficients(y)
    assert found.shape == (20, 17)
    for ridge, alpha in zip(RIDGES, found, strict=True):
        expected = Reference(alpha=ridge, kernel="precomputed").fit(K, y).dual_coef_
        np.testing.assert_allclose(alpha, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("rank", [1, 5, 16])
def test_a_singular_gram_has_the_solution_of_least_norm(rank, scale):
    K, y = problem(rank=rank)
    K = scale * K
    alpha = Spectrum.of(K).coefficients(y, (0.0,))[0]
    expected = direct(K, y, 0.0)
    np.testing.assert_allclose(alpha, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max())


def test_a_gram_of_zeros_predicts_zero():
    alpha = Spectrum.of(np.zeros((3, 3))).coefficients(np.ones(3), (0.0, 2.0))
    np.testing.assert_array_equal(alpha, [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize("rank", [None, 1, 5, 16])
def test_leave_one_out_is_that_of_refits(rank):
    K, y = problem(rank=rank)
    found = Spectrum.of(K).leave_one_out(y, RIDGES)
    for r, ridge in enumerate(RIDGES):
        for i in range(len(y)):
            rest = np.delete(np.arange(len(y)), i)
            alpha = direct(K[np.ix_(rest, rest)], y[rest], ridge)
            assert found[r, i] == pytest.approx(y[i] - K[i, rest] @ alpha, rel=1e-6, abs=1e-6)


def test_cross_validation_is_that_of_refits_and_settings_are_batched():
    grams = np.stack([problem(seed=s, rank=r)[0] for s, r in ((0, None), (1, 6), (2, 40))])
    y = problem()[1]
    fold = np.arange(17) % 5
    found = validation_residuals(grams, y, fold)
    assert found.shape == (3, 20, 17)
    for K, residuals in zip(grams, found, strict=True):
        np.testing.assert_allclose(residuals, validation_residuals(K, y, fold), atol=1e-9)
        for r, ridge in enumerate(RIDGES):
            for q in range(5):
                a, b = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
                predicted = K[np.ix_(b, a)] @ direct(K[np.ix_(a, a)], y[a], ridge)
                np.testing.assert_allclose(residuals[r, b], y[b] - predicted, atol=1e-6)


def test_the_estimator_chooses_the_ridge_of_the_least_error_and_predicts():
    rng = np.random.default_rng(0)
    X = [
        np.sin(np.arange(T) / 3 + phase)
        for T, phase in zip(rng.integers(8, 20, 40), rng.uniform(0, 6, 40), strict=True)
    ]
    y = np.array([x[-1] for x in X]) + 0.1 * rng.standard_normal(40)
    kernel = RNTK(sigma_w=1.3, sigma_b=0.1)
    model = KernelRidge(kernel, (0.0, 0.01, 1.0, 100.0)).fit(X[:30], y[:30])
    errors = [
        np.mean(Spectrum.of(kernel(X[:30])).leave_one_out(y[:30], (ridge,)) ** 2)
        for ridge in model.ridges
    ]
    np.testing.assert_allclose(model.loo_errors_, errors, rtol=1e-6)
    assert model.ridge_ == model.ridges[int(np.argmin(errors))]
    expected = Reference(alpha=model.ridge_, kernel="precomputed").fit(kernel(X[:30]), y[:30])
    predicted = model.predict(X[30:])
    np.testing.assert_allclose(predicted, expected.predict(kernel(X[30:], X[:30])), atol=1e-6)
    assert np.corrcoef(predicted, y[30:])[0, 1] > 0.8


def test_what_cannot_be_fitted_is_one_sentence():
    kernel = RNTK(sigma_w=1.3)
    X = np.random.default_rng(0).standard_normal((4, 5))
    for ridges in ((), (-1.0,), (np.nan,)):
        with pytest.raises(InputError, match="ridges"):
            KernelRidge(kernel, ridges)
    with pytest.raises(InputError, match="4 series"):
        KernelRidge(kernel).fit(X, np.ones(3))
    with pytest.raises(InputError, match="two or more"):
        KernelRidge(kernel).fit(X[:1], np.ones(1))
    with pytest.raises(InputError, match="target"):
        KernelRidge(kernel).fit(X, [1.0, 2.0, np.nan, 3.0])
    with pytest.raises(InputError, match="Gram"):
        KernelRidge(lambda X: np.full((4, 4), np.inf)).fit(X, np.ones(4))
