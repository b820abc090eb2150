import importlib
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from rntk_bench.benchmark import grams
from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset, InputScaling, load_dataset, zero_pad
from rntk_bench.errors import RntkBenchError
from rntk_bench.kernels import NTK, RNTK, MultiscaleRNTK
from rntk_bench.methods import KERNEL_METHODS, METHODS, KernelMethod
from rntk_bench.storage.cache import GramCache
from rntk_bench.storage.integers import unpack_integers

unit_norm = InputScaling("unit-norm")
SMALL = KernelMethod(
    "rntk",
    {"sigma_w": (1.3, 1.45), "sigma_u": (1.0,), "sigma_b": (0.0, 0.3), "sigma_h": (0.1,)},
    RNTK,
)


@pytest.fixture(scope="module")
def gunpoint() -> Dataset:
    return load_dataset("GunPoint", download=False)


def evaluate_kernel(dataset, method, experiment, n_jobs=1, progress=None, **options):
    return KernelEvaluation(dataset, method, experiment, n_jobs=n_jobs, **options).run(progress)


def answer(record):
    """What must not depend on how the record was computed."""
    return record.protocol, record.data, record.selection, record.test, record.warnings


def test_the_choice_is_what_scikit_learn_would_have_made(gunpoint):
    experiment = Experiment()
    record = evaluate_kernel(gunpoint, SMALL, experiment, prune=False)
    order = np.argsort(gunpoint.y_train, kind="stable")
    X, y = unit_norm(gunpoint.X_train)[order], gunpoint.y_train[order]
    sizes = np.array(record.selection["fold_sizes"])
    n_correct = unpack_integers(record.selection["n_correct"])
    assert n_correct.shape == (4, 5, 10)
    splitter = StratifiedKFold(10, shuffle=True, random_state=0)
    fold = np.zeros(gunpoint.n_train)
    for q, (_, held_out) in enumerate(splitter.split(gunpoint.X_train, gunpoint.y_train)):
        fold[held_out] = q
    fold = fold[order]
    expected = np.zeros_like(n_correct)
    for s, kernel in enumerate(SMALL.kernels()):
        K = kernel(X)
        for c, C in enumerate(SMALL.C):
            for q in range(10):
                a, b = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
                model = SVC(C=C, kernel="precomputed").fit(K[np.ix_(a, a)], y[a])
                expected[s, c, q] = (model.predict(K[np.ix_(b, a)]) == y[b]).sum()
    np.testing.assert_array_equal(n_correct, expected)
    means = (expected / sizes).mean(axis=2)
    ties = [(c, s) for c in range(5) for s in range(4) if means[s, c] > means.max() - 1e-12]
    c, s = min(ties)
    assert record.selection["C"] == SMALL.C[c]
    assert record.selection["setting"] == SMALL.settings[s]
    assert record.selection["ties"] == len(ties)
    assert record.selection["accuracy"] == pytest.approx(means.max(), abs=1e-12)
    kernel = SMALL.kernels()[s]
    model = SVC(C=SMALL.C[c], kernel="precomputed").fit(kernel(X), y)
    predicted = model.predict(kernel(unit_norm(gunpoint.X_test), X))
    assert unpack_integers(record.test["predictions"]).tolist() == predicted.tolist()
    assert record.test["correct"] == (predicted == gunpoint.y_test).sum()
    assert record.test["accuracy"] == record.test["correct"] / gunpoint.n_test


@pytest.mark.parametrize("name", list(KERNEL_METHODS))
def test_the_record_is_the_same_for_any_number_of_jobs(gunpoint, name):
    method = KERNEL_METHODS[name]
    # Every third value of an axis leaves enough batches for two threads.
    method = replace(method, grid={axis: values[::3] for axis, values in method.grid.items()})
    one = evaluate_kernel(gunpoint, method, Experiment(), n_jobs=1)
    two = evaluate_kernel(gunpoint, method, Experiment(), n_jobs=2)
    assert answer(one) == answer(two)


def test_pruning_changes_nothing_but_the_folds_it_leaves_out(gunpoint):
    experiment = Experiment()
    pruned = evaluate_kernel(gunpoint, METHODS["rntk"], experiment)
    full = evaluate_kernel(gunpoint, METHODS["rntk"], experiment, prune=False)
    assert pruned.test == full.test
    for key in ("setting", "C", "ties", "accuracy"):
        assert pruned.selection[key] == full.selection[key]
    some, every = (unpack_integers(r.selection["n_correct"]) for r in (pruned, full))
    assert (some == -1).any()
    assert (every >= 0).all()
    np.testing.assert_array_equal(some[some >= 0], every[some >= 0])


def test_another_seed_gives_other_folds(gunpoint):
    one = evaluate_kernel(gunpoint, SMALL, Experiment())
    other = evaluate_kernel(gunpoint, SMALL, Experiment(seed=1))
    assert one.selection["n_correct"] != other.selection["n_correct"]


def test_a_second_run_computes_no_gram_twice(gunpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(grams, "worth_storing", lambda *_: True)
    cache = GramCache(tmp_path / "grams")
    first = evaluate_kernel(gunpoint, SMALL, Experiment(), cache=cache)
    compute, computed = RNTK.gram, []

    def gram(kernel, prepared):
        computed.append((kernel, prepared.y is None))
        return compute(kernel, prepared)

    monkeypatch.setattr(RNTK, "gram", gram)
    again = evaluate_kernel(gunpoint, SMALL, Experiment(), cache=cache)
    assert answer(first) == answer(again)
    assert computed == []
    evaluate_kernel(gunpoint, SMALL, Experiment(C=(1.0,), seed=1), cache=cache)
    assert not any(train for _, train in computed)


def test_a_damaged_cache_entry_is_computed_again(gunpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(grams, "worth_storing", lambda *_: True)
    said = []
    cache = GramCache(tmp_path / "grams", on_warning=said.append)
    first = evaluate_kernel(gunpoint, SMALL, Experiment(), cache=cache)
    for path in (tmp_path / "grams").glob("*/*"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    again = evaluate_kernel(gunpoint, SMALL, Experiment(), cache=cache)
    assert answer(first) == answer(again)
    assert len(said) == 1


def test_cheap_grams_are_not_stored(gunpoint, tmp_path):
    assert not grams.worth_storing(50, 150)  # a tenth of a millisecond
    assert not grams.worth_storing(1000, 20)  # few steps, many entries
    assert grams.worth_storing(390, 300)
    cache = GramCache(tmp_path / "grams")
    evaluate_kernel(gunpoint, SMALL, Experiment(), cache=cache)
    assert cache.info().entries == 0


def test_overflowing_settings_are_recorded_and_never_chosen(gunpoint):
    grid = {**SMALL.grid, "sigma_w": (1e3, 1.3)}
    record = evaluate_kernel(gunpoint, replace(SMALL, grid=grid), Experiment())
    assert record.selection["unusable_settings"] == [0, 1]
    assert record.selection["invalid_reasons"] == ["overflows"] * 2
    assert record.selection["setting"]["sigma_w"] == 1.3
    assert any("Gram of 2 settings overflows" in warning for warning in record.warnings)
    assert (unpack_integers(record.selection["n_correct"])[:2] == -1).all()


def test_a_grid_that_only_overflows_fails_with_a_sentence(gunpoint):
    grid = {**SMALL.grid, "sigma_w": (1e3,)}
    with pytest.raises(RntkBenchError, match="rntk's grid"):
        evaluate_kernel(gunpoint, replace(SMALL, grid=grid), Experiment())


def test_the_bound_on_steps_is_a_warning(gunpoint):
    record = evaluate_kernel(gunpoint, SMALL, Experiment(max_iterations=2))
    assert any("bound of 2 steps" in warning for warning in record.warnings)


def test_zero_series_are_noted(gunpoint):
    X = gunpoint.X_train.copy()
    X[3] = 0.0
    record = evaluate_kernel(replace(gunpoint, X_train=X), SMALL, Experiment())
    assert any("1 training series are zero" in warning for warning in record.warnings)


def test_progress_reaches_the_end(gunpoint):
    seen = []
    evaluate_kernel(gunpoint, SMALL, Experiment(), progress=lambda *args: seen.append(args))
    assert seen[-1][:2] == (4, 4)
    assert 0 < seen[-1][2] <= 1


def test_a_kernel_fitted_to_the_training_set_has_progress_and_all_threads(gunpoint, monkeypatch):
    fit, threads, seen = MultiscaleRNTK.fit, [], []

    def noted(self, X, n_jobs):
        threads.append(n_jobs)
        return fit(self, X, n_jobs)

    monkeypatch.setattr(MultiscaleRNTK, "fit", noted)
    method = KERNEL_METHODS["rntk-multiscale"]
    evaluate_kernel(
        gunpoint, method, Experiment(), n_jobs=2, progress=lambda *args: seen.append(args)
    )
    assert [args[:2] for args in seen] == [(1, 1)]
    assert threads == [2]


class Killed(BaseException):
    """A process ends in the middle of its work."""


@pytest.mark.parametrize("lengths", ["equal", "different"])
def test_blocks_of_test_series_are_kept(gunpoint, tmp_path, monkeypatch, lengths):
    method = KERNEL_METHODS["rntk-multiscale"]
    dataset = gunpoint if lengths == "equal" else unequal(n=300, m=3)
    whole = KernelEvaluation(dataset, method, Experiment()).grams.test(0)
    monkeypatch.setattr(grams, "worth_storing", lambda *_: True)
    monkeypatch.setattr(grams, "BLOCK", 1e-9)
    compute, sizes = grams.FittedGrams._compute_block, []

    def compute_two(self, setting, train, test):
        if len(sizes) == 2:
            raise Killed
        sizes.append(len(test))
        return compute(self, setting, train, test)

    def compute_all(self, setting, train, test):
        sizes.append(len(test))
        return compute(self, setting, train, test)

    options = {"cache": GramCache(tmp_path, 2**30), "n_jobs": 2}
    monkeypatch.setattr(grams.FittedGrams, "_compute_block", compute_two)
    with pytest.raises(Killed):
        KernelEvaluation(dataset, method, Experiment(), **options).grams.test(0)
    monkeypatch.setattr(grams.FittedGrams, "_compute_block", compute_all)
    resumed = KernelEvaluation(dataset, method, Experiment(), **options).grams.test(0)
    assert sizes == [64, 64, 22]
    np.testing.assert_allclose(resumed, whole, rtol=1e-14)
    not_stored = KernelEvaluation(dataset, method, Experiment()).grams.test(0)
    np.testing.assert_array_equal(not_stored, resumed)


def unequal(n=24, seed=0, m=1):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = [
        np.cumsum(rng.standard_normal((T, m)), axis=0) + 2.0 * c
        for T, c in zip(rng.integers(5, 15, n), y, strict=True)
    ]
    X = [x[:, 0] for x in X] if m == 1 else X
    return Dataset(
        "Unequal", X[: n // 2], y[: n // 2], X[n // 2 :], y[n // 2 :], ("a", "b"), "test"
    )


@pytest.mark.parametrize("m", [1, 3])
def test_different_lengths_are_read_or_padded_and_the_record_says_which(m):
    dataset = unequal(m=m)
    read = evaluate_kernel(dataset, SMALL, Experiment())
    true_lengths, fewer_folds = read.data["notes"]
    assert true_lengths == "Series of different lengths are read at their true lengths."
    assert fewer_folds.startswith("No class has 10 training series")
    assert (read.data["equal_length"], read.data["n_dimensions"]) == (False, m)
    padded = evaluate_kernel(dataset, METHODS["rbf"], Experiment())
    assert padded.data["notes"] == [
        "Series of different lengths are padded with zeros at the end.",
        fewer_folds,
    ]
    # The kernel of the record is that of the series as they are.
    kernel = RNTK(**read.selection["setting"])
    order = np.argsort(dataset.y_train, kind="stable")
    X = [unit_norm(dataset.X_train)[i] for i in order]
    model = SVC(C=read.selection["C"], kernel="precomputed").fit(kernel(X), dataset.y_train[order])
    predicted = model.predict(kernel(unit_norm(dataset.X_test), X))
    assert read.test["correct"] == (predicted == dataset.y_test).sum()


def test_series_are_padded_to_one_length_where_only_the_test_set_has_the_longest():
    dataset = unequal()
    longer = [np.concatenate([x, 0.1 * np.ones(9)]) for x in dataset.X_test]
    dataset = replace(dataset, X_test=longer)
    record = evaluate_kernel(dataset, METHODS["ntk"], Experiment())
    kernel = NTK(**record.selection["setting"])
    order = np.argsort(dataset.y_train, kind="stable")
    train, test = unit_norm(dataset.X_train), unit_norm(dataset.X_test)
    X, Y = zero_pad([train[i] for i in order], dataset.length), zero_pad(test, dataset.length)
    assert X.shape[1] == Y.shape[1] > max(map(len, train))
    model = SVC(C=record.selection["C"], kernel="precomputed")
    predicted = model.fit(kernel(X), dataset.y_train[order]).predict(kernel(Y, X))
    assert unpack_integers(record.test["predictions"]).tolist() == predicted.tolist()


def test_kernels_that_share_a_pass_have_the_same_record_with_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(grams, "worth_storing", lambda n, length: True)
    grid = {"direction": ("forward", "both"), "pooling": ("last", "average"), **SMALL.grid}
    method = KernelMethod("rntk-extended", grid, RNTK)
    dataset = unequal()
    plain = evaluate_kernel(dataset, method, Experiment())
    cache = GramCache(tmp_path / "grams")
    cold = evaluate_kernel(dataset, method, Experiment(), cache=cache)
    assert cache.info().entries == 16 + 1
    warm = evaluate_kernel(dataset, method, Experiment(), cache=cache)
    assert answer(plain) == answer(cold) == answer(warm)


def test_grams_are_stored_only_of_kernels_with_a_cache_key():
    scope = {"__name__": "typed", "RNTK": RNTK}
    exec("class Typed(RNTK): pass", scope)
    assert grams.gram_identity(scope["Typed"]()) is None
    assert grams.gram_identity(RNTK(activation=lambda z: z)) is None
    one, other = RNTK(1.4), RNTK(1.41)
    assert grams.gram_identity(one) == grams.gram_identity(RNTK(1.4))
    assert grams.gram_identity(one) != grams.gram_identity(other)


def test_a_users_kernel_is_identified_by_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_kernel.py").write_text(
        "from rntk_bench import RNTK\nclass Own(RNTK):\n    pass\n"
    )
    own = importlib.import_module("own_kernel").Own
    before = grams.gram_identity(own())
    grams._code_version.cache_clear()
    with (tmp_path / "own_kernel.py").open("a") as file:
        file.write("    # changed\n")
    assert before is not None
    assert grams.gram_identity(own()) != before


def test_classes_of_one_series_leave_nothing_to_choose_from():
    rng = np.random.default_rng(0)
    centres, y = rng.standard_normal((5, 20)), np.arange(5)
    X_test = np.repeat(centres, 4, axis=0) + 0.3 * rng.standard_normal((20, 20))
    dataset = Dataset("Made", centres, y, X_test, np.repeat(y, 4), tuple("abcde"), "test")
    for method in (METHODS["poly"], SMALL):
        record = evaluate_kernel(dataset, method, Experiment())
        selection, n = record.selection, len(method.settings)
        assert selection["by_default"] is True
        assert selection["setting"] == method.settings[method.default_setting]
        assert (selection["C"], selection["ties"], selection["accuracy"]) == (1.0, 5 * n, 0.0)
        assert f"Cross-validation cannot choose: all {5 * n} pairs" in record.warnings[-1]
        assert record == replace(
            evaluate_kernel(dataset, method, Experiment(), prune=False),
            **{name: getattr(record, name) for name in ("timings", "created", "environment")},
            selection=selection,
        )
        assert record.test["accuracy"] > 0.9


def test_a_record_of_a_choice_has_nothing_of_a_default(gunpoint):
    record = evaluate_kernel(gunpoint, SMALL, Experiment())
    assert "by_default" not in record.selection
    assert record.warnings == []
