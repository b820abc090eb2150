"""Tests the networks of a cross-validation: that of each fold, and the ensemble of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from rntk_bench.benchmark.evaluation import Problem
from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.early_stopping import NetworkChoice
from rntk_bench.networks.models import Parameters
from rntk_bench.networks.pool import Setting, classify, train_final_network
from rntk_bench.networks.series import pad_series

Logits = NDArray[np.float32]


class Tested(NamedTuple):
    """Test predictions of the networks of the chosen setting's folds.

    Attributes
    ----------
    folds : list of (n_test,) predictions, or None
        None for a fold without a network, whose training diverged in the first epoch, or whose
        outputs overflow.
    ensemble : (n_test,) predictions, or None
        By the mean of the networks' probabilities.
    """

    folds: list[NDArray[np.int64] | None]
    ensemble: NDArray[np.int64] | None

    @classmethod
    def of(cls, logits: Sequence[Logits | None]) -> Tested:
        """From each fold's logits (n_test, n_classes), None for a fold without them."""
        known = [softmax(z.astype(np.float64), axis=1) for z in logits if z is not None]
        return cls(
            [None if z is None else z.argmax(axis=1) for z in logits],
            np.mean(known, axis=0).argmax(axis=1) if known else None,
        )

    def correct(self, y: NDArray[np.int64]) -> dict[str, Any]:
        """Correct predictions of each fold's network and of the ensemble, for the record."""

        def count(predictions: NDArray[np.int64] | None) -> int | None:
            return None if predictions is None else int((predictions == y).sum())

        return {
            "fold_correct": [count(predictions) for predictions in self.folds],
            "ensemble_correct": count(self.ensemble),
        }


def classify_test(
    problem: Problem, setting: Setting, weights: Sequence[Parameters | None]
) -> Tested:
    """Test the networks of a setting, given by their weights or None for a fold without one."""
    dataset = problem.dataset
    test = pad_series(problem.X_test, dataset.y_test, dataset.n_classes)
    known = {fold: network for fold, network in enumerate(weights) if network is not None}
    logits = classify(setting[0], list(known.values()), test, dataset.n_test)
    by_fold = dict(zip(known, logits, strict=True))
    return Tested.of([by_fold.get(fold) for fold in range(len(weights))])


def classify_retrained(
    problem: Problem,
    training: Training,
    setting: Setting,
    choice: NetworkChoice,
    warnings: list[str],
) -> NDArray[np.int64] | None:
    """Test predictions (n_test,) of a network that is trained on the whole training set.

    None if its outputs overflow. If its training diverges, a warning is appended to `warnings`.
    """
    final = train_final_network(training, setting, choice.n_epochs)
    if final.diverged:
        warnings.append(
            f"The final training diverged in epoch {final.epochs + 1} of {choice.n_epochs}; "
            "what it was before is tested."
        )
    return classify_test(problem, setting, [final.weights]).folds[0]
