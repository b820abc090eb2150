import numpy as np
import pytest

from rntk_bench.errors import InputError
from rntk_bench.kernels import NTK, RBF, RNTK
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import (
    Conditions,
    KernelGrid,
    Prices,
    Sine,
    draw_segments,
    fit_best,
    run_repeat,
    snr,
)
from tests import naive

RNTK_METHOD = KernelMethod("rntk", {"sigma_w": (1.3, 1.45), "sigma_b": (0.0, 0.5)}, RNTK)
NTK_METHOD = KernelMethod("ntk", {"n_layers": (1, 2), "sigma_w": (1.0,), "sigma_b": (0.1,)}, NTK)
RIDGES = (0.0, 0.1, 1.0)


def test_segments_and_targets_are_parts_of_the_signal():
    signal = np.arange(40.0)
    X, y = draw_segments(signal, 500, 10, 7, np.random.default_rng(0))
    for x, target in zip(X, y, strict=True):
        np.testing.assert_array_equal(np.diff(x), 1.0)
        assert target == x[-1] + 1
    assert {len(x) for x in X} == set(range(10, 18))
    assert min(x[0] for x in X) == 0
    assert max(y) == 39
    with pytest.raises(InputError, match="T_var"):
        draw_segments(signal, 5, 10, 30, np.random.default_rng(0))


def test_snr_of_known_cases():
    y = np.array([3.0, 4.0])
    assert snr(y, y - np.array([0.3, 0.4])) == pytest.approx(20.0)
    assert snr(y, np.zeros(2)) == pytest.approx(0.0)


@pytest.mark.filterwarnings("error")
def test_snr_is_never_nan_or_minus_infinity():
    assert snr(np.ones(3), np.ones(3)) == np.inf
    for y, predicted in (
        (np.zeros(3), np.zeros(3)),
        (np.zeros(3), np.ones(3)),
        (np.ones(3), np.full(3, np.nan)),
        (np.ones(3), np.full(3, 1e200)),
    ):
        with pytest.raises(InputError, match="There is no signal-to-noise ratio"):
            snr(y, predicted)


def test_prices_that_cannot_be_standardised_are_refused():
    with pytest.raises(InputError, match="constant"):
        Prices((0.1,) * 1000)
    with pytest.raises(InputError, match="too large"):
        Prices(tuple(1e300 * (1 + np.arange(1000) % 7)))


def test_signals_have_the_documented_sizes_and_scales():
    rng = np.random.default_rng(0)
    train, test = Sine().draw(rng, 0.0)
    assert train is test
    np.testing.assert_allclose(train[[0, 250, 500]], [0, 1, 0], atol=1e-12)
    noisy, _ = Sine(samples=20000).draw(rng, 0.1)
    clean, _ = Sine(samples=20000).draw(rng, 0.0)
    assert (noisy - clean).std() == pytest.approx(0.1, rel=0.05)
    closes = tuple(100 + np.cumsum(np.random.default_rng(1).standard_normal(1000)))
    train, test = Prices(closes).draw(rng, 0.0)
    assert (len(train), len(test)) == (700, 275)
    assert (train.mean(), train.std()) == (pytest.approx(0, abs=1e-9), pytest.approx(1))
    scale = np.std(closes[:700])
    np.testing.assert_allclose(np.diff(test), np.diff(closes[700:975]) / scale)
    with pytest.raises(InputError, match="975"):
        Prices(closes[:900])


def fit_by_loops(method, oracle, X, y, X_test, fold):
    """Every setting, ridge and fold by itself; kernels entry by entry; direct solves."""
    lowest, best = np.inf, None
    for kernel, setting in zip(method.kernels(), method.settings, strict=True):
        K = naive.gram(oracle, X, **setting)
        for ridge in RIDGES:
            errors = []
            for i in range(len(y)):
                a = np.flatnonzero(fold != fold[i])
                inverse = np.linalg.inv(K[np.ix_(a, a)] + ridge * np.eye(len(a)))
                errors.append((y[i] - K[i, a] @ inverse @ y[a]) ** 2)
            if np.mean(errors) < lowest:
                lowest, best = np.mean(errors), (kernel, setting, ridge, K)
    _, setting, ridge, K = best
    alpha = np.linalg.inv(K + ridge * np.eye(len(y))) @ y
    return setting, ridge, naive.gram(oracle, X_test, X, **setting) @ alpha


@pytest.mark.parametrize(("method", "oracle"), [(RNTK_METHOD, naive.rntk), (NTK_METHOD, naive.ntk)])
def test_a_fit_agrees_with_plain_loops(method, oracle):
    rng = np.random.default_rng(0)
    signal, _ = Sine(samples=60).draw(rng, 0.1)
    X, y = draw_segments(signal, 9, 4, 3, rng)
    X_test, _ = draw_segments(signal, 4, 4, 3, rng)
    X[0], X_test[0] = signal[:7], signal[20:27]  # the longest there can be
    fold = rng.permutation(9) % 5
    best = fit_best(KernelGrid.from_method(method), X, y, X_test, fold, RIDGES)
    if method is NTK_METHOD:
        X, X_test = ([np.pad(x, (0, 7 - len(x))) for x in segments] for segments in (X, X_test))
    setting, ridge, predictions = fit_by_loops(method, oracle, X, y, X_test, fold)
    assert (method.settings[best.setting_index], best.ridge) == (setting, ridge)
    np.testing.assert_allclose(best.predictions, predictions, rtol=1e-6)


def test_settings_that_overflow_are_never_chosen():
    rng = np.random.default_rng(0)
    X, y = draw_segments(np.sin(np.arange(80.0)), 12, 5, 5, rng)
    method = KernelMethod("rntk", {"sigma_w": (1e200, 1.3)}, RNTK)
    fold = np.arange(12) % 5
    assert fit_best(KernelGrid.from_method(method), X, y, X, fold).setting_index == 1
    overflowing = KernelGrid.from_method(KernelMethod("rntk", {"sigma_w": (1e200,)}, RNTK))
    with pytest.raises(InputError, match="rntk's grid"):
        fit_best(overflowing, X, y, X, fold)


def test_a_repeat_depends_on_its_seed_and_number_alone():
    grids = [
        KernelGrid.from_method(RNTK_METHOD),
        KernelGrid.from_method(KernelMethod("rbf", {"alpha": (0.1,)}, RBF)),
    ]
    signal = Sine(n_test=50)
    first = run_repeat(signal, Conditions(), grids, 0, 3)
    assert first.keys() == {"rntk", "rbf"}
    assert run_repeat(signal, Conditions(), grids, 0, 3) == first
    assert run_repeat(signal, Conditions(), grids[:1], 0, 3)["rntk"] == first["rntk"]
    assert run_repeat(signal, Conditions(), grids, 0, 4) != first
    assert run_repeat(signal, Conditions(), grids, 1, 3) != first
    assert first["rntk"] > 10
    with pytest.raises(InputError, match="at least 2"):
        run_repeat(signal, Conditions(train=1), grids, 0, 0)
