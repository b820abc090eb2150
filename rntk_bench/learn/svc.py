"""C-SVC over precomputed Grams: cross-validation and classification for a whole grid of C."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rntk_bench.deadline import deadline
from rntk_bench.learn import smo

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]

LARGEST_ENTRY = 1e150
"""Curvatures of a Gram with larger entries could overflow."""


@dataclass(frozen=True)
class SVCOptions:
    """C grid (ascending), LIBSVM's tolerance, and the bound on steps of one problem."""

    C: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    tolerance: float = 1e-3
    max_iterations: int = 1_000_000


class CrossValidation:
    """One split of a training set, sorted by class, for any number of its Grams.

    Parameters
    ----------
    y : (n,) ascending class codes 0, 1, ...
    fold : (n,) the fold that holds each series out
    options : SVCOptions
    """

    def __init__(self, y: IntArray, fold: IntArray, options: SVCOptions) -> None:
        self.y, self.fold, self.options = y, fold, options
        self.fold_sizes = np.bincount(fold)
        # Each fold's columns are padded to full vectors; the padding repeats column 0 and its
        # votes are not counted.
        padded = -(-self.fold_sizes // smo.LANES) * smo.LANES
        self._judged_starts = np.concatenate([[0], np.cumsum(padded)])
        self._columns = np.zeros(self._judged_starts[-1], dtype=np.int64)
        self._counted = np.zeros(len(self._columns), dtype=bool)
        starts = self._judged_starts[:-1]
        for q, (start, size) in enumerate(zip(starts, self.fold_sizes, strict=True)):
            self._columns[start : start + size] = np.flatnonzero(fold == q)
            self._counted[start : start + size] = True

    def hits(self, gram: Array, folds: IntArray, n_C: int) -> tuple[IntArray, IntArray]:
        """Correct validation predictions, and unfinished problems, of the n_C smallest C.

        Parameters
        ----------
        gram : (n, n), `usable`
        folds : those to evaluate
        n_C : how many values of C, from the smallest

        Returns
        -------
        hits, unfinished : (n_C, len(folds))
        """
        votes, unfinished = _votes(
            gram,
            self.y,
            self.fold,
            folds,
            self.options,
            n_C,
            np.ascontiguousarray(gram[:, self._columns]),
            self._judged_starts,
        )
        right = (smo.winners(votes) == self.y[self._columns]) & self._counted
        hits = np.add.reduceat(right, self._judged_starts[:-1], axis=1, dtype=np.int64)
        return hits[:, folds], unfinished[:, folds]


def classify(
    gram: Array, y: IntArray, judged: Array, C: float, options: SVCOptions
) -> tuple[IntArray, int]:
    """Train on the whole set, sorted by class, going up the grid to C, and classify.

    Parameters
    ----------
    gram : (n, n), `usable`
    y : (n,) ascending class codes
    judged : (n, n_judged) kernel of the training series with those to be classified
    C : a value of the options' grid

    Returns
    -------
    predictions : (n_judged,) class codes
    unfinished : number of problems that stopped at the bound on steps
    """
    n_C = options.C.index(C) + 1
    starts = np.array([0, judged.shape[1]])
    held_out = np.full(len(y), -1)
    votes, unfinished = _votes(
        gram, y, held_out, np.array([0]), options, n_C, np.ascontiguousarray(judged), starts
    )
    return smo.winners(votes)[-1], int(unfinished[-1].sum())


def usable(gram: Array) -> bool:
    """Whether an SVM can be trained on the Gram: finite and far from overflow."""
    return bool(np.abs(gram).max() < LARGEST_ENTRY)


def _votes(
    gram: Array,
    y: IntArray,
    fold: IntArray,
    folds: IntArray,
    options: SVCOptions,
    n_C: int,
    judged: Array,
    judged_starts: IntArray,
) -> tuple[NDArray[np.int32], IntArray]:
    n_classes = int(y[-1]) + 1
    votes = np.zeros((n_C, n_classes, judged.shape[1]), dtype=np.int32)
    unfinished = np.zeros((n_C, len(judged_starts) - 1), dtype=np.int64)
    limit = deadline()
    smo.vote(
        gram,
        np.searchsorted(y, np.arange(n_classes + 1)),
        fold,
        folds,
        np.array(options.C[:n_C]),
        judged,
        judged_starts,
        options.tolerance,
        options.max_iterations,
        limit.stop,
        votes,
        unfinished,
    )
    limit.check()
    return votes, unfinished
