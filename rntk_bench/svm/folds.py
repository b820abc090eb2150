"""Stratified folds for cross-validation, and exact means of accuracies over them."""

from __future__ import annotations

import math
import warnings

import numpy as np

from rntk_bench.types import IntArray


def stratified_folds(y: IntArray, n_folds: int, seed: int) -> IntArray:
    """Assign each series to the fold in which it is held out.

    The folds are those of `StratifiedKFold(n_folds, shuffle=True, random_state=seed)` of
    scikit-learn. If no class has `n_folds` members, there are as many folds as the largest class
    has members, and if no class has two members, each series is a fold.

    Parameters
    ----------
    y : (n,) class codes, in the order of the data file
    n_folds : number of folds, at least 2
    seed : seed of the shuffle

    Returns
    -------
    (n,) number of the fold in which each series is held out
    """
    from sklearn.model_selection import StratifiedKFold  # here, for it is slow to import

    n_folds = min(n_folds, int(np.bincount(y).max()))
    fold = np.arange(len(y))
    if n_folds < 2:
        return fold
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes smaller than the number of folds
        for q, (_, held_out) in enumerate(splitter.split(fold, y)):
            fold[held_out] = q
    return fold


def fold_note(n_folds: int, wanted: int, n: int) -> str | None:
    """Say why there are not as many folds as wanted; None if there are."""
    if n_folds == wanted:
        return None
    if n_folds == n:
        return "No class has two training series: cross-validation leaves out one at a time."
    return (
        f"No class has {wanted} training series: cross-validation has {n_folds} folds, as many as "
        "the largest class has series."
    )


def repeated_folds(y: IntArray, n_folds: int, n_repeats: int, seed: int) -> list[IntArray]:
    """The folds of several cross-validations, those of `seed`, `seed` + 1, .., modulo 2**32."""
    return [stratified_folds(y, n_folds, (seed + repeat) % 2**32) for repeat in range(n_repeats)]


def fold_weights(fold_sizes: IntArray) -> tuple[IntArray, int]:
    """Integers w and S with which means over folds are exact.

    The mean of n_correct / fold_sizes is n_correct @ w / S.
    """
    common = math.lcm(*(int(size) for size in fold_sizes))
    return common // fold_sizes, common * len(fold_sizes)
