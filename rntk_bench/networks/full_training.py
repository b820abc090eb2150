"""A run that is never stopped, with a second set held out beside the one that stops runs."""

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
    """After each epoch, until the last or until training diverges: right predictions and mean
    loss on the fold that stops runs, and right predictions on the one that judges them."""

    n_correct: list[int]
    losses: list[float]
    judged: list[int]
    seconds: float


def train_all_epochs(
    training: Training,
    classifier: Classifier,
    fold: int,
    rate: float,
    judging: PaddedSeries,
    n_judging: int,
) -> FullCurve:
    """Train with one fold of `training` held out; of `judging` the first series judge."""
    begun = time.perf_counter()
    options = training.options._replace(patience=training.max_epochs, criterion="accuracy")
    run, series, judging = jax.device_put((training.run(fold, rate), training.series, judging))
    rows, n_chunks = chunks(np.arange(n_judging))
    initial = training.initial(classifier, fold)
    fit = start_one(options, initial, training.max_epochs)
    judged = []
    for epoch in range(1, training.max_epochs + 1):
        fit = advance_one(classifier, options, fit, series, run, epoch)
        if int(fit.epochs) < epoch:
            break
        logits = [logits_of(classifier, fit.parameters, judging, part) for part in rows[:n_chunks]]
        predictions = np.concatenate(logits)[:n_judging].argmax(axis=1)
        judged.append(int((predictions == judging.y[:n_judging]).sum()))
    n = len(judged)
    return FullCurve(
        np.asarray(fit.n_correct)[:n].tolist(),
        np.nan_to_num(fit.losses)[:n].tolist(),
        judged,
        round(time.perf_counter() - begun, 4),
    )
