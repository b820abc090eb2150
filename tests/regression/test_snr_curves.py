from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pandas as pd
import pytest

from rntk_bench.errors import InputError, RntkBenchError
from rntk_bench.kernels import RBF, Polynomial
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import KernelGrid, Prices, Sine, run_repeat
from rntk_bench.regression.snr_curves import (
    BATCH_SIZE,
    DEFAULT_VALUES,
    VariedParameter,
    compute_snr_curves,
    limit_jobs,
)

METHODS = [
    KernelMethod("rbf", {"alpha": (0.1, 1.0)}, RBF),
    KernelMethod("poly", {"degree": (1, 2), "r": (1.0,)}, Polynomial),
]
VARIED = VariedParameter(Sine(n_test=30), "noise", (0.01, 0.5))


def test_a_curve_is_the_mean_of_its_repeats(tmp_path):
    curves = compute_snr_curves(VARIED, METHODS, 7, 0, 1, tmp_path / "x.partial")
    assert list(curves["value"]) == [0.01, 0.01, 0.5, 0.5]
    grids = [KernelGrid.from_method(method) for method in METHODS]
    for value, rows in curves.groupby("value"):
        repeats = [
            run_repeat(VARIED.signal, VARIED.conditions(value), grids, 0, number)
            for number in range(7)
        ]
        for row in rows.itertuples():
            ratios = [snrs[row.method] for snrs in repeats]
            assert row.snr == pytest.approx(np.mean(ratios), rel=1e-12)
            assert row.standard_error == pytest.approx(np.std(ratios, ddof=1) / np.sqrt(7))
            assert row.repeats == 7
    quiet, loud = curves[curves["method"] == "poly"]["snr"]
    assert quiet > loud


def test_as_many_repeats_run_at_a_time_as_fit():
    varied = VariedParameter(Sine(n_test=0), "train", (10, 1000))
    # 4.5 copies of the two Grams of the largest grid, with 1,000 segments
    one = 8 * 1000 * 9 * 1000
    assert [limit_jobs(n * one, varied, METHODS, 4) for n in (1, 2, 9)] == [1, 2, 4]
    assert limit_jobs(None, varied, METHODS, 4) == 4
    with pytest.raises(InputError, match="1000 training segments and 2 settings"):
        limit_jobs(one - 1, varied, METHODS, 4)


def test_the_curve_is_the_same_for_any_number_of_jobs_and_after_an_interrupt(tmp_path):
    whole = compute_snr_curves(VARIED, METHODS, 2 * BATCH_SIZE, 0, 1, tmp_path / "a.partial")
    two = compute_snr_curves(VARIED, METHODS, 2 * BATCH_SIZE, 0, 2, tmp_path / "b.partial")
    pd.testing.assert_frame_equal(whole, two)

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    checkpoint_path = tmp_path / "c.partial"
    with pytest.raises(KeyboardInterrupt):
        compute_snr_curves(VARIED, METHODS, 2 * BATCH_SIZE, 0, 1, checkpoint_path, stop)
    seen = []
    resumed = compute_snr_curves(
        VARIED, METHODS, 2 * BATCH_SIZE, 0, 1, checkpoint_path, lambda *args: seen.append(args)
    )
    pd.testing.assert_frame_equal(whole, resumed)
    assert seen == [(2, 4), (3, 4), (4, 4)]
    # More repeats begin with those that are there; another seed does not.
    seen.clear()
    more = compute_snr_curves(
        VARIED, METHODS, 3 * BATCH_SIZE, 0, 1, checkpoint_path, lambda *args: seen.append(args)
    )
    assert [done for done, _ in seen] == [4, 5, 6]
    assert (more["repeats"] == 3 * BATCH_SIZE).all()
    seen.clear()
    compute_snr_curves(
        VARIED, METHODS, BATCH_SIZE, 1, 1, checkpoint_path, lambda *args: seen.append(args)
    )
    assert len(seen) == 3


def test_what_cannot_be_varied_is_refused():
    prices = Prices(tuple(np.arange(1.0, 1001.0)))
    with pytest.raises(InputError, match="Only the sine"):
        VariedParameter(prices, "noise", (0.1,))
    with pytest.raises(InputError, match="integer"):
        VariedParameter(Sine(), "length", (1.5,))
    with pytest.raises(InputError, match="-3"):
        VariedParameter(Sine(), "train", (-3,))
    assert DEFAULT_VALUES.keys() == {"length", "noise", "train"}
    assert VariedParameter(Sine(), "train", (30,)).conditions(30).train == 30


def test_a_worker_process_that_is_ended_from_outside_is_reported(tmp_path, monkeypatch):
    def killed(*arguments):
        raise BrokenProcessPool("a child process terminated abruptly")

    monkeypatch.setattr("rntk_bench.regression.snr_curves.run_repeat", killed)
    with pytest.raises(RntkBenchError, match="with fewer --jobs, and it will continue"):
        compute_snr_curves(VARIED, METHODS, BATCH_SIZE, 0, 1, tmp_path / "a.partial")
