from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pandas as pd
import pytest

from rntk_bench.errors import InputError, RntkBenchError
from rntk_bench.kernels import RBF, Polynomial
from rntk_bench.methods import KernelMethod
from rntk_bench.regression import snr_curves as module
from rntk_bench.regression.experiment import Family, Prices, Sine, repeat
from rntk_bench.regression.snr_curves import BATCH, Panel, snr_curves

METHODS = [
    KernelMethod("rbf", {"alpha": (0.1, 1.0)}, RBF),
    KernelMethod("poly", {"degree": (1, 2), "r": (1.0,)}, Polynomial),
]
PANEL = Panel(Sine(n_test=30), "noise", (0.01, 0.5))


def test_a_curve_is_the_mean_of_its_repeats(tmp_path):
    curves = snr_curves(PANEL, METHODS, 7, 0, 1, tmp_path / "x.partial")
    assert list(curves["value"]) == [0.01, 0.01, 0.5, 0.5]
    families = [Family.of(method) for method in METHODS]
    for value, rows in curves.groupby("value"):
        ratios = [
            repeat(PANEL.signal, PANEL.conditions(value), families, 0, number)
            for number in range(7)
        ]
        for row in rows.itertuples():
            mine = [ratio[row.method] for ratio in ratios]
            assert row.snr == pytest.approx(np.mean(mine), rel=1e-12)
            assert row.standard_error == pytest.approx(np.std(mine, ddof=1) / np.sqrt(7))
            assert row.repeats == 7
    quiet, loud = curves[curves["method"] == "poly"]["snr"]
    assert quiet > loud


def test_the_curve_is_the_same_for_any_number_of_jobs_and_after_an_interrupt(tmp_path):
    whole = snr_curves(PANEL, METHODS, 2 * BATCH, 0, 1, tmp_path / "a.partial")
    two = snr_curves(PANEL, METHODS, 2 * BATCH, 0, 2, tmp_path / "b.partial")
    pd.testing.assert_frame_equal(whole, two)

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    partial = tmp_path / "c.partial"
    with pytest.raises(KeyboardInterrupt):
        snr_curves(PANEL, METHODS, 2 * BATCH, 0, 1, partial, stop)
    seen = []
    resumed = snr_curves(PANEL, METHODS, 2 * BATCH, 0, 1, partial, lambda *args: seen.append(args))
    pd.testing.assert_frame_equal(whole, resumed)
    assert seen == [(2, 4), (3, 4), (4, 4)]
    # More repeats begin with those that are there; another seed does not.
    seen.clear()
    more = snr_curves(PANEL, METHODS, 3 * BATCH, 0, 1, partial, lambda *args: seen.append(args))
    assert [done for done, _ in seen] == [4, 5, 6]
    assert (more["repeats"] == 3 * BATCH).all()
    seen.clear()
    snr_curves(PANEL, METHODS, BATCH, 1, 1, partial, lambda *args: seen.append(args))
    assert len(seen) == 3


def test_what_cannot_vary_is_one_sentence():
    prices = Prices(tuple(np.arange(1.0, 1001.0)))
    with pytest.raises(InputError, match="Only the sine"):
        Panel(prices, "noise", (0.1,))
    with pytest.raises(InputError, match="integer"):
        Panel(Sine(), "length", (1.5,))
    with pytest.raises(InputError, match="-3"):
        Panel(Sine(), "train", (-3,))
    assert module.VALUES.keys() == {"length", "noise", "train"}
    assert Panel(Sine(), "train", (30,)).conditions(30).train == 30


def test_a_process_that_is_ended_from_outside_is_one_sentence(tmp_path, monkeypatch):
    def killed(*arguments):
        raise BrokenProcessPool("a child process terminated abruptly")

    monkeypatch.setattr("rntk_bench.regression.snr_curves.repeat", killed)
    with pytest.raises(RntkBenchError, match="keeps what is done, with fewer --jobs"):
        snr_curves(PANEL, METHODS, BATCH, 0, 1, tmp_path / "a.partial")
