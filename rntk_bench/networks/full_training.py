"""Training without early stopping, evaluated after each epoch on a second held-out set."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from rntk_bench.networks.compiled.runs import NetworkInTraining
from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.models import Classifier
from rntk_bench.networks.series import PaddedSeries


class FullCurve(NamedTuple):
    """The course of a run until its last epoch, or until training diverges.

    Attributes
    ----------
    n_correct, losses : list
        The number of correct predictions and the mean loss on the validation set, after each epoch.
    n_correct_evaluation : list of int
        The number of correct predictions on the evaluation set, after each epoch.
    seconds : float
    """

    n_correct: list[int]
    losses: list[float]
    n_correct_evaluation: list[int]
    seconds: float


def train_all_epochs(
    training: Training,
    network: Classifier,
    fold: int,
    rate: float,
    evaluation: PaddedSeries,
    n_evaluation: int,
) -> FullCurve:
    """Train with one fold held out for validation, without stopping early.

    The evaluation set is the first `n_evaluation` of the series `evaluation`.
    """
    start = time.perf_counter()
    curve = FullCurve([], [], [], 0.0)
    trained = NetworkInTraining(
        network,
        training.initial(network, fold),
        training.options,
        training.series,
        training.run(fold, rate),
    )
    while trained.epochs < training.max_epochs:
        result = trained.train_epoch()
        if result is None:
            break
        curve.n_correct.append(result[0])
        curve.losses.append(float(np.nan_to_num(result[1])))
        curve.n_correct_evaluation.append(trained.count_correct(evaluation, n_evaluation))
    return curve._replace(seconds=round(time.perf_counter() - start, 4))
