"""One-step-ahead forecasts of the user's own series by kernel ridge regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from rntk_bench.errors import InputError
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import N_FOLDS, KernelGrid, fit_best, snr, standardise
from rntk_bench.types import FloatArray


@dataclass(frozen=True)
class Forecast:
    """Predictions of the last part of a series.

    Attributes
    ----------
    start : int
        Index of the first predicted value.
    y_true : (n_test,) ndarray
        The true values.
    predictions : dict of (n_test,) ndarrays
        The predictions of each method.
    scores : DataFrame
        Columns method, snr (in dB, of the standardised series), rmse and mae (in the unit of the
        series), ridge, and setting.
    """

    start: int
    y_true: FloatArray
    predictions: Mapping[str, FloatArray]
    scores: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """All predictions beside the true values: step, truth, and one column per method."""
        steps = self.start + np.arange(len(self.y_true))
        return pd.DataFrame({"step": steps, "truth": self.y_true, **self.predictions})


def compute_forecast(
    values: FloatArray,
    methods: Sequence[KernelMethod],
    window_length: int = 10,
    n_train: int = 100,
    test_size: float = 0.25,
    seed: int = 0,
) -> Forecast:
    """Predict each value of the last part of a series from the `window_length` values before it.

    The series is standardised by the mean and the standard deviation of its first part. The
    training set is `n_train` windows of the first part, spread evenly. The setting and the ridge
    of each method are chosen by 5-fold cross-validation.

    Parameters
    ----------
    test_size : float
        The last part as a fraction of the series.

    Raises
    ------
    InputError
        If the series is too short, its first part is constant, or its values are too large.
    """
    start = len(values) - max(round(test_size * len(values)), 1)
    n_windows = start - window_length
    if n_windows < N_FOLDS:
        raise InputError(
            f"The series has {len(values)} values, of which {max(start, 0)} are to be trained on: "
            f"too few for {N_FOLDS} windows of {window_length} and their targets; give a "
            "longer series, or choose shorter windows."
        )
    scaled, mean, std = standardise(values, start)
    windows = np.lib.stride_tricks.sliding_window_view(scaled, window_length)
    train = np.linspace(0, n_windows - 1, min(n_train, n_windows)).round().astype(int)
    X, y = list(windows[train]), scaled[window_length + train]
    X_test, y_test = list(windows[n_windows:-1]), scaled[start:]
    fold = np.random.default_rng(seed).permutation(len(y)) % N_FOLDS
    predictions, scores = {}, []
    with threadpool_limits(1):
        for method in methods:
            best = fit_best(KernelGrid.from_method(method), X, y, X_test, fold)
            predictions[method.name] = mean + std * best.predictions
            errors = predictions[method.name] - values[start:]
            scores.append(
                {
                    "method": method.name,
                    "snr": snr(y_test, best.predictions),
                    "rmse": float(np.sqrt((errors**2).mean())),
                    "mae": float(np.abs(errors).mean()),
                    "ridge": best.ridge,
                    "setting": method.settings[best.setting_index],
                }
            )
    return Forecast(start, values[start:], predictions, pd.DataFrame(scores))
