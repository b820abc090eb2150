import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold
from sktime.benchmarking.classification import ClassificationBenchmark
from sktime.classification.kernel_based import TimeSeriesSVC
from sktime.datasets import load_basic_motions, load_japanese_vowels, load_unit_test
from sktime.utils.estimator_checks import check_estimator

from rntk_bench import NTK, RNTK
from rntk_bench.datasets import load_dataset
from rntk_bench.estimators import (
    KernelClassifier,
    MultiscaleRNTKClassifier,
    RNTKClassifier,
)
from rntk_bench.estimators.sktime_adapters import PanelClassifier, PanelKernel

KERNEL = RNTK(1.4, sigma_b=0.1, sigma_h=0.3)


@pytest.mark.parametrize("face", [PanelKernel, PanelClassifier])
def test_sktimes_checks(face):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sktime's own
        results = check_estimator(face.create_test_instance(), verbose=False)
    assert len(results) > 100
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}


def test_sktimes_checks_of_the_multiscale_classifier():
    face = PanelClassifier(MultiscaleRNTKClassifier(n_folds=3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sktime's own
        results = check_estimator(
            face, verbose=False, tests_to_run=["test_fit_idempotent", "test_classifier_output"]
        )
    assert set(results.values()) == {"PASSED"}


def test_tags_say_what_is_true():
    kernel, classifier = PanelKernel(), PanelClassifier()
    assert kernel.get_tag("pwtrafo_type") == "kernel"
    for tag in ("symmetric", "capability:multivariate", "capability:unequal_length"):
        assert kernel.get_tag(tag)
    for face in (kernel, classifier):
        assert not face.get_tag("capability:missing_values")
    assert classifier.get_tag("capability:predict_proba")


def test_the_axes_are_turned_and_lengths_kept():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((4, 2, 9))
    face = PanelKernel(KERNEL)
    expected = KERNEL(X.swapaxes(1, 2))
    np.testing.assert_array_equal(face(X), expected)
    np.testing.assert_array_equal(face(X[:2], X), KERNEL(*(x.swapaxes(1, 2) for x in (X[:2], X))))
    np.testing.assert_allclose(face.transform_diag(X), np.diag(expected))
    ragged = [pd.DataFrame(rng.standard_normal((T, 2))) for T in (4, 7, 5)]
    np.testing.assert_array_equal(face(ragged), KERNEL([x.to_numpy() for x in ragged]))
    np.testing.assert_array_equal(PanelKernel()(X), RNTK()(X.swapaxes(1, 2)))


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")  # sktime's own
def test_time_series_svc_on_several_dimensions_and_unequal_lengths():
    X, y = load_basic_motions("train", return_type="numpy3D")
    X_test, y_test = load_basic_motions("test", return_type="numpy3D")
    X, X_test = (Z / np.linalg.norm(Z, axis=(1, 2), keepdims=True) for Z in (X, X_test))
    kernel = PanelKernel(RNTK(1.4, sigma_b=0.1, direction="both"))
    model = TimeSeriesSVC(kernel, C=10.0).fit(X, y)
    assert model.score(X_test, y_test) > 0.7
    X, y = load_japanese_vowels("train", return_type="nested_univ")
    X, y = X.iloc[::4], y[::4]
    model = TimeSeriesSVC(PanelKernel(RNTK(1.2, sigma_b=0.1)), C=10.0).fit(X[10:], y[10:])
    assert model.predict(X[:10]).shape == (10,)


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")  # sktime's own
def test_sktimes_benchmark_has_the_accuracies_of_its_folds():
    X, y = load_unit_test(return_X_y=True, return_type="numpy3D")
    folds = KFold(3, shuffle=True, random_state=0)
    fitted = PanelClassifier(KernelClassifier("rbf")).fit(X[::2], y[::2])
    models = {"RBF": fitted, "RNTK": TimeSeriesSVC(PanelKernel(KERNEL), C=10.0)}
    benchmark = ClassificationBenchmark()
    for name, model in models.items():
        benchmark.add_estimator(model, name)
    benchmark.add_task(load_unit_test, folds, [accuracy_score])
    table = benchmark.run().set_index("model_id")
    for fold, (train, test) in enumerate(folds.split(X)):
        for name, model in models.items():
            predicted = model.clone().fit(X[train], y[train]).predict(X[test])
            expected = accuracy_score(y[test], predicted)
            assert table.loc[name, f"accuracy_score_fold_{fold}_test"] == expected
    assert fitted.is_fitted  # it was cloned


def test_the_classifier_is_the_one_inside():
    dataset = load_dataset("GunPoint", download=False)
    inside = KernelClassifier("rbf")
    face = PanelClassifier(inside).fit(dataset.X_train[:, None], dataset.y_train)
    alone = KernelClassifier("rbf").fit(dataset.X_train, dataset.y_train)
    X = dataset.X_test
    np.testing.assert_array_equal(face.predict(X[:, None]), alone.predict(X))
    np.testing.assert_array_equal(face.predict_proba(X[:, None]), alone.predict_proba(X))
    assert face.classifier_.best_params_ == alone.best_params_
    assert not hasattr(inside, "classes_")
    ragged = [pd.DataFrame(x) for x in (*X[:6], X[6, :100], X[7, 20:])]
    labels = dataset.y_test[:8]
    multiscale = PanelClassifier(MultiscaleRNTKClassifier()).fit(ragged, labels)
    bare = MultiscaleRNTKClassifier().fit([x.to_numpy() for x in ragged], labels)
    np.testing.assert_array_equal(multiscale.predict_proba(X[:9, None]), bare.predict_proba(X[:9]))
    default = PanelClassifier().fit(X[:8, None, :9], np.arange(8) % 2)
    assert isinstance(default.classifier_, RNTKClassifier)


def test_kernels_of_vectors_pad_unequal_lengths():
    rng = np.random.default_rng(0)
    ragged = [pd.DataFrame({"x": rng.standard_normal(T)}) for T in (4, 7, 5)]
    padded = np.zeros((3, 7))
    for row, x in zip(padded, ragged, strict=True):
        row[: len(x)] = x["x"]
    np.testing.assert_allclose(PanelKernel(NTK())(ragged), NTK()(padded))
