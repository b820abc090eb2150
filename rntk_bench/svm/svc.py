"""C-SVC on precomputed Grams: cross-validation and classification for a whole grid of C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rntk_bench.deadline import current_deadline
from rntk_bench.errors import InputError
from rntk_bench.svm import one_vs_one, smo
from rntk_bench.svm.options import SVCOptions
from rntk_bench.types import BoolArray, FloatArray, IntArray


def check_size(y: IntArray, name: str = "This dataset") -> None:
    """Raise an error if two classes together have more series than the solver can index.

    Parameters
    ----------
    y : (n,) class codes
    name : what the error message calls the training set

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


class _Workspaces:
    """Large arrays for the Grams of a training set, as many as there are threads at once.

    If they were allocated for each Gram, the operating system would spend more time on clearing
    their pages than it takes to fill them.
    """

    def __init__(self, y: IntArray) -> None:
        self._y = y
        self._spare: list[tuple[FloatArray, FloatArray]] = []

    @contextmanager
    def borrow(self, n_query: int) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Memory for the validation columns (n, n_query), and `one_vs_one.pair_buffers`."""
        try:
            query, buffers = self._spare.pop()
        except IndexError:
            query, buffers = np.empty(0), one_vs_one.pair_buffers(self._y)
        size = len(self._y) * n_query
        if query.size < size:
            query = np.empty(size)
        yield query[:size].reshape(len(self._y), n_query), buffers
        self._spare.append((query, buffers))

    def free(self) -> None:
        """Free them; they are allocated again when they are needed."""
        self._spare.clear()


class CrossValidation:
    """Cross-validation with fixed folds of a training set, sorted by class, for any of its Grams.

    Parameters
    ----------
    y : (n,) ascending class codes 0, 1, ...
    fold : (n,) number of the fold in which each series is held out
    options : SVCOptions

    Raises
    ------
    InputError
        As for `check_size`.
    """

    n_repeats = 1

    def __init__(
        self,
        y: IntArray,
        fold: IntArray,
        options: SVCOptions,
        workspaces: _Workspaces | None = None,
    ) -> None:
        check_size(y)
        self._workspaces = workspaces or _Workspaces(y)
        self.y, self.fold, self.options = y, fold, options
        self.fold_sizes = np.bincount(fold)
        # The columns of each fold are padded to full vectors; the padding repeats column 0, and
        # its votes are not counted.
        padded = -(-self.fold_sizes // smo.LANES) * smo.LANES
        self._query_starts = np.concatenate([[0], np.cumsum(padded)])
        self._columns = np.zeros(self._query_starts[-1], dtype=np.int64)
        self._is_query = np.zeros(len(self._columns), dtype=bool)
        starts = self._query_starts[:-1]
        for q, (start, size) in enumerate(zip(starts, self.fold_sizes, strict=True)):
            self._columns[start : start + size] = np.flatnonzero(fold == q)
            self._is_query[start : start + size] = True

    def count_correct(
        self, gram: FloatArray, folds: IntArray, n_C: int
    ) -> tuple[IntArray, IntArray]:
        """Count correct validation predictions and unfinished problems for the n_C smallest C.

        Parameters
        ----------
        gram : (n, n), for which `invalid_reason` is None
        folds : numbers of the folds to evaluate
        n_C : how many values of C, from the smallest

        Returns
        -------
        n_correct, unfinished : (n_C, len(folds))
        """
        n_classes = int(self.y[-1]) + 1
        votes = np.zeros((n_C, n_classes, len(self._columns)), dtype=np.int32)
        unfinished = np.zeros((n_C, len(self.fold_sizes)), dtype=np.int64)
        limit = current_deadline()
        with self._workspaces.borrow(len(self._columns)) as (query, buffers):
            # Without a mode NumPy would copy the result.
            np.take(gram, self._columns, axis=1, out=query, mode="clip")
            one_vs_one.cross_validate(
                gram,
                np.searchsorted(self.y, np.arange(n_classes + 1)),
                self.fold,
                folds,
                np.array(self.options.C[:n_C]),
                query,
                self._query_starts,
                self.options.tolerance,
                self.options.max_iterations,
                limit.stop,
                buffers,
                votes,
                unfinished,
            )
        limit.check()
        correct = (one_vs_one.predict_from_votes(votes) == self.y[self._columns]) & self._is_query
        n_correct = np.add.reduceat(correct, self._query_starts[:-1], axis=1, dtype=np.int64)
        return n_correct[:, folds], unfinished[:, folds]


class RepeatedCrossValidation:
    """Several cross-validations of a training set, each with as many folds of its own.

    The folds are numbered through, those of the first cross-validation first.

    Parameters
    ----------
    y : (n,) ascending class codes 0, 1, ...
    folds : sequence of (n,) arrays, as for `CrossValidation`
    options : SVCOptions

    Raises
    ------
    InputError
        As for `check_size`.
    """

    def __init__(self, y: IntArray, folds: Sequence[IntArray], options: SVCOptions) -> None:
        self._workspaces = _Workspaces(y)
        self._validations = [CrossValidation(y, fold, options, self._workspaces) for fold in folds]
        self.options, self.n_repeats = options, len(folds)
        self.fold_sizes = np.concatenate([each.fold_sizes for each in self._validations])

    def count_correct(
        self, gram: FloatArray, folds: IntArray, n_C: int
    ) -> tuple[IntArray, IntArray]:
        """Count correct predictions and unfinished problems, as `CrossValidation` does."""
        n_folds = len(self.fold_sizes) // self.n_repeats
        counts = [
            validation.count_correct(gram, folds[folds // n_folds == repeat] % n_folds, n_C)
            for repeat, validation in enumerate(self._validations)
            if (folds // n_folds == repeat).any()
        ]
        n_correct, unfinished = (np.concatenate(each, axis=1) for each in zip(*counts, strict=True))
        return n_correct, unfinished

    def free_memory(self) -> None:
        """Free the large arrays that are kept from one Gram to the next."""
        self._workspaces.free()


@dataclass(frozen=True)
class OneVsOneSVC:
    """Trained binary SVMs for all pairs of classes (a, b), a < b: (0, 1), (0, 2), .., (1, 2), ..

    Attributes
    ----------
    coefficients : (n_pairs, n) dual coefficients y alpha of the training series
    biases : (n_pairs,)
    n_classes : int
    unfinished : number of problems that stopped at the limit of iterations
    """

    coefficients: FloatArray
    biases: FloatArray
    n_classes: int
    unfinished: int = 0

    @classmethod
    def train(
        cls,
        gram: FloatArray,
        y: IntArray,
        C: float,
        options: SVCOptions,
        held_out: BoolArray | None = None,
    ) -> Self:
        """Train on a set sorted by class, for each C of the options' grid up to the given C.

        Parameters
        ----------
        gram : (n, n), for which `invalid_reason` is None
        y : (n,) ascending class codes 0, 1, ...
        C : a value of the options' grid
        held_out : (n,) series to leave out; a class without other series loses to all other classes

        Raises
        ------
        InputError
            As for `check_size`.
        """
        check_size(y)
        n_classes = int(y[-1]) + 1
        n_pairs = n_classes * (n_classes - 1) // 2
        coefficients, biases = np.zeros((n_pairs, len(y))), np.zeros(n_pairs)
        limit = current_deadline()
        unfinished = one_vs_one.train(
            gram,
            np.searchsorted(y, np.arange(n_classes + 1)),
            np.zeros(len(y), dtype=bool) if held_out is None else held_out,
            np.array(options.C[: options.C.index(C) + 1]),
            options.tolerance,
            options.max_iterations,
            limit.stop,
            one_vs_one.pair_buffers(y),
            coefficients,
            biases,
        )
        limit.check()
        return cls(coefficients, biases, n_classes, int(unfinished))

    def decision_values(self, query: FloatArray) -> FloatArray:
        """Decision values (n_pairs, n_query), > 0 for the first class of a pair.

        `query` (n, n_query) is the kernel of the training series with the series to classify.
        """
        values: FloatArray = one_vs_one.decision_values(
            self.coefficients, self.biases, np.ascontiguousarray(query)
        )
        return values

    def predicted_classes(self, decisions: FloatArray) -> IntArray:
        """Class codes (n_query,) with the most votes; ties go to the first class, as in LIBSVM."""
        classes: IntArray = one_vs_one.predict_from_votes(
            _count_votes(decisions, self.n_classes)[None]
        )[0]
        return classes

    def one_vs_rest_scores(self, decisions: FloatArray) -> FloatArray:
        """Scores (n_query, n_classes), the largest for the predicted class unless votes tie.

        As in scikit-learn's `SVC`: the number of votes, plus the sum of the decision values for
        the class scaled to less than 1/3.
        """
        total = np.zeros((self.n_classes, decisions.shape[1]))
        for (a, b), decision in zip(_pairs(self.n_classes), decisions, strict=True):
            total[a] += decision
            total[b] -= decision
        votes = _count_votes(decisions, self.n_classes)
        return np.asarray((votes + total / (3.0 * (np.abs(total) + 1.0))).T)


def held_out_decision_values(
    gram: FloatArray, y: IntArray, fold: IntArray, C: float, options: SVCOptions
) -> FloatArray:
    """Decision values (n_pairs, n) on each series by the SVMs trained without its fold."""
    n_classes = int(y[-1]) + 1
    decisions = np.empty((n_classes * (n_classes - 1) // 2, len(y)))
    for q in np.unique(fold):
        held_out = fold == q
        svc = OneVsOneSVC.train(gram, y, C, options, held_out)
        decisions[:, held_out] = svc.decision_values(gram[:, held_out])
    return decisions


def classify(
    gram: FloatArray, y: IntArray, query: FloatArray, C: float, options: SVCOptions
) -> tuple[IntArray, int]:
    """Train on a whole set, sorted by class, and classify other series.

    Parameters
    ----------
    gram : (n, n), for which `invalid_reason` is None
    y : (n,) ascending class codes
    query : (n, n_query) kernel of the training series with the series to classify
    C : a value of the options' grid

    Returns
    -------
    predictions : (n_query,) class codes
    unfinished : number of problems that stopped at the limit of iterations
    """
    svc = OneVsOneSVC.train(gram, y, C, options)
    return svc.predicted_classes(svc.decision_values(query)), svc.unfinished


def _pairs(n_classes: int) -> list[tuple[int, int]]:
    return list(combinations(range(n_classes), 2))


def _count_votes(decisions: FloatArray, n_classes: int) -> NDArray[np.int32]:
    """Votes (n_classes, n_query) of decision values (n_pairs, n_query)."""
    votes = np.zeros((n_classes, decisions.shape[1]), dtype=np.int32)
    for (a, b), decision in zip(_pairs(n_classes), decisions, strict=True):
        votes[a] += decision > 0.0
        votes[b] += decision <= 0.0
    return votes
