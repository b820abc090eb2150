"""The classifier with the multiscale RNTK."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import check_estimator

from rntk_bench import MultiscaleRNTK
from rntk_bench.datasets import load_dataset
from rntk_bench.errors import ConfigError, KernelError
from rntk_bench.estimators import MultiscaleRNTKClassifier


def waves(n=24, n_classes=2, noise=0.3, T=30):
    """Noisy sines of random phase, one frequency per class."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    clean = np.sin(phase + np.arange(T) * (0.3 + 0.3 * y[:, None]))
    return clean + noise * rng.standard_normal((n, T)), y


def test_scikit_learns_checks():
    results = check_estimator(MultiscaleRNTKClassifier(n_folds=3), on_skip=None)
    assert len(results) > 50
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= {
        "check_array_api_input"  # skipped where SCIPY_ARRAY_API is not set
    }


@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_is_scikit_learns_svm_on_the_kernels_gram(n_classes):
    X, y = waves(n_classes=n_classes)
    model = MultiscaleRNTKClassifier().fit(X[:18], y[:18])
    kernel, gram = MultiscaleRNTK().fit(X[:18])
    reference = SVC(kernel="precomputed", C=10.0).fit(gram, y[:18])
    between = kernel(X[18:], X[:18])
    np.testing.assert_array_equal(model.predict(X[18:]), reference.predict(between))
    decisions = reference.decision_function(between)
    np.testing.assert_allclose(model.decision_function(X[18:]), decisions, atol=5e-3)
    assert model.score(X[18:], y[18:]) == 1.0
    np.testing.assert_allclose(model.kernel_(X[18:], X[:18]), between, rtol=1e-12)


def test_a_dataset():
    dataset = load_dataset("ItalyPowerDemand", download=False)
    model = MultiscaleRNTKClassifier(n_jobs=2).fit(dataset.X_train, dataset.y_train)
    probabilities = model.predict_proba(dataset.X_test)
    predictions = model.predict(dataset.X_test)
    assert (predictions == dataset.y_test).mean() > 0.95
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], predictions)
    alone = clone(model).set_params(n_jobs=None).fit(dataset.X_train, dataset.y_train)
    np.testing.assert_array_equal(alone.predict_proba(dataset.X_test), probabilities)


def test_lengths_and_dimensions():
    X, y = waves()
    for series in (X[:, :, None], list(X), X.tolist()):
        expected = MultiscaleRNTKClassifier().fit(X, y).decision_function(X)
        actual = MultiscaleRNTKClassifier().fit(series, y).decision_function(series)
        np.testing.assert_array_equal(actual, expected)
    two = np.stack([X, X[:, ::-1]], axis=2)
    assert MultiscaleRNTKClassifier().fit(two, y).score(two, y) == 1.0
    ragged = [x[i % 5 :] for i, x in enumerate(X)]
    model = MultiscaleRNTKClassifier().fit(ragged, y)
    assert model.predict([X[0], X[1, :7]]).shape == (2,)
    assert cross_val_score(MultiscaleRNTKClassifier(), ragged, y, cv=3).mean() > 0.8
    with pytest.raises(KernelError, match=r"Series 1 has 1 steps.*'z' at scale 2 needs 2"):
        model.predict([X[0], X[1, :1]])


def test_it_can_be_pickled(tmp_path):
    X, y = waves()
    model = MultiscaleRNTKClassifier().fit(X, y)
    joblib.dump(model, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"C": 0.0}, "C is 0.0"),
        ({"C": [1.0, 2.0]}, r"C is \[1.0, 2.0\]"),
        ({"n_folds": 1}, "n_folds is 1"),
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"max_iterations": 0}, "max_iterations is 0"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_parameters_outside_their_range_are_refused_by_name(parameters, message):
    with pytest.raises(ConfigError, match=message):
        MultiscaleRNTKClassifier(**parameters).fit(*waves())


def test_series_that_do_not_differ_and_an_unfinished_svm():
    X, y = waves()
    with pytest.raises(KernelError, match="take series that differ"):
        MultiscaleRNTKClassifier().fit(np.ones((6, 9)), y[:6])
    with pytest.warns(ConvergenceWarning, match="max_iterations=1"):
        MultiscaleRNTKClassifier(max_iterations=1).fit(X, y)
