"""Stratified folds for cross-validation, and exact means of accuracies over them."""

from __future__ import annotations

import math

import numpy as np

from rntk_bench.types import IntArray


def stratified_folds(y: IntArray, n_folds: int, seed: int) -> IntArray:
    """Assign each series to the fold in which it is held out.

    The series of each class are shuffled and distributed over the folds in turn, one class after
    the other. The sizes of the folds differ by at most one, and so do the numbers of members that
    a class has in any two folds. With fewer series than folds, each series is a fold.

    Parameters
    ----------
    y : (n,) class codes
    n_folds : number of folds, at least 2
    seed : seed of the shuffle

    Returns
    -------
    (n,) number of the fold in which each series is held out
    """
    n = len(y)
    shuffled = np.random.default_rng(seed).permutation(n)
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold = np.empty(n, dtype=np.int64)
    fold[by_class] = np.arange(n) % min(n_folds, n)
    return fold


def repeated_folds(y: IntArray, n_folds: int, n_repeats: int, seed: int) -> list[IntArray]:
    """The folds of several cross-validations, those of `seed`, `seed` + 1, .."""
    return [stratified_folds(y, n_folds, seed + repeat) for repeat in range(n_repeats)]


def fold_weights(fold_sizes: IntArray) -> tuple[IntArray, int]:
    """Integers w and S with which means over folds are exact.

    The mean of n_correct / fold_sizes is n_correct @ w / S.
    """
    common = math.lcm(*(int(size) for size in fold_sizes))
    return common // fold_sizes, common * len(fold_sizes)
