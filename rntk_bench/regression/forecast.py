"""One step ahead in one's own series, by the kernels of the regression experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rntk_bench.errors import InputError
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import N_FOLDS, Family, Standard, fit_best, snr
from rntk_bench.types import FloatArray


@dataclass(frozen=True)
class Forecast:
    """Predictions of the last part of a series.

    Attributes
    ----------
    first : index of the first value that is predicted
    truth : (n_test,)
    predictions : (n_test,) of each method
    scores : DataFrame with columns method, snr (dB, of the standardised series), rmse and mae (in
        the series' own unit), ridge, and setting
    """

    first: int
    truth: FloatArray
    predictions: Mapping[str, FloatArray]
    scores: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Every prediction beside the truth: step, truth, and a column a method."""
        steps = self.first + np.arange(len(self.truth))
        return pd.DataFrame({"step": steps, "truth": self.truth, **self.predictions})


def forecast(
    values: FloatArray,
    methods: Sequence[KernelMethod],
    length: int = 10,
    n_train: int = 100,
    test_share: float = 0.25,
    seed: int = 0,
) -> Forecast:
    """Predict each value of the last part of a series from the `length` values before it.

    The series is standardised by the mean and the deviation of its first part. Of that part's
    windows, `n_train` spread evenly are trained on; setting and ridge are chosen by 5-fold
    cross-validation.

    Raises
    ------
    InputError
        If the series is too short, its first part constant, or its values too large.
    """
    first = len(values) - max(round(test_share * len(values)), 1)
    n_windows = first - length
    if n_windows < N_FOLDS:
        raise InputError(
            f"The series has {len(values)} values, of which {max(first, 0)} are to be trained on: "
            f"too few for {N_FOLDS} windows of {length} and their targets."
        )
    standard = Standard.of(values, first)
    scaled = standard.scaled
    windows = np.lib.stride_tricks.sliding_window_view(scaled, length)
    chosen = np.linspace(0, n_windows - 1, min(n_train, n_windows)).round().astype(int)
    X, y = list(windows[chosen]), scaled[length + chosen]
    X_test, y_test = list(windows[n_windows:-1]), scaled[first:]
    fold = np.random.default_rng(seed).permutation(len(y)) % N_FOLDS
    predictions, scores = {}, []
    with threadpool_limits(1):
        for method in methods:
            fitted = fit_best(Family.of(method), X, y, X_test, fold)
            predictions[method.name] = standard.mean + standard.deviation * fitted.predictions
            errors = predictions[method.name] - values[first:]
            scores.append(
                {
                    "method": method.name,
                    "snr": snr(y_test, fitted.predictions),
                    "rmse": float(np.sqrt((errors**2).mean())),
                    "mae": float(np.abs(errors).mean()),
                    "ridge": fitted.ridge,
                    "setting": method.settings()[fitted.setting],
                }
            )
    return Forecast(first, values[first:], predictions, pd.DataFrame(scores))
