from dataclasses import dataclass
from typing import ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from rntk_bench import NTK, RNTK, Polynomial
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.config import Experiment
from rntk_bench.datasets import load_dataset
from rntk_bench.estimators import (
    KernelClassifier,
    KernelRegressor,
    MultiscaleRNTKClassifier,
    RNTKClassifier,
    RNTKRegressor,
    UndecidedWarning,
)
from rntk_bench.kernels.series import ShapeWarning
from rntk_bench.methods import KERNEL_METHODS, KernelMethod
from rntk_bench.storage.integers import unpack_integers
from rntk_bench.storage.records import read_records
from tests.paths import REFERENCE

SMALL = {"sigma_w": [1.0, 1.41], "sigma_b": [0.1, 1.0], "sigma_h": [0.0]}


def small(**changes):
    return RNTKClassifier(**{"grid": SMALL, "C": (1.0, 100.0), "n_folds": 3} | changes)


def waves(n=24, seed=0, n_classes=2, noise=0.3):
    """Noisy sines, a frequency a class."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    t = np.arange(30)
    return np.sin(t * (0.2 + 0.15 * y[:, None])) + noise * rng.standard_normal((n, 30)), y


@pytest.mark.parametrize(
    "estimator",
    [small(), KernelClassifier("ntk", grid={"n_layers": [1, 2], "sigma_w": 1.0, "sigma_b": 0.1})],
    ids=["rntk", "ntk"],
)
def test_scikit_learns_checks(estimator):
    results = check_estimator(estimator, on_skip=None)
    assert len(results) > 50
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {
        "check_array_api_input"  # skipped where SCIPY_ARRAY_API is not set
    }


@pytest.mark.parametrize("method", ["rntk", "ntk", "rbf", "poly"])
def test_it_is_the_benchmarks_record(method):
    records, _ = read_records(REFERENCE)
    (record,) = (r for r in records if (r.dataset, r.method) == ("Coffee", method))
    dataset = load_dataset("Coffee", download=False)
    model = KernelClassifier(method).fit(dataset.X_train, dataset.y_train)
    np.testing.assert_array_equal(
        model.predict(dataset.X_test), unpack_integers(record.test["predictions"])
    )
    selection = record.selection
    assert model.best_params_ == {**selection["setting"], "C": selection["C"]}
    assert (model.best_score_, model.n_ties_) == (selection["accuracy"], selection["ties"])
    results = model.cv_results_
    ranked_first = results["rank_test_score"] == 1
    assert ranked_first.sum() == selection["ties"]
    assert (results["mean_test_score"][ranked_first] == selection["accuracy"]).all()


def test_probabilities_are_calibrated_and_agree_with_predictions():
    dataset = load_dataset("ArrowHead", download=False)
    model = KernelClassifier("rbf").fit(dataset.X_train, dataset.y_train)
    probabilities, decisions = (
        method(dataset.X_test) for method in (model.predict_proba, model.decision_function)
    )
    frequencies = np.bincount(dataset.y_train) / dataset.n_train
    prior = log_loss(dataset.y_test, np.tile(frequencies, (dataset.n_test, 1)))
    assert log_loss(dataset.y_test, probabilities) < 0.6 * prior
    np.testing.assert_array_equal(probabilities.argmax(axis=1), decisions.argmax(axis=1))
    # Only ties of votes, which LIBSVM gives to the first class, may be predicted otherwise.
    ties = np.sort(np.round(decisions), axis=1)
    differing = probabilities.argmax(axis=1) != model.predict(dataset.X_test)
    assert (ties[differing, -1] == ties[differing, -2]).all()
    assert differing.mean() < 0.05


def test_decisions_are_those_of_scikit_learns_svc():
    for n_classes in (2, 3):
        X, y = waves(n_classes=n_classes)
        model = small(grid={**SMALL, "sigma_w": [1.41], "sigma_b": 0.1}, C=[1.0]).fit(X, y)
        unit = X / np.linalg.norm(X, axis=1, keepdims=True)
        reference = SVC(kernel="precomputed", C=1.0).fit(model.kernel_(unit), y)
        expected = reference.decision_function(model.kernel_(unit, unit.copy()))
        np.testing.assert_allclose(model.decision_function(X), expected, atol=5e-3)


def test_the_table_of_the_search_is_complete_without_pruning():
    X, y = waves()
    pruned, whole = small().fit(X, y), small(prune=False).fit(X, y)
    assert pruned.best_params_ == whole.best_params_
    results = whole.cv_results_
    assert len(results["params"]) == 2 * 2 * 1 * 2
    assert results["params"][1] == {"sigma_w": 1.0, "sigma_u": 1.0, "sigma_b": 0.1} | {
        "sigma_h": 0.0,
        "C": 100.0,
    }
    assert results["param_C"].tolist() == [1.0, 100.0] * 4
    splits = np.stack([results[f"split{q}_test_score"] for q in range(3)])
    np.testing.assert_allclose(results["mean_test_score"], splits.mean(axis=0))
    np.testing.assert_allclose(results["std_test_score"], splits.std(axis=0))
    assert results["rank_test_score"][whole.best_index_] == 1
    assert not np.isnan(splits).any()


def test_shapes_lengths_and_dimensions():
    X, y = waves()
    flat = small().fit(X, y)
    for same in (X[:, :, None], X.tolist(), list(X)):
        other = small().fit(same, y)
        np.testing.assert_array_equal(other.decision_function(same), flat.decision_function(X))
    two = np.stack([X, X[:, ::-1]], axis=2)
    assert small().fit(two, y).score(two, y) > 0.9
    rng = np.random.default_rng(0)
    ragged = [x[start:] for x, start in zip(X, rng.integers(0, 10, len(X)), strict=True)]
    model = small().fit(ragged, y)
    assert model.score(ragged, y) > 0.9
    assert model.predict([X[0], X[1, :7]]).shape == (2,)
    assert cross_val_score(small(), ragged, y, cv=3).mean() > 0.7


def test_kernels_of_vectors_pad_and_refuse_what_is_longer():
    X, y = waves()
    model = KernelClassifier("poly").fit(list(X), y)
    short = [x[:20] for x in X]
    padded = np.pad(np.array(short), ((0, 0), (0, 10)))
    np.testing.assert_allclose(model.decision_function(short), model.decision_function(padded))
    with pytest.raises(ValueError, match=r"31 steps.*30"):
        model.predict([np.ones(31)])


def test_it_works_with_scikit_learns_tools():
    X, y = waves()
    assert cross_val_score(small(), X, y, cv=3).mean() > 0.8
    assert cross_val_score(small(), X[:, :, None], y, cv=3).mean() > 0.8
    pipeline = make_pipeline(StandardScaler(), small()).fit(X, y)
    assert pipeline.score(X, y) > 0.8
    search = GridSearchCV(small(), {"unit_norm": [True, False], "method": ["rntk", "nngp"]}, cv=2)
    assert search.fit(X, y).best_score_ > 0.8
    copied = clone(search.best_estimator_)
    assert copied.get_params() == search.best_estimator_.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(X)


def test_threads_seeds_and_pickles(tmp_path):
    X, y = waves(noise=1.0)
    one = small().fit(X, y)
    many = small(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(many.decision_function(X), one.decision_function(X))
    np.testing.assert_array_equal(many.predict_proba(X), one.predict_proba(X))
    state = np.random.RandomState(3)
    first, second = (small(random_state=state).fit(X, y) for _ in range(2))
    assert first.inverse_temperature_ != second.inverse_temperature_
    joblib.dump(one, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), one.predict_proba(X))


def test_verbose_draws_a_bar(capsys):
    small().fit(*waves())
    assert capsys.readouterr().err == ""
    small(verbose=True).fit(*waves())
    assert "/4 " in capsys.readouterr().err


@dataclass(frozen=True)
class Cubic(Polynomial):
    degree: int = 3
    name: ClassVar[str] = "cubic"


def test_a_method_of_ones_own():
    X, y = waves()
    method = KernelMethod("cubic", {"r": (0.0, 1.0)}, Cubic)
    model = KernelClassifier(method, n_folds=3).fit(X, y)
    assert isinstance(model.kernel_, Cubic)
    assert model.kernel_.degree == 3
    smooth = KernelMethod("sine", {"activation": (np.sin,), "sigma_w": (1.0,)}, RNTK)
    assert RNTKClassifier(smooth, n_folds=3).fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "rnkt"}, "method is 'rnkt'"),
        ({"method": "rbf"}, "rntk, rntk-avg"),
        ({"method": "gru"}, "method is 'gru'"),
        ({"grid": {"sigma": [1.0]}}, "grid.rntk.sigma "),
        ({"grid": {"sigma_w": []}}, "sigma_w is empty"),
        ({"grid": {"sigma_w": ["wide"]}}, "sigma_w holds 'wide'"),
        ({"grid": {"sigma_w": [-1.0]}}, "sigma_w"),
        ({"grid": {"sigma_w": [1e150]}}, "scale them down"),
        ({"C": []}, "C is"),
        ({"C": [0.0, 1.0]}, "C is"),
        ({"n_folds": 1}, "n_folds is 1"),
        ({"tolerance": 0.0}, "tolerance"),
    ],
)
def test_what_cannot_be_used_is_a_value_error_that_says_so(changes, said):
    with pytest.raises(ValueError, match=said):
        small(**changes).fit(*waves())


def test_a_bound_on_steps_is_a_warning():
    X, y = waves()
    with pytest.warns(ConvergenceWarning, match="max_iterations=1"):
        small(max_iterations=1).fit(X, y)


def test_every_kernel_is_a_callable_for_svc():
    X, y = waves()
    for kernel in (RNTK(sigma_b=0.1), NTK(n_layers=2, sigma_b=0.1)):
        fitted = SVC(kernel=kernel).fit(X[:16], y[:16])
        precomputed = SVC(kernel="precomputed").fit(kernel(X[:16]), y[:16])
        np.testing.assert_array_equal(
            fitted.predict(X[16:]), precomputed.predict(kernel(X[16:], X[:16]))
        )
        assert fitted.score(X[16:], y[16:]) > 0.7


def test_classes_of_one_series_are_a_warning_and_take_the_default():
    X, y = waves(n=4, n_classes=4)
    with pytest.warns(UndecidedWarning, match="cannot choose"):
        model = KernelClassifier("rbf", C=[0.1, 1.0, 10.0]).fit(X, y)
    assert model.best_params_ == {"alpha": 1.0, "C": 1.0}
    assert model.cv_results_["params"][model.best_index_] == model.best_params_
    assert (model.n_ties_, model.best_score_) == (54, 0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("n_folds", value) for value in ("3", 3.5, 1, True, None)],
        *[("C", value) for value in ("a", [], [0], [np.inf], [True], ["1"], [[1.0, 2.0]])],
        *[("n_repeats", value) for value in ("2", 0, 1.5)],
        *[("gram_scale", value) for value in ("mean", 1, ["none"])],
        *[("tolerance", value) for value in ("a", 0, np.nan, np.inf, None)],
        *[("max_iterations", value) for value in ("a", 0, 1.5, None)],
        *[("unit_norm", value) for value in ("False", None, 2)],
        *[("prune", "no"), ("n_jobs", 0), ("n_jobs", "all"), ("n_jobs", 1.5)],
        *[("random_state", value) for value in (-1, 2**32)],
        *[("grid", value) for value in ([1.4], "rntk", {"sigma_w": [True]}, {"sigma_w": ["1"]})],
        *[("method", value) for value in (3, None, ["rntk"], np.array(["rntk", "ntk"]))],
    ],
)
def test_parameters_of_another_type_are_refused_by_name(name, value):
    X, y = waves()
    with pytest.raises(ValueError, match=rf"{name}(\.rntk\.\w+)? (is|holds) [^\n]*, but must be"):
        small(**{name: value}).fit(X, y)


def test_numbers_of_any_type_make_the_same_model():
    X, y = waves()
    plain = small(grid={**SMALL, "n_layers": [1, 2]}, C=[0.5, 2.0], n_folds=4).fit(X, y)
    grid = {**SMALL, "sigma_u": np.array(1), "n_layers": np.array([1.0, 2.0])}
    C = np.array([0.5, 2.0], "f4")
    typed = small(grid=grid, C=C, n_folds=4.0, max_iterations=1e6, n_jobs=np.int64(1)).fit(X, y)
    assert typed.kernel_ == plain.kernel_
    assert typed.best_params_ == plain.best_params_
    np.testing.assert_array_equal(typed.predict_proba(X), plain.predict_proba(X))


def test_padding_with_nan_is_series_of_different_lengths():
    X, y = waves()
    series = [x[: 30 - i % 4] for i, x in enumerate(X)]
    padded = np.full_like(X, np.nan)
    for row, x in zip(padded, series, strict=True):
        row[: len(x)] = x
    expected = small().fit(series, y).predict_proba(series)
    for container in (np.asarray, pd.DataFrame, np.ma.masked_invalid, lambda X: X[:, :, None]):
        model = small().fit(container(padded), y)
        assert not hasattr(model, "n_features_in_")
        np.testing.assert_array_equal(model.predict_proba(container(padded)), expected)
    whole = small().fit(X, y)
    np.testing.assert_array_equal(whole.predict(padded), whole.predict(series))
    for nan_within in (np.where(np.arange(30) == 3, np.nan, X), padded.tolist()):
        with pytest.raises(ValueError, match="not finite"):
            small().fit(nan_within, y)


def test_containers_that_are_no_set_of_series_say_what_to_do():
    X, y = waves()
    nested = pd.DataFrame({"x": [pd.Series(x) for x in X]})
    with pytest.raises(ValueError, match="sktime_adapters"):
        small().fit(nested, y)
    with pytest.warns(ShapeWarning, match="sktime"):
        small().fit(X[:, None], y)


def test_the_series_fitted_to_are_another_set_when_predicted():
    X, _ = waves()
    grid = {"sigma_w": [1.2], "sigma_b": [0.1], "sigma_h": [3.0]}
    model = RNTKRegressor(grid=grid, ridges=[0.1]).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.predict(X), model.predict(X.copy()))


@pytest.mark.parametrize("method", ["rntk-shared", "rntk-multiscale"])
def test_methods_with_a_shared_readout_are_the_benchmarks_too(method):
    dataset = load_dataset("ItalyPowerDemand", download=False)
    record = KernelEvaluation(dataset, KERNEL_METHODS[method], Experiment()).run()
    model = KernelClassifier(method, n_jobs=2).fit(dataset.X_train, dataset.y_train)
    np.testing.assert_array_equal(
        model.predict(dataset.X_test), unpack_integers(record.test["predictions"])
    )
    selection = record.selection
    assert model.best_params_ == {**selection["setting"], "C": selection["C"]}
    assert (model.best_score_, model.n_ties_) == (selection["accuracy"], selection["ties"])
    assert model.predict_proba(dataset.X_test).shape == (1029, 2)
    if method == "rntk-multiscale":
        alone = MultiscaleRNTKClassifier().fit(dataset.X_train, dataset.y_train)
        np.testing.assert_array_equal(
            model.decision_function(dataset.X_test), alone.decision_function(dataset.X_test)
        )


def test_search_options_of_any_kernel_method():
    X, y = waves(n=40, noise=1.0)
    grid = {"input": ["archive", "z"], "alpha": [0.01, 0.1]}
    model = KernelClassifier("rbf", grid=grid, n_repeats=2, gram_scale="centred", n_folds=4)
    model.fit(X, y)
    assert model.cv_results_["param_input"][0] == "archive"
    assert sum(name.startswith("split") for name in model.cv_results_) == 8
    assert model.gram_divisor_ < 1
    assert model.input_.name == model.best_params_["input"]
    gram = model.kernel_(model.input_(X)) / model.gram_divisor_
    expected = SVC(C=model.best_params_["C"], kernel="precomputed").fit(gram, y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(gram))


def test_unit_norm_is_refused_where_the_grid_scales_series():
    X, y = waves()
    with pytest.raises(ValueError, match=r"unit_norm is False, but the grid of rntk-shared has an"):
        KernelClassifier("rntk-shared", unit_norm=False).fit(X, y)
    with pytest.raises(ValueError, match=r"unit_norm is True, but the grid of rbf has an input"):
        KernelRegressor("rbf", grid={"input": ["z"]}, unit_norm=True).fit(X, y)


def test_a_regressor_reads_the_input_of_its_grid():
    X, y = waves(n=30)
    grid = {"input": ["z", "unit-norm"], "alpha": [0.1]}
    model = KernelRegressor("rbf", grid=grid).fit(X, y)
    assert model.input_.name == model.best_params_["input"]
    alone = KernelRegressor("rbf", grid={"alpha": [0.1]}).fit(model.input_(X), y)
    np.testing.assert_allclose(model.predict(X), alone.predict(model.input_(X)), rtol=1e-10)
    multiscale = KernelRegressor("rntk-multiscale").fit(X, y)
    assert multiscale.predict(X).shape == (30,)
