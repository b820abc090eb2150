"""Choosing a setting by the validation curves of early-stopped training, exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rntk_bench.svm.folds import fold_weights

IntArray = NDArray[np.int64]

NO_EPOCH = -1


class EarlyStopping:
    """When a run stops and which of its epochs is the best, told of one epoch after the other.

    Parameters
    ----------
    n_held_out : series of the validation
    patience, criterion : as in `config.Network`

    Attributes
    ----------
    epochs, best_epoch : int
        How many there were, and the best (from 1; 0 is none).
    is_over : bool
    """

    def __init__(self, n_held_out: int, patience: int, criterion: str) -> None:
        self._n_held_out, self._patience, self._criterion = n_held_out, patience, criterion
        self._most, self._least, self._setbacks = -1, math.inf, 0
        self.epochs = self.best_epoch = 0
        self.is_over = False

    def add(self, n_correct: int, loss: float) -> bool:
        """Take right validation predictions and validation loss of one more epoch; whether it is
        the best so far."""
        self.epochs += 1
        strict = self._criterion == "strict-accuracy"
        if self._criterion == "accuracy":
            better = (n_correct, -loss) > (self._most, -self._least)
            setback = n_correct < self._most
        else:
            better = n_correct > self._most if strict else loss < self._least or not self.best_epoch
            setback = not better
        if better:
            self.best_epoch, self._most, self._least = self.epochs, n_correct, loss
        self._setbacks = self._setbacks + 1 if setback else 0
        all_right = strict and self._most == self._n_held_out
        self.is_over = self._setbacks >= self._patience or all_right
        return better


def stopped(
    n_correct: Sequence[int],
    losses: Sequence[float],
    n_held_out: int,
    patience: int,
    criterion: str,
) -> tuple[int, int]:
    """How many epochs of a run that was not stopped `EarlyStopping` trains, and the best one."""
    stopping = EarlyStopping(n_held_out, patience, criterion)
    for epoch in zip(n_correct, losses, strict=True):
        stopping.add(*epoch)
        if stopping.is_over:
            break
    return stopping.epochs, stopping.best_epoch


@dataclass(frozen=True)
class NetworkChoice:
    """The chosen setting, by position, and how it was reached."""

    setting: int
    ties: int
    """Settings that share the best mean accuracy, the chosen one included."""
    accuracy: float
    best_epochs: list[int]
    """The best epoch of each fold, from 1; 0 where training diverged in its first."""
    best_fold: int
    """The fold with the best validation accuracy, of equal ones the smaller loss, then the
    first."""
    n_epochs: int
    """For how many epochs to train on everything: the mean of the best, half an epoch up."""
    by_default: bool = False
    """Whether all settings tie, so that cross-validation chose nothing."""


class NetworkSearch:
    """Collects curves and chooses a setting by the mean of its folds' best accuracies.

    With pruning, a setting that could not reach the best mean even with every remaining
    prediction right needs no more folds. What is reported does not depend on the order in which
    runs came, if each setting's folds came in theirs.

    Parameters
    ----------
    fold_sizes : (n_folds,)
    n_settings : int
    prune : bool
    """

    def __init__(self, fold_sizes: IntArray, n_settings: int, prune: bool = True) -> None:
        self.fold_sizes, self.prune = fold_sizes, prune
        self._weights, self._full = fold_weights(fold_sizes)
        self._curves: dict[tuple[int, int], list[int]] = {}
        self._best_epochs: dict[tuple[int, int], int] = {}
        self._losses: dict[tuple[int, int], float] = {}
        self._scores = np.zeros((n_settings, len(fold_sizes)), dtype=np.int64)

    def add(
        self,
        setting: int,
        fold: int,
        curve: Sequence[int],
        best_epoch: int | None = None,
        loss: float = 0.0,
    ) -> None:
        """Take the right predictions after each epoch of one run, none if its first diverged, its
        best epoch (from 1; the first with the most if None) and the validation loss there."""
        task = setting, fold
        self._curves[task], self._losses[task] = list(curve), loss
        if best_epoch is None:
            best_epoch = self._curves[task].index(max(curve)) + 1 if curve else 0
        self._best_epochs[task] = best_epoch
        best = curve[best_epoch - 1] if best_epoch else 0
        self._scores[task] = best * self._weights[fold]

    @property
    def best_accuracy(self) -> float:
        """Best mean validation accuracy so far."""
        return self._best / self._full

    def upper_bound(self, setting: int, fold: int) -> int | None:
        """The highest score that a setting can have by its folds before this one; None if that
        is below the best, so that the fold is not needed."""
        score = self._highest(setting, fold)
        return score if score >= self._best or not self.prune else None

    def may_be_chosen(self, setting: int) -> bool:
        """Whether a setting can still be as good as the best, by all of its folds."""
        return self._highest(setting, len(self.fold_sizes)) >= self._best

    @property
    def best_epochs(self) -> IntArray:
        """Best epochs (n_settings, n_folds) of the runs that the choice needs, NO_EPOCH of the
        others."""
        epochs = np.full(self._scores.shape, NO_EPOCH, dtype=np.int64)
        for task, epoch in self._best_epochs.items():
            epochs[task] = epoch
        return np.where(self.needed, epochs, NO_EPOCH)

    @property
    def needed(self) -> NDArray[np.bool_]:
        """Which runs (n_settings, n_folds) the choice needs."""
        settings, folds = map(range, self._scores.shape)
        return np.array([[self.upper_bound(s, q) is not None for q in folds] for s in settings])

    @property
    def n_correct(self) -> IntArray:
        """Right predictions (n_settings, n_folds, E) of the runs that the choice needs, NO_EPOCH
        after a run's last epoch."""
        needed = self.needed
        curves = {task: curve for task, curve in self._curves.items() if needed[task]}
        longest = max(map(len, curves.values()), default=0)
        n_correct = np.full((*self._scores.shape, max(longest, 1)), NO_EPOCH, dtype=np.int64)
        for task, curve in curves.items():
            n_correct[task][: len(curve)] = curve
        return n_correct

    def choose(self, default: int | None = None, max_epochs: int | None = None) -> NetworkChoice:
        """The best mean of the folds' best accuracies; ties go to the first setting.

        Where all settings that trained tie there is no evidence for any: then the setting
        `default`, if it is given and trained, is taken. Where no series that was held out was ever
        right no epoch is the best either: then the epochs are `max_epochs`, if it is given.

        Raises
        ------
        ValueError
            If no run has a single epoch.
        """
        if not any(self._curves.values()):
            raise ValueError("no run finished an epoch")
        scores = np.where(self.needed.all(axis=1), self._scores.sum(axis=1), NO_EPOCH)
        # A setting without any epoch scores nothing, and could not be trained on everything.
        trained = {setting for (setting, _), curve in self._curves.items() if curve}
        scores[[setting for setting in range(len(scores)) if setting not in trained]] = NO_EPOCH
        best = int(scores.max())
        setting, ties = int(scores.argmax()), int((scores == best).sum())
        by_default = default is not None and 1 < ties == len(trained)
        if default in trained and by_default:
            setting = default
        tasks = [(setting, fold) for fold in range(len(self.fold_sizes))]
        best_epochs = [self._best_epochs[task] for task in tasks]
        counted = [epoch for epoch in best_epochs if epoch]
        n_epochs = (2 * sum(counted) + len(counted)) // (2 * len(counted))
        return NetworkChoice(
            setting,
            ties=ties,
            accuracy=best / self._full,
            best_epochs=best_epochs,
            best_fold=max(
                range(len(tasks)),
                key=lambda fold: (
                    best_epochs[fold] > 0,
                    self._scores[setting, fold],
                    -self._losses[setting, fold],
                ),
            ),
            n_epochs=n_epochs if best or max_epochs is None else max_epochs,
            by_default=by_default,
        )

    def _highest(self, setting: int, n_folds: int) -> int:
        """The highest score that a setting can have by its first folds."""
        known = [q for q in range(n_folds) if (setting, q) in self._curves]
        highest = self._weights * self.fold_sizes
        highest[known] = self._scores[setting, known]
        return int(highest.sum())

    @property
    def _best(self) -> int:
        return int(self._scores.sum(axis=1).max())
