"""Choosing a kernel's parameters and C by cross-validation, with exact comparisons.

Mean accuracies are compared as integers over a common denominator, so that rounding can neither
create nor break a tie. Pruning skips only folds that cannot change the choice, and what a search
reports does not depend on the order in which settings were evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from rntk_bench.svm.folds import fold_weights
from rntk_bench.svm.gram_check import VANISHES, invalid_reason
from rntk_bench.svm.gram_scale import gram_divisor
from rntk_bench.svm.svc import CrossValidation, RepeatedCrossValidation
from rntk_bench.types import BoolArray, FloatArray, IntArray

NOT_EVALUATED = -1


@dataclass(frozen=True)
class Choice:
    """The chosen setting and C, as positions in the grid."""

    setting: int
    C: int
    ties: int
    """Number of pairs of setting and C with the best mean accuracy, including the chosen pair."""
    accuracy: float
    by_default: bool = False
    """Whether all usable pairs tie, so that the default was taken."""


def undecided_message(what: str, accuracy: float) -> str:
    """Say that all candidates (`what`) have the same accuracy and the default was taken."""
    return (
        f"Cross-validation cannot choose: all {what} have the accuracy {100 * accuracy:.2f} %; "
        "the method's default setting is taken, or the first where that cannot be used."
    )


@dataclass(frozen=True)
class PartialResult:
    """The results of some settings, which another search of the same grid can merge."""

    settings: list[int]
    n_correct: IntArray
    """(len(settings), n_C, n_folds)"""
    unfinished: IntArray
    """(len(settings), n_C, n_folds)"""
    invalid_reasons: dict[int, str]
    best: int
    """Highest score that the search knew of."""


class Search:
    """Evaluates settings, in any order and from several threads, and chooses one.

    Parameters
    ----------
    validation : CrossValidation or RepeatedCrossValidation
    n_settings : size of the grid
    prune : whether to skip folds that cannot change the choice
    best : a score that another search of the same grid has reached
    gram_scale : what Grams are divided by, see `gram_divisor`
    """

    def __init__(
        self,
        validation: CrossValidation | RepeatedCrossValidation,
        n_settings: int,
        prune: bool = True,
        best: int = 0,
        gram_scale: str = "none",
    ) -> None:
        self.validation, self.prune, self.gram_scale = validation, prune, gram_scale
        sizes = validation.fold_sizes
        n_C, n_folds = len(validation.options.C), len(sizes)
        self._weights, self._max_score = fold_weights(sizes)
        repeats = np.split(np.arange(n_folds), validation.n_repeats)
        batches = [b for folds in repeats for b in np.array_split(folds, 3 if prune else 1)]
        self._batches = [batch for batch in batches if len(batch)]
        self._n_correct = np.full((n_settings, n_C, n_folds), NOT_EVALUATED, dtype=np.int64)
        self._unfinished = np.zeros_like(self._n_correct)
        self.invalid_reasons: dict[int, str] = {}
        """Why the Grams of some settings are unusable."""
        self._best = best
        self._lock = Lock()

    @property
    def best_accuracy(self) -> float:
        """Best mean validation accuracy so far."""
        return self._best / self._max_score

    def evaluate(self, setting: int, gram: FloatArray) -> None:
        """Cross-validate one setting's Gram (n, n) for every C."""
        reason = invalid_reason(gram)
        if reason is None and self.gram_scale != "none":
            divisor = gram_divisor(gram, self.gram_scale)
            if divisor > 0.0:
                gram = gram / divisor
            else:
                reason = VANISHES
        if reason is not None:
            self.invalid_reasons[setting] = reason
            return
        n_correct = self._n_correct[setting]
        for batch in self._batches:
            n_C = self._n_candidates(n_correct, self._best)
            if n_C == 0:
                return
            n_correct[:n_C, batch], unfinished = self.validation.count_correct(gram, batch, n_C)
            self._unfinished[setting, :n_C, batch] = unfinished.T
        complete = (n_correct != NOT_EVALUATED).all(axis=1)
        score = int((n_correct[complete] @ self._weights).max(initial=0))
        with self._lock:
            self._best = max(self._best, score)

    def partial_result(self, settings: list[int]) -> PartialResult:
        """The results of these settings so far."""
        return PartialResult(
            settings,
            self._n_correct[settings],
            self._unfinished[settings],
            {i: self.invalid_reasons[i] for i in settings if i in self.invalid_reasons},
            self._best,
        )

    def merge(self, partial: PartialResult) -> None:
        """Add the results of another search of the same grid."""
        self._n_correct[partial.settings] = partial.n_correct
        self._unfinished[partial.settings] = partial.unfinished
        self.invalid_reasons.update(partial.invalid_reasons)
        self._best = max(self._best, partial.best)

    def choose(self, default: int | None = None) -> Choice:
        """Choose the best mean accuracy; ties go to the smallest C, then to the first setting.

        If all usable settings tie for every C, there is no evidence for any of them: then the
        setting `default`, if it is given and usable, is taken with the middle C.

        Raises
        ------
        ValueError
            If no setting was usable.
        """
        n_correct = self.n_correct
        complete = (n_correct != NOT_EVALUATED).all(axis=2)
        if not complete.any():
            raise ValueError("no setting was usable")
        scores = np.where(complete, n_correct @ self._weights, NOT_EVALUATED)
        best = scores.max()
        n_settings, n_C = scores.shape
        ties = np.argwhere(best <= scores.T)  # sorted by C, then by setting
        C, setting = (int(position) for position in ties[0])
        accuracy = int(best) / self._max_score
        all_tie = 1 < len(ties) == n_C * (n_settings - len(self.invalid_reasons))
        if default is None or not all_tie:
            return Choice(setting, C, len(ties), accuracy)
        setting = setting if default in self.invalid_reasons else default
        return Choice(setting, (n_C - 1) // 2, len(ties), accuracy, by_default=True)

    @property
    def n_correct(self) -> IntArray:
        """Correct predictions (n_settings, n_C, n_folds), NOT_EVALUATED where not needed.

        With pruning, "needed" is decided by the final best accuracy. While the search ran, the
        best so far was lower, so everything needed was evaluated; what was evaluated beyond that
        depends on the order of evaluation and is left out.
        """
        return np.where(self._needed(), self._n_correct, NOT_EVALUATED)

    def needed_fraction(self, settings: list[int]) -> float:
        """The fraction of the evaluated folds of these settings that the final best needs."""
        evaluated = int((self._n_correct[settings] != NOT_EVALUATED).sum())
        return int((self.n_correct[settings] != NOT_EVALUATED).sum()) / max(evaluated, 1)

    @property
    def unfinished_settings(self) -> int:
        """Number of settings in which a needed problem stopped at the limit of iterations."""
        return int((self._unfinished * self._needed() > 0).any(axis=(1, 2)).sum())

    def _needed(self) -> BoolArray:
        """Repeat the pruning of every setting with the final best score."""
        needed = np.zeros(self._n_correct.shape, dtype=bool)
        for setting in range(len(self._n_correct)):
            if setting in self.invalid_reasons:
                continue
            evaluated = np.full(self._n_correct.shape[1:], NOT_EVALUATED)
            for batch in self._batches:
                n_C = self._n_candidates(evaluated, self._best)
                evaluated[:n_C, batch] = self._n_correct[setting, :n_C, batch].T
                needed[setting, :n_C, batch] = True
        return needed

    def _n_candidates(self, n_correct: IntArray, best: int) -> int:
        """How many C, from the smallest, to continue with: up to the last that can reach `best`.

        A smaller C that cannot reach it is solved nevertheless, since the solver starts each C
        from the solution of the one before.
        """
        if not self.prune:
            return len(n_correct)
        # Folds that were not evaluated count as all correct. A C that was pruned at an earlier
        # batch keeps the upper bound by which it was pruned.
        upper_bound = np.where(n_correct == NOT_EVALUATED, self.validation.fold_sizes, n_correct)
        candidates = np.flatnonzero(upper_bound @ self._weights >= best)
        return int(candidates[-1]) + 1 if len(candidates) else 0
