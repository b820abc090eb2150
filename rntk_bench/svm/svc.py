"""C-SVC over precomputed Grams: cross-validation and classification for a whole grid of C."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rntk_bench.deadline import current_deadline
from rntk_bench.errors import InputError
from rntk_bench.svm import smo

Array = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class SVCOptions:
    """C grid (ascending), LIBSVM's tolerance, and the bound on steps of one problem."""

    C: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    tolerance: float = 1e-3
    max_iterations: int = 1_000_000


def check_size(y: IntArray, name: str = "This dataset") -> None:
    """Refuse a set with a pair of classes that the solver cannot number.

    Parameters
    ----------
    y : (n,) class codes
    name : what the message calls the set

    Raises
    ------
    InputError
        If two classes have more than `smo.MAX_SERIES` series together.
    """
    pair = int(np.sort(np.bincount(y))[-2:].sum())
    if pair > smo.MAX_SERIES:
        raise InputError(
            f"{name} has {pair:,} training series in its two largest classes, but the support "
            f"vector machines take at most {smo.MAX_SERIES:,}; leave some out."
        )


class CrossValidation:
    """One split of a training set, sorted by class, for any number of its Grams.

    Parameters
    ----------
    y : (n,) ascending class codes 0, 1, ...
    fold : (n,) the fold that holds each series out
    options : SVCOptions

    Raises
    ------
    InputError
        As `check_size`.
    """

    def __init__(self, y: IntArray, fold: IntArray, options: SVCOptions) -> None:
        check_size(y)
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
        gram : (n, n), without a `flaw`
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


@dataclass(frozen=True)
class Machines:
    """A trained machine for every pair of classes (a, b), a < b: (0, 1), (0, 2), .., (1, 2), ..

    Attributes
    ----------
    coefficients : (n_pairs, n) dual coefficients y alpha of the training series
    biases : (n_pairs,)
    n_classes : int
    unfinished : number of problems that stopped at the bound on steps
    """

    coefficients: Array
    biases: Array
    n_classes: int
    unfinished: int = 0

    @classmethod
    def train(
        cls,
        gram: Array,
        y: IntArray,
        C: float,
        options: SVCOptions,
        held_out: NDArray[np.bool_] | None = None,
    ) -> Self:
        """Train on a set sorted by class, going up the options' grid to C.

        Parameters
        ----------
        gram : (n, n), without a `flaw`
        y : (n,) ascending class codes 0, 1, ...
        C : a value of the options' grid
        held_out : (n,) what is not trained on; a class without other series loses to every other

        Raises
        ------
        InputError
            As `check_size`.
        """
        check_size(y)
        n_classes = int(y[-1]) + 1
        n_pairs = n_classes * (n_classes - 1) // 2
        coefficients, biases = np.zeros((n_pairs, len(y))), np.zeros(n_pairs)
        limit = current_deadline()
        unfinished = smo.train(
            gram,
            np.searchsorted(y, np.arange(n_classes + 1)),
            np.zeros(len(y), dtype=bool) if held_out is None else held_out,
            np.array(options.C[: options.C.index(C) + 1]),
            options.tolerance,
            options.max_iterations,
            limit.stop,
            coefficients,
            biases,
        )
        limit.check()
        return cls(coefficients, biases, n_classes, int(unfinished))

    def decisions(self, judged: Array) -> Array:
        """Decisions (n_pairs, n_judged), > 0 for the first class of a pair.

        `judged` (n, n_judged) is the kernel of the training series with those to be classified.
        """
        found: Array = smo.decide(self.coefficients, self.biases, np.ascontiguousarray(judged))
        return found

    def winners(self, decisions: Array) -> IntArray:
        """Class codes (n_judged,) with most votes; ties go to the first, as in LIBSVM."""
        found: IntArray = smo.winners(_counted(decisions, self.n_classes)[None])[0]
        return found

    def one_vs_rest(self, decisions: Array) -> Array:
        """A score (n_judged, n_classes) that is largest for the winner, but where votes tie.

        The votes, and as a fraction below 1/3 the sum of the decisions for a class, as in
        scikit-learn's `SVC`.
        """
        total = np.zeros((self.n_classes, decisions.shape[1]))
        for (a, b), decision in zip(_pairs(self.n_classes), decisions, strict=True):
            total[a] += decision
            total[b] -= decision
        votes = _counted(decisions, self.n_classes)
        return np.asarray((votes + total / (3.0 * (np.abs(total) + 1.0))).T)


def held_out_decisions(
    gram: Array, y: IntArray, fold: IntArray, C: float, options: SVCOptions
) -> Array:
    """Decisions (n_pairs, n) on every series by the machines that were trained without its fold."""
    n_classes = int(y[-1]) + 1
    decisions = np.empty((n_classes * (n_classes - 1) // 2, len(y)))
    for q in np.unique(fold):
        held_out = fold == q
        machines = Machines.train(gram, y, C, options, held_out)
        decisions[:, held_out] = machines.decisions(gram[:, held_out])
    return decisions


def classify(
    gram: Array, y: IntArray, judged: Array, C: float, options: SVCOptions
) -> tuple[IntArray, int]:
    """Train on the whole set, sorted by class, going up the grid to C, and classify.

    Parameters
    ----------
    gram : (n, n), without a `flaw`
    y : (n,) ascending class codes
    judged : (n, n_judged) kernel of the training series with those to be classified
    C : a value of the options' grid

    Returns
    -------
    predictions : (n_judged,) class codes
    unfinished : number of problems that stopped at the bound on steps
    """
    machines = Machines.train(gram, y, C, options)
    return machines.winners(machines.decisions(judged)), machines.unfinished


def _pairs(n_classes: int) -> list[tuple[int, int]]:
    return list(combinations(range(n_classes), 2))


def _counted(decisions: Array, n_classes: int) -> NDArray[np.int32]:
    """Votes (n_classes, n_judged) of decisions (n_pairs, n_judged)."""
    votes = np.zeros((n_classes, decisions.shape[1]), dtype=np.int32)
    for (a, b), decision in zip(_pairs(n_classes), decisions, strict=True):
        votes[a] += decision > 0.0
        votes[b] += decision <= 0.0
    return votes


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
    limit = current_deadline()
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
