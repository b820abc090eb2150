"""Stratified cross-validation."""

from __future__ import annotations

import math

import numpy as np

from rntk_bench.types import IntArray


def stratified_folds(y: IntArray, n_folds: int, seed: int) -> IntArray:
    """Deal each class in shuffled order over the folds, one class after the other.

    Fold sizes differ by at most one, and so do a class's members in any two folds, however small
    the class. With fewer series than folds every series is a fold of its own.

    Parameters
    ----------
    y : (n,) class codes
    n_folds : number of folds, at least 2
    seed : of the shuffle

    Returns
    -------
    (n,) the fold that holds each series out
    """
    n = len(y)
    shuffled = np.random.default_rng(seed).permutation(n)
    dealt = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold = np.empty(n, dtype=np.int64)
    fold[dealt] = np.arange(n) % min(n_folds, n)
    return fold


def fold_weights(fold_sizes: IntArray) -> tuple[IntArray, int]:
    """Integers w and S for exact means over folds: mean(hits / fold_sizes) = hits @ w / S."""
    common = math.lcm(*(int(size) for size in fold_sizes))
    return common // fold_sizes, common * len(fold_sizes)
