"""Resampling the training and the test set of a dataset together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rntk_bench.datasets.dataset import Dataset, Sequences, take_series
from rntk_bench.errors import DataError
from rntk_bench.types import IntArray


def resample_dataset(dataset: Dataset, resample: int) -> Dataset:
    """Resample both sets together with sktime's `stratified_resample`.

    Each class keeps its number of training and of test series. Labels are texts, as in data that
    sktime has loaded, so that sktime makes the same sets of the same seed.

    Parameters
    ----------
    dataset : Dataset
        With the split of the archive.
    resample : int
        The seed, from 1 to 2^32 - 1; 0 returns the dataset as it is.

    Raises
    ------
    DataError
        If a class has no test series.
    """
    if resample == 0:
        return dataset
    train, test = _resampled_positions(dataset, resample)
    return replace(
        dataset,
        X_train=_take(dataset, train),
        y_train=_labels(dataset)[train],
        X_test=_take(dataset, test),
        y_test=_labels(dataset)[test],
    )


def _resampled_positions(dataset: Dataset, seed: int) -> tuple[IntArray, IntArray]:
    """Positions (n_train,) and (n_test,) among the training series followed by the test series."""
    # Imported here: it takes seconds, and the archive's split does not need it.
    import pandas as pd
    from sktime.utils.sampling import stratified_resample

    if missing := np.setdiff1d(dataset.y_train, dataset.y_test).tolist():
        raise DataError(
            f"{dataset.name} cannot be resampled, since no test series has the class "
            f"{dataset.classes[missing[0]]!r}; run it without --resample."
        )
    names = np.array(_sktime_labels(dataset.classes))
    n_train, n = dataset.n_train, dataset.n_train + dataset.n_test
    train, _, test, _ = stratified_resample(
        pd.DataFrame({"position": range(n_train)}),
        names[dataset.y_train],
        pd.DataFrame({"position": range(n_train, n)}),
        names[dataset.y_test],
        seed,
    )
    return (
        train["position"].to_numpy(dtype=np.int64),
        test["position"].to_numpy(dtype=np.int64),
    )


def _sktime_labels(classes: tuple[str, ...]) -> tuple[str, ...]:
    """The labels as sktime reads them, in lower case: their order is that of the random numbers."""
    lower = tuple(name.lower() for name in classes)
    return lower if len(set(lower)) == len(classes) else classes


def _labels(dataset: Dataset) -> IntArray:
    return np.concatenate([dataset.y_train, dataset.y_test])


def _take(dataset: Dataset, positions: IntArray) -> Sequences:
    """The series at these positions among the training series followed by the test series."""
    X_train, X_test = dataset.X_train, dataset.X_test
    if isinstance(X_train, np.ndarray):
        return take_series(np.concatenate([X_train, np.asarray(X_test)]), positions)
    return take_series([*X_train, *X_test], positions)
