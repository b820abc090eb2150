"""Scaled Grams, repeated folds, input scalings and relative parameters in evaluations."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import SVC

from rntk_bench.benchmark import grams
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset, InputScaling
from rntk_bench.kernels import RNTK, MultiscaleRNTK
from rntk_bench.methods import KERNEL_METHODS, KernelMethod
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.integers import unpack_integers
from rntk_bench.svm.folds import stratified_folds
from tests.naive_search import centred, choose, validation_accuracies

METHOD = KernelMethod(
    "mine",
    {
        "input": ("z", "raw"),
        "pooling": ("shared",),
        "sigma_b": (0.3,),
        "memory": (0.1, 0.5),
        "bandwidth": (0.0, "half", "all"),
        "lag_resolution": (5,),
    },
    RNTK,
    C=(0.1, 1.0, 10.0),
    n_repeats=3,
    gram_scale="centred",
    default={"input": "raw"},
)


def made(n=36, length=12, seed=0, lengths=False):
    """Noisy waves of three classes on different levels, of one length or several."""
    rng = np.random.default_rng(seed)
    y, t = np.arange(2 * n) % 3, np.arange(length)
    X = np.sin(t * (0.5 + 0.3 * y[:, None])) + rng.standard_normal((2 * n, length))
    X += rng.uniform(0, 2, (2 * n, 1))
    sets = [X[:n], X[n:]]
    if lengths:
        sets = [[x[: rng.integers(5, length + 1)] for x in some] for some in sets]
    return Dataset("Made", sets[0], y[:n], sets[1], y[n:], ("a", "b", "c"), "test")


def evaluate(dataset, method=METHOD, experiment=None, n_jobs=1, **options):
    return KernelEvaluation(
        dataset, method, experiment or Experiment(), n_jobs=n_jobs, **options
    ).run()


def answer(record):
    return record.protocol, record.data, record.selection, record.test, record.warnings


def naive_settings(dataset, T):
    """Input, kernel and the kernel's derived parameters of METHOD's settings, by its definition."""
    for name in ("z", "raw"):
        for memory in (0.1, 0.5):
            for bandwidth in (0.0, "half", "all"):
                step = math.ceil(T / 5)
                width = math.ceil(T / 2) // step * step / T if bandwidth == "half" else bandwidth
                sigma_w = math.sqrt(2) * math.exp(-1 / (2 * max(1, memory * T)))
                kernel = RNTK(
                    sigma_w, sigma_b=0.3, pooling="shared", bandwidth=width, lag_step=step
                )
                yield InputScaling.fit(name, dataset.X_train), kernel


@pytest.mark.parametrize("lengths", [False, True])
def test_the_choice_is_that_of_the_definition(lengths):
    dataset = made(lengths=lengths)
    record = evaluate(dataset, prune=False)
    order = np.argsort(dataset.y_train, kind="stable")
    y = dataset.y_train[order]
    train = [dataset.X_train[i] for i in order]
    T = max(map(len, train))
    settings = list(naive_settings(dataset, T))
    scaled = [centred(K, K) for K in (kernel(scaling(train)) for scaling, kernel in settings)]
    folds = [stratified_folds(y, 10, seed) for seed in (0, 1, 2)]
    means = validation_accuracies(scaled, y, folds, METHOD.C)
    (c, setting), n_ties, best = choose(means)
    selection = record.selection
    assert (selection["setting_index"], selection["C"]) == (setting, METHOD.C[c])
    assert (selection["ties"], selection["accuracy"]) == (n_ties, float(best))
    assert len(selection["fold_sizes"]) == 30
    assert unpack_integers(selection["n_correct"]).shape == (12, 3, 30)
    scaling, kernel = settings[setting]
    gram = kernel(scaling(train))
    model = SVC(C=METHOD.C[c], kernel="precomputed").fit(centred(gram, gram), y)
    query = centred(kernel(scaling(list(dataset.X_test)), scaling(train)), gram)
    assert unpack_integers(record.test["predictions"]).tolist() == model.predict(query).tolist()
    assert selection["setting"] == METHOD.settings[setting]
    for name, value in selection["derived"].items():
        assert value == pytest.approx(getattr(kernel, name), rel=1e-15)
    assert {"sigma_w", "lag_step"} <= selection["derived"].keys()


@pytest.mark.parametrize("prune", [True, False])
def test_jobs_cache_and_pruning_change_no_answer(prune, tmp_path, monkeypatch):
    monkeypatch.setattr(grams, "worth_storing", lambda *_: True)
    dataset = made()
    expected = evaluate(dataset, prune=prune)
    cache = GramCache(tmp_path / "grams")
    for n_jobs in (1, 2):
        assert answer(evaluate(dataset, n_jobs=n_jobs, prune=prune, cache=cache)) == answer(
            expected
        )
    assert cache.info().entries == 12 + 1
    full = evaluate(dataset, prune=False)
    some, every = (unpack_integers(r.selection["n_correct"]) for r in (expected, full))
    assert (some == -1).any() == prune
    np.testing.assert_array_equal(some[some >= 0], every[some >= 0])
    for key in ("setting", "C", "ties", "accuracy", "derived"):
        assert expected.selection[key] == full.selection[key]
    assert expected.test == full.test


def test_inputs_that_repeat_z_are_left_out_of_a_normalised_training_set():
    dataset = made()
    scaling = InputScaling("z")
    normalised = replace(dataset, X_train=scaling(dataset.X_train), X_test=scaling(dataset.X_test))
    record = evaluate(normalised)
    assert record.selection["inputs"] == ["z"]
    assert record.selection["n_settings"] == 6
    assert record.protocol == METHOD.protocol(Experiment())
    assert "inputs" not in evaluate(dataset).selection
    alone = replace(METHOD, grid={**METHOD.grid, "input": ("raw",)})
    assert evaluate(normalised, alone).selection["setting"]["input"] == "raw"


def test_the_paper_has_one_cross_validation_and_unscaled_grams():
    dataset = made()
    plain = replace(METHOD, n_repeats=1, gram_scale="none")
    by_experiment = evaluate(dataset, METHOD, Experiment(n_repeats=1, gram_scale="none"))
    assert by_experiment.selection == evaluate(dataset, plain).selection
    assert len(by_experiment.selection["fold_sizes"]) == 10
    other = evaluate(dataset, METHOD, Experiment(seed=1))
    assert other.selection["n_correct"] != evaluate(dataset).selection["n_correct"]


def test_constant_series_are_noted_and_grams_that_vanish_are_not_chosen():
    dataset = made()
    X = dataset.X_train.copy()
    X[4] = 2.5
    record = evaluate(replace(dataset, X_train=X))
    assert record.warnings == ["1 training series are constant, and zero by input 'z': rows [4]."]
    flat = replace(dataset, X_train=np.ones_like(X) * np.arange(1, 37)[:, None])
    record = evaluate(flat)  # all series are zero by "z"
    assert record.selection["unusable_settings"] == list(range(6))
    assert record.selection["setting"]["input"] == "raw"
    assert "The Gram of 6 settings vanishes; they were not considered." in record.warnings


@pytest.mark.parametrize("lengths", [False, True])
def test_the_multiscale_kernel_is_fitted_once_and_its_gram_is_cross_validated(
    lengths, tmp_path, monkeypatch
):
    monkeypatch.setattr(grams, "worth_storing", lambda *_: True)
    dataset, method = made(length=30, lengths=lengths), KERNEL_METHODS["rntk-multiscale"]
    fit, fitted = MultiscaleRNTK.fit, []

    def counted(kernel, X, n_jobs=1):
        fitted.append(n_jobs)
        return fit(kernel, X, n_jobs)

    monkeypatch.setattr(MultiscaleRNTK, "fit", counted)
    cache = GramCache(tmp_path / "grams")
    record = evaluate(dataset, method, n_jobs=2, cache=cache)
    assert fitted == [2]
    assert answer(evaluate(dataset, method, cache=cache)) == answer(record)
    assert fitted == [2]
    assert answer(evaluate(dataset, method)) == answer(record)
    order = np.argsort(dataset.y_train, kind="stable")
    y, train = dataset.y_train[order], [dataset.X_train[i] for i in order]
    kernel, gram = fit(MultiscaleRNTK(), train)
    means = validation_accuracies([gram], y, [stratified_folds(y, 10, 0)], [10.0])
    assert record.selection["accuracy"] == float(means[0, 0])
    model = SVC(C=10.0, kernel="precomputed").fit(gram, y)
    predicted = model.predict(kernel(list(dataset.X_test), train))
    assert unpack_integers(record.test["predictions"]).tolist() == predicted.tolist()
