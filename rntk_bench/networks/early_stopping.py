"""Early stopping, and the exact choice of a setting by validation curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rntk_bench.svm.folds import fold_weights
from rntk_bench.types import BoolArray, IntArray

NO_EPOCH = -1


def compare_epoch(
    n_correct: Any, loss: Any, most_correct: Any, smallest_loss: Any, criterion: str
) -> tuple[Any, Any]:
    """Whether an epoch is better than the best one before, and whether it is a setback.

    The arguments are numbers, or arrays that JAX traces.

    Parameters
    ----------
    n_correct, loss
        The number of correct validation predictions of the epoch, and the validation loss.
    most_correct, smallest_loss
        Those of the best epoch before; NO_EPOCH and infinity if there is none.
    criterion : str
        As in `config.Network`.
    """
    match criterion:
        case "accuracy":
            equal = n_correct == most_correct
            better = (n_correct > most_correct) | (equal & (loss < smallest_loss))
            return better, n_correct < most_correct
        case "strict-accuracy":
            better = n_correct > most_correct
        case "loss":
            better = (loss < smallest_loss) | (most_correct == NO_EPOCH)
        case _:
            raise ValueError(f"unknown criterion {criterion!r}")
    return better, better ^ True


def is_over(
    setbacks: Any, most_correct: Any, n_held_out: Any, patience: int, criterion: str
) -> Any:
    """Whether a run stops after so many setbacks in a row; never without a validation set."""
    over = setbacks >= patience
    if criterion == "strict-accuracy":  # no epoch can be better than a perfect one
        over |= most_correct == n_held_out
    return over & (n_held_out > 0)


class EarlyStopping:
    """Decides when a run stops, and which of its epochs is the best.

    Parameters
    ----------
    n_held_out : int
        The number of series in the validation set.
    patience, criterion
        As in `config.Network`.

    Attributes
    ----------
    epochs : int
        The number of epochs so far.
    best_epoch : int
        The best epoch, from 1; 0 before the first epoch.
    is_over : bool
        Whether the run stops.
    """

    def __init__(self, n_held_out: int, patience: int, criterion: str) -> None:
        self._n_held_out, self._patience, self._criterion = n_held_out, patience, criterion
        self._most_correct, self._smallest_loss, self._setbacks = NO_EPOCH, math.inf, 0
        self.epochs = self.best_epoch = 0
        self.is_over = False

    def add(self, n_correct: int, loss: float) -> bool:
        """Add an epoch with its number of correct validation predictions and validation loss.

        Returns
        -------
        bool
            Whether it is the best epoch so far.
        """
        self.epochs += 1
        better, setback = compare_epoch(
            n_correct, loss, self._most_correct, self._smallest_loss, self._criterion
        )
        if better:
            self.best_epoch, self._most_correct, self._smallest_loss = self.epochs, n_correct, loss
        self._setbacks = self._setbacks + 1 if setback else 0
        self.is_over = is_over(
            self._setbacks, self._most_correct, self._n_held_out, self._patience, self._criterion
        )
        return bool(better)


def stopped_epochs(
    n_correct: Sequence[int],
    losses: Sequence[float],
    n_held_out: int,
    patience: int,
    criterion: str,
) -> tuple[int, int]:
    """After how many epochs a run would have been stopped, and the best of these epochs."""
    stopping = EarlyStopping(n_held_out, patience, criterion)
    for epoch_correct, epoch_loss in zip(n_correct, losses, strict=True):
        stopping.add(epoch_correct, epoch_loss)
        if stopping.is_over:
            break
    return stopping.epochs, stopping.best_epoch


@dataclass(frozen=True)
class NetworkChoice:
    """The setting that was chosen by cross-validation.

    Attributes
    ----------
    setting : int
        Its index.
    ties : int
        The number of settings with the best mean accuracy, including the chosen one.
    accuracy : float
    best_epochs : list of int
        The best epoch of each fold, from 1; 0 if training diverged in the first epoch.
    best_fold : int
        The fold with the best validation accuracy, then the smaller loss, then the lower index.
    n_epochs : int
        The number of epochs for training on the whole training set: the mean of the best epochs,
        halves rounded up.
    by_default : bool
        Whether all settings tie, so that the default setting was taken.
    """

    setting: int
    ties: int
    accuracy: float
    best_epochs: list[int]
    best_fold: int
    n_epochs: int
    by_default: bool = False


class NetworkSearch:
    """Collects validation curves and chooses the setting with the best mean accuracy over folds.

    The accuracy of a fold is that of its best epoch. With pruning, a setting needs no more folds
    when it could not reach the best mean even if all remaining predictions were correct. The result
    does not depend on the order of the runs, provided that the folds of each setting are added in
    order.

    Parameters
    ----------
    fold_sizes : (n_folds,) ndarray of int
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
        """Add the validation curve of one run.

        Parameters
        ----------
        curve : sequence of int
            The number of correct predictions after each epoch; empty if the first diverged.
        best_epoch : int, optional
            The best epoch, from 1. By default it is the first with the most correct predictions.
        loss : float
            The validation loss after the best epoch.
        """
        task = setting, fold
        self._curves[task], self._losses[task] = list(curve), loss
        if best_epoch is None:
            best_epoch = self._curves[task].index(max(curve)) + 1 if curve else 0
        self._best_epochs[task] = best_epoch
        best = curve[best_epoch - 1] if best_epoch else 0
        self._scores[task] = best * self._weights[fold]

    @property
    def best_accuracy(self) -> float:
        """The best mean validation accuracy so far."""
        return self._best / self._full

    def upper_bound(self, setting: int, fold: int) -> int | None:
        """The highest score that a setting can have, given its folds before this one.

        It is None if that is below the best score, so that the fold is not needed.
        """
        score = self._highest_score(setting, fold)
        return score if score >= self._best or not self.prune else None

    def may_be_chosen(self, setting: int) -> bool:
        """Whether a setting can still be as good as the best, given all of its folds so far."""
        return self._highest_score(setting, len(self.fold_sizes)) >= self._best

    @property
    def best_epochs(self) -> IntArray:
        """The best epochs (n_settings, n_folds) of the runs that are needed, else NO_EPOCH."""
        epochs = np.full(self._scores.shape, NO_EPOCH, dtype=np.int64)
        for task, epoch in self._best_epochs.items():
            epochs[task] = epoch
        return np.where(self.needed, epochs, NO_EPOCH)

    @property
    def needed(self) -> BoolArray:
        """Whether each run (n_settings, n_folds) is needed for the choice."""
        settings, folds = map(range, self._scores.shape)
        return np.array([[self.upper_bound(s, q) is not None for q in folds] for s in settings])

    @property
    def n_correct(self) -> IntArray:
        """The curves (n_settings, n_folds, E) of the runs that are needed, padded with NO_EPOCH."""
        needed = self.needed
        curves = {task: curve for task, curve in self._curves.items() if needed[task]}
        longest = max(map(len, curves.values()), default=0)
        result = np.full((*self._scores.shape, max(longest, 1)), NO_EPOCH, dtype=np.int64)
        for task, curve in curves.items():
            result[task][: len(curve)] = curve
        return result

    def choose(self, default: int | None = None, max_epochs: int | None = None) -> NetworkChoice:
        """Choose the setting with the best mean accuracy; the first one wins a tie.

        Parameters
        ----------
        default : int, optional
            The setting to take if all settings that were trained tie.
        max_epochs : int, optional
            The number of epochs to take if no validation prediction was ever correct, so that no
            epoch is better than another.

        Raises
        ------
        ValueError
            If no run has finished an epoch.
        """
        if not any(self._curves.values()):
            raise ValueError("no run finished an epoch")
        scores = np.where(self.needed.all(axis=1), self._scores.sum(axis=1), NO_EPOCH)
        # A setting without any epoch cannot be chosen, as it could not be trained again.
        trained = {setting for (setting, _), curve in self._curves.items() if curve}
        scores[[setting for setting in range(len(scores)) if setting not in trained]] = NO_EPOCH
        best = int(scores.max())
        setting, ties = int(scores.argmax()), int((scores == best).sum())
        by_default = default is not None and 1 < ties == len(trained)
        if default in trained and by_default:
            setting = default
        tasks = [(setting, fold) for fold in range(len(self.fold_sizes))]
        best_epochs = [self._best_epochs[task] for task in tasks]
        finished = [epoch for epoch in best_epochs if epoch]
        mean_epoch = (2 * sum(finished) + len(finished)) // (2 * len(finished))
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
            n_epochs=mean_epoch if best or max_epochs is None else max_epochs,
            by_default=by_default,
        )

    def _highest_score(self, setting: int, n_folds: int) -> int:
        """The highest score that a setting can have, given its first folds."""
        known = [q for q in range(n_folds) if (setting, q) in self._curves]
        highest = self._weights * self.fold_sizes
        highest[known] = self._scores[setting, known]
        return int(highest.sum())

    @property
    def _best(self) -> int:
        return int(self._scores.sum(axis=1).max())
