"""Training of recurrent classifiers by RMSProp with early stopping, in JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from rntk_bench.networks.accelerator.model import logits
from rntk_bench.networks.cross_validation import Run, TrainingOptions
from rntk_bench.networks.early_stopping import NO_EPOCH, compare_epoch, is_over
from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import PaddedSeries


class TrainingState(NamedTuple):
    """The state of a run after some epochs.

    Attributes
    ----------
    parameters
        After the last epoch in which all values were finite.
    optimizer_state
        The state of RMSProp at that time.
    epochs : ()
        The number of these epochs.
    n_correct : (E,)
        The number of correct validation predictions after each epoch; -1 is padding.
    losses : (E,)
        The validation loss after each epoch.
    best_epoch : ()
        The best epoch, from 1; 0 before the first epoch.
    best
        The parameters after the best epoch.
    setbacks : ()
        The number of setbacks in a row at the end.
    diverged : ()
        Whether an epoch was not finite.
    """

    parameters: Parameters
    optimizer_state: Any
    epochs: jax.Array
    n_correct: jax.Array
    losses: jax.Array
    best_epoch: jax.Array
    best: Parameters
    setbacks: jax.Array
    diverged: jax.Array


class Validation(NamedTuple):
    """The number of correct predictions and the mean cross-entropy on the validation set, and
    whether all logits are finite."""

    n_correct: jax.Array
    loss: jax.Array
    finite: jax.Array


def initial_state(options: TrainingOptions, initial: Parameters, n_epochs: int) -> TrainingState:
    """The state of a run before its first epoch; it can hold the results of `n_epochs` epochs."""
    initial, zero = jax.tree.map(jnp.asarray, initial), jnp.array(0, jnp.int32)
    return TrainingState(
        parameters=initial,
        optimizer_state=_optimizer(options, 0.0).init(initial),
        epochs=zero,
        n_correct=jnp.full(n_epochs, -1, jnp.int32),
        losses=jnp.zeros(n_epochs, jnp.float32),
        best_epoch=zero,
        best=initial,
        setbacks=zero,
        diverged=jnp.array(False),
    )


def advance(
    classifier: Classifier,
    options: TrainingOptions,
    state: TrainingState,
    series: PaddedSeries,
    run: Run,
    until: ArrayLike,
) -> TrainingState:
    """Train until the run ends or `until` epochs are done in all.

    A run ends after its `n_epochs`, when the stopping rule says so, or when it diverges. Under
    `jax.vmap`, the state of a run that has ended does not change.
    """
    optimizer = _optimizer(options, run.rate)
    batches, held_out = jnp.asarray(run.batches), jnp.asarray(run.held_out)
    n_held_out = (held_out >= 0).sum()

    def loss(parameters: Parameters, rows: jax.Array) -> jax.Array:
        losses = _losses(class_logits(classifier, parameters, series, rows), series, rows)
        return losses.sum() / (rows >= 0).sum()

    def step(
        rows: jax.Array, carry: tuple[Parameters, optax.OptState, jax.Array]
    ) -> tuple[Parameters, optax.OptState, jax.Array]:
        parameters, optimizer_state, finite = carry
        value, gradient = jax.value_and_grad(loss)(parameters, rows)
        updates, optimizer_state = optimizer.update(gradient, optimizer_state)
        parameters = optax.apply_updates(parameters, updates)
        return parameters, optimizer_state, finite & jnp.isfinite(value)

    def epoch(state: TrainingState) -> TrainingState:
        rows = batches[state.epochs]
        parameters, optimizer_state, finite = jax.lax.fori_loop(
            0,
            run.n_batches,
            lambda k, carry: step(rows[k], carry),
            (state.parameters, state.optimizer_state, _all_finite(state.parameters)),
        )
        validation = _validate(classifier, parameters, series, held_out, run.n_chunks)
        finite &= validation.finite & _all_finite(parameters)
        trained = state._replace(parameters=parameters, optimizer_state=optimizer_state)
        result: TrainingState = jax.tree.map(
            partial(jnp.where, finite),
            record_epoch(trained, validation, options.criterion),
            state._replace(diverged=jnp.array(True)),
        )
        return result

    def is_due(state: TrainingState) -> jax.Array:
        return should_continue(state, n_held_out, run.n_epochs, options) & (state.epochs < until)

    result: TrainingState = jax.lax.while_loop(is_due, epoch, state)
    return result


def record_epoch(state: TrainingState, validation: Validation, criterion: str) -> TrainingState:
    """Add an epoch to the state, which already has the parameters after it."""
    n_correct, loss = validation.n_correct, validation.loss
    first = state.best_epoch == 0
    best = state.best_epoch - 1
    most_correct = jnp.where(first, NO_EPOCH, state.n_correct[best])
    smallest_loss = jnp.where(first, jnp.inf, state.losses[best])
    better, setback = compare_epoch(n_correct, loss, most_correct, smallest_loss, criterion)
    return state._replace(
        epochs=state.epochs + 1,
        n_correct=state.n_correct.at[state.epochs].set(n_correct),
        losses=state.losses.at[state.epochs].set(loss),
        best_epoch=jnp.where(better, state.epochs + 1, state.best_epoch),
        best=jax.tree.map(partial(jnp.where, better), state.parameters, state.best),
        setbacks=jnp.where(setback, state.setbacks + 1, 0),
    )


def should_continue(
    state: TrainingState, n_held_out: ArrayLike, n_epochs: ArrayLike, options: TrainingOptions
) -> jax.Array:
    """Whether to train another epoch. Without a validation set, all `n_epochs` are trained."""
    most_correct = state.n_correct[state.best_epoch - 1]
    stopped = is_over(state.setbacks, most_correct, n_held_out, options.patience, options.criterion)
    due: jax.Array = (state.epochs < n_epochs) & ~stopped & ~state.diverged
    return due


def class_logits(
    classifier: Classifier, parameters: Parameters, series: PaddedSeries, rows: jax.Array
) -> jax.Array:
    """Logits (B, C) of some rows of the series; very small for classes that do not occur."""
    X, lengths = jnp.asarray(series.X)[rows], jnp.asarray(series.lengths)[rows]
    outputs = logits(classifier, parameters, X, lengths)
    # The value is finite, so that the gradient for these classes is zero and not NaN.
    return jnp.where(jnp.arange(classifier.n_classes) < series.n_classes, outputs, -1e30)


def _optimizer(options: TrainingOptions, rate: ArrayLike) -> optax.GradientTransformation:
    rmsprop = optax.rmsprop(rate, options.decay, options.epsilon, eps_in_sqrt=False)
    if options.clip is None:
        return rmsprop
    return optax.chain(optax.clip_by_global_norm(options.clip), rmsprop)


def _losses(logits: jax.Array, series: PaddedSeries, rows: jax.Array) -> jax.Array:
    """Cross-entropies (B,), zero for rows that are padding."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(series.y)[rows])
    return jnp.where(rows >= 0, losses, 0.0)


def _validate(
    classifier: Classifier,
    parameters: Parameters,
    series: PaddedSeries,
    held_out: jax.Array,
    n_chunks: ArrayLike,
) -> Validation:
    def add_chunk(k: jax.Array, total: Validation) -> Validation:
        rows = held_out[k]
        logits = class_logits(classifier, parameters, series, rows)
        correct = (logits.argmax(axis=1) == jnp.asarray(series.y)[rows]) & (rows >= 0)
        return Validation(
            total.n_correct + correct.sum(dtype=jnp.int32),
            total.loss + _losses(logits, series, rows).sum(),
            total.finite & jnp.isfinite(logits).all(),
        )

    zero = Validation(jnp.array(0, jnp.int32), jnp.array(0.0, jnp.float32), jnp.array(True))
    total: Validation = jax.lax.fori_loop(0, n_chunks, add_chunk, zero)
    return total._replace(loss=total.loss / (held_out >= 0).sum())


def _all_finite(parameters: Parameters) -> jax.Array:
    return jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(parameters)]).all()


def _jit(function: Callable[..., Any], *static_argnames: str) -> Any:
    """Compile a function so that a GPU computes as exactly as a CPU, the same in each run.

    Otherwise a GPU multiplies matrices with 10 bits of the mantissa, and adds in any order.
    """
    return jax.jit(
        jax.default_matmul_precision("float32")(function),
        static_argnames=static_argnames,
        compiler_options={"xla_gpu_deterministic_ops": True},
    )


start_many = _jit(jax.vmap(initial_state, in_axes=(None, 0, None)), "options", "n_epochs")
advance_many = _jit(
    jax.vmap(advance, in_axes=(None, None, 0, None, 0, None)), "classifier", "options"
)
logits_of = _jit(class_logits, "classifier")
