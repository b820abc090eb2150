"""Training without early stopping, evaluated after each epoch on a second held-out set."""

from __future__ import annotations

import time
from typing import NamedTuple

import jax
import numpy as np

from rntk_bench.networks.cross_validation import Training
from rntk_bench.networks.models import Classifier
from rntk_bench.networks.series import PaddedSeries, chunks
from rntk_bench.networks.training import advance_one, logits_of, start_one


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
    classifier: Classifier,
    fold: int,
    rate: float,
    evaluation: PaddedSeries,
    n_evaluation: int,
) -> FullCurve:
    """Train with one fold held out for validation, without stopping early.

    The evaluation set is the first `n_evaluation` of the series `evaluation`.
    """
    start_time = time.perf_counter()
    options = training.options._replace(patience=training.max_epochs, criterion="accuracy")
    run, series, evaluation = jax.device_put(
        (training.run(fold, rate), training.series, evaluation)
    )
    rows, n_chunks = chunks(np.arange(n_evaluation))
    initial = training.initial(classifier, fold)
    state = start_one(options, initial, training.max_epochs)
    n_correct_evaluation = []
    for epoch in range(1, training.max_epochs + 1):
        state = advance_one(classifier, options, state, series, run, epoch)
        if int(state.epochs) < epoch:
            break
        logits = [
            logits_of(classifier, state.parameters, evaluation, chunk) for chunk in rows[:n_chunks]
        ]
        predictions = np.concatenate(logits)[:n_evaluation].argmax(axis=1)
        n_correct_evaluation.append(int((predictions == evaluation.y[:n_evaluation]).sum()))
    n_epochs = len(n_correct_evaluation)
    return FullCurve(
        np.asarray(state.n_correct)[:n_epochs].tolist(),
        np.nan_to_num(state.losses)[:n_epochs].tolist(),
        n_correct_evaluation,
        round(time.perf_counter() - start_time, 4),
    )
