import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from rntk_bench import RNTK
from rntk_bench.estimators import KernelRegressor, RNTKRegressor
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.regression.experiment import KernelGrid, fit_best

SMALL = {"sigma_w": [1.0, 1.41], "sigma_b": [0.1, 1.0], "sigma_h": [0.0]}


def segments(n=40, seed=0):
    """Segments of a noisy sine of different lengths, and their next values."""
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(400) / 20) + 0.05 * rng.standard_normal(400)
    ends = rng.integers(30, 399, n)
    return [wave[e - T : e] for e, T in zip(ends, rng.integers(10, 20, n), strict=True)], wave[ends]


def test_scikit_learns_checks():
    results = check_estimator(RNTKRegressor(grid=SMALL), on_skip=None)
    assert len(results) > 50
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {
        "check_array_api_input"  # skipped where SCIPY_ARRAY_API is not set
    }


@pytest.mark.parametrize("method", ["rntk", "rbf"])
def test_it_chooses_as_the_experiment_does(method):
    X, y = segments()
    model = KernelRegressor(method).fit(X[:30], y[:30])
    grid = KernelGrid.from_method(KERNEL_METHODS[method])
    fold = np.random.default_rng(0).permutation(30) % 5
    expected = fit_best(grid, X[:30], y[:30], X[30:], fold)
    assert (model.kernel_, model.ridge_) == (grid.kernels[expected.setting_index], expected.ridge)
    np.testing.assert_allclose(model.predict(X[30:]), expected.predictions, rtol=1e-6)


def test_the_table_is_that_of_scikit_learns_ridge():
    X, y = segments()
    ridges = (0.1, 1.0)
    model = RNTKRegressor(grid={**SMALL, "sigma_b": 0.1}, ridges=ridges, n_folds=4).fit(X, y)
    results, fold = model.cv_results_, np.random.default_rng(0).permutation(40) % 4
    for row, setting in enumerate(results["params"]):
        setting = dict(setting)
        reference = KernelRidge(alpha=setting.pop("ridge"), kernel="precomputed")
        gram = RNTK(**setting)(X)
        for q in range(4):
            a, b = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
            residuals = y[b] - reference.fit(gram[np.ix_(a, a)], y[a]).predict(gram[np.ix_(b, a)])
            score = results[f"split{q}_test_score"][row]
            assert score == pytest.approx(-(residuals**2).mean(), rel=1e-6)
    assert model.best_index_ == results["mean_test_score"].argmax()
    assert model.best_score_ == results["mean_test_score"].max()
    assert results["rank_test_score"][model.best_index_] == 1


def test_lengths_dimensions_and_tools(tmp_path):
    X, y = segments()
    model = RNTKRegressor(grid=SMALL).fit(X[:30], y[:30])
    assert model.score(X[30:], y[30:]) > 0.9
    equal = np.array([x[-10:] for x in X])
    for shaped in (equal, equal[:, :, None], np.stack([equal, equal], axis=2)):
        scores = cross_val_score(RNTKRegressor(grid=SMALL), shaped, y, cv=KFold(4))
        assert scores.mean() > 0.8
    search = GridSearchCV(RNTKRegressor(grid=SMALL), {"unit_norm": [True, False]}, cv=3)
    assert search.fit(equal, y).best_params_ == {"unit_norm": False}
    assert clone(model).get_params() == model.get_params()
    joblib.dump(model, tmp_path / "model")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model").predict(X), model.predict(X))


def test_kernels_that_overflow_are_left_out():
    X, y = segments()
    model = RNTKRegressor(grid={**SMALL, "sigma_w": [1e150, 1.4]}).fit(X, y)
    assert model.kernel_.sigma_w == 1.4
    assert np.isnan(model.cv_results_["mean_test_score"][0])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "rbf"}, "KernelMethod"),
        ({"ridges": []}, "ridges is"),
        ({"ridges": [-1.0]}, "ridges is"),
        ({"grid": {"sigma_w": [1e150]}}, "scale them down"),
    ],
)
def test_what_cannot_be_used_is_a_value_error_that_says_so(changes, said):
    with pytest.raises(ValueError, match=said):
        RNTKRegressor(**{"grid": SMALL} | changes).fit(*segments())


def test_an_error_that_is_not_a_number_is_not_chosen():
    X, y = segments()
    tiny = [1e-160 * x for x in X]
    model = KernelRegressor("poly", grid={"degree": 1, "r": [0.0, 1.0]}).fit(tiny, y)
    assert model.best_params_["r"] == 1.0
    assert np.isfinite(model.best_score_)
    assert np.isfinite(model.predict(tiny)).all()
