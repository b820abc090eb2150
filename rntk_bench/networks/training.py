"""Training of recurrent classifiers by RMSProp with early stopping, one run or many at a time."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import PaddedSeries


class Run(NamedTuple):
    """One training run.

    `batches` (E, K, B) are rows of the series in each epoch's mini-batches, of which the first
    `n_batches` are real, and `held_out` (Q, V) those of the validation, `n_chunks` of them real;
    -1 fills what is empty. Training ends after `n_epochs`, at most E.
    """

    batches: ArrayLike
    n_batches: ArrayLike
    held_out: ArrayLike
    n_chunks: ArrayLike
    rate: ArrayLike
    n_epochs: ArrayLike


class TrainingOptions(NamedTuple):
    """How a run descends and when it stops, as `config.Network` has it; the same for all runs,
    and compiled in."""

    decay: float
    epsilon: float
    patience: int
    criterion: str = "accuracy"
    clip: float | None = None


class TrainingState(NamedTuple):
    """A run under way, or done.

    Parameters after the last epoch that was finite throughout, with RMSProp's memory; of these
    epochs the number, the right validation predictions (E,) filled up with -1 and the validation
    losses (E,), and the best one (from 1; 0 is none) with its parameters; how many setbacks in a
    row came last, and whether an epoch was not finite.
    """

    parameters: Parameters
    memory: Any
    epochs: jax.Array
    n_correct: jax.Array
    losses: jax.Array
    best_epoch: jax.Array
    best: Parameters
    setbacks: jax.Array
    diverged: jax.Array


class Validation(NamedTuple):
    """Right predictions and the mean cross-entropy of what is held out, and whether all logits
    are finite."""

    n_correct: jax.Array
    loss: jax.Array
    finite: jax.Array


def start(options: TrainingOptions, initial: Parameters, n_epochs: int) -> TrainingState:
    """A run before its first epoch, with room for so many."""
    initial, zero = jax.tree.map(jnp.asarray, initial), jnp.array(0, jnp.int32)
    return TrainingState(
        parameters=initial,
        memory=_optimizer(options, 0.0).init(initial),
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
    fit: TrainingState,
    series: PaddedSeries,
    run: Run,
    until: ArrayLike,
) -> TrainingState:
    """Train until the run ends or so many epochs are done; under `jax.vmap`, runs that have ended
    stay as they are.

    A run ends before its `n_epochs` when the rules say so, and when it diverges.
    """
    optimizer = _optimizer(options, run.rate)
    batches, held_out = jnp.asarray(run.batches), jnp.asarray(run.held_out)
    n_held_out = (held_out >= 0).sum()

    def loss(parameters: Parameters, rows: jax.Array) -> jax.Array:
        losses = _losses(class_logits(classifier, parameters, series, rows), series, rows)
        return losses.sum() / (rows >= 0).sum()

    def descend(
        rows: jax.Array, state: tuple[Parameters, optax.OptState, jax.Array]
    ) -> tuple[Parameters, optax.OptState, jax.Array]:
        parameters, memory, finite = state
        value, slope = jax.value_and_grad(loss)(parameters, rows)
        updates, memory = optimizer.update(slope, memory)
        return optax.apply_updates(parameters, updates), memory, finite & jnp.isfinite(value)

    def epoch(fit: TrainingState) -> TrainingState:
        rows = batches[fit.epochs]
        parameters, memory, finite = jax.lax.fori_loop(
            0,
            run.n_batches,
            lambda k, state: descend(rows[k], state),
            (fit.parameters, fit.memory, _all_finite(fit.parameters)),
        )
        validation = _validate(classifier, parameters, series, held_out, run.n_chunks)
        finite &= validation.finite & _all_finite(parameters)
        after = record_epoch(
            fit._replace(parameters=parameters, memory=memory), validation, options.criterion
        )
        kept: TrainingState = jax.tree.map(
            partial(jnp.where, finite), after, fit._replace(diverged=jnp.array(True))
        )
        return kept

    def is_due(fit: TrainingState) -> jax.Array:
        return should_continue(fit, n_held_out, run.n_epochs, options) & (fit.epochs < until)

    result: TrainingState = jax.lax.while_loop(is_due, epoch, fit)
    return result


def record_epoch(fit: TrainingState, validation: Validation, criterion: str) -> TrainingState:
    """One more epoch, after which the parameters are the fit's and the validation is as given."""
    n_correct, loss = validation.n_correct, validation.loss
    first = fit.best_epoch == 0
    most = jnp.where(first, -1, fit.n_correct[fit.best_epoch - 1])
    least = jnp.where(first, jnp.inf, fit.losses[fit.best_epoch - 1])
    match criterion:
        case "accuracy":
            better = (n_correct > most) | ((n_correct == most) & (loss < least))
            setback = n_correct < most
        case "strict-accuracy":
            better = n_correct > most
            setback = ~better
        case "loss":
            better = first | (loss < least)
            setback = ~better
        case _:
            raise ValueError(f"unknown criterion {criterion!r}")
    return fit._replace(
        epochs=fit.epochs + 1,
        n_correct=fit.n_correct.at[fit.epochs].set(n_correct),
        losses=fit.losses.at[fit.epochs].set(loss),
        best_epoch=jnp.where(better, fit.epochs + 1, fit.best_epoch),
        best=jax.tree.map(partial(jnp.where, better), fit.parameters, fit.best),
        setbacks=jnp.where(setback, fit.setbacks + 1, 0),
    )


def should_continue(
    fit: TrainingState, n_held_out: ArrayLike, n_epochs: ArrayLike, options: TrainingOptions
) -> jax.Array:
    """Whether another epoch is due; with nothing held out, until `n_epochs`."""
    stopped = fit.setbacks >= options.patience
    if options.criterion == "strict-accuracy":  # nothing can be better than all right
        stopped |= fit.n_correct[fit.best_epoch - 1] == n_held_out
    return (fit.epochs < n_epochs) & ~(stopped & (jnp.asarray(n_held_out) > 0)) & ~fit.diverged


def class_logits(
    classifier: Classifier, parameters: Parameters, series: PaddedSeries, rows: jax.Array
) -> jax.Array:
    """Logits (B, C) of rows of the series, out of reach for classes that do not occur."""
    X, lengths = jnp.asarray(series.X)[rows], jnp.asarray(series.lengths)[rows]
    logits = classifier.logits(parameters, X, lengths)
    # Finite, so that the gradient of what cannot occur is zero and not NaN.
    return jnp.where(jnp.arange(classifier.n_classes) < series.n_classes, logits, -1e30)


def _optimizer(options: TrainingOptions, rate: ArrayLike) -> optax.GradientTransformation:
    rmsprop = optax.rmsprop(rate, options.decay, options.epsilon, eps_in_sqrt=False)
    if options.clip is None:
        return rmsprop
    return optax.chain(optax.clip_by_global_norm(options.clip), rmsprop)


def _losses(logits: jax.Array, series: PaddedSeries, rows: jax.Array) -> jax.Array:
    """Cross-entropies (B,), 0 where a row is empty."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(series.y)[rows])
    return jnp.where(rows >= 0, losses, 0.0)


def _validate(
    classifier: Classifier,
    parameters: Parameters,
    series: PaddedSeries,
    held_out: jax.Array,
    n_chunks: ArrayLike,
) -> Validation:
    def chunk(k: jax.Array, state: Validation) -> Validation:
        rows = held_out[k]
        logits = class_logits(classifier, parameters, series, rows)
        right = (logits.argmax(axis=1) == jnp.asarray(series.y)[rows]) & (rows >= 0)
        return Validation(
            state.n_correct + right.sum(dtype=jnp.int32),
            state.loss + _losses(logits, series, rows).sum(),
            state.finite & jnp.isfinite(logits).all(),
        )

    nothing = Validation(jnp.array(0, jnp.int32), jnp.array(0.0, jnp.float32), jnp.array(True))
    summed: Validation = jax.lax.fori_loop(0, n_chunks, chunk, nothing)
    return summed._replace(loss=summed.loss / (held_out >= 0).sum())


def _all_finite(parameters: Parameters) -> jax.Array:
    return jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(parameters)]).all()


_OPTIONS = {
    # On a GPU, no kernel whose sums depend on chance.
    "xla_gpu_deterministic_ops": True,
    # Where a processor has vectors of 512 bits, LLVM often takes 256, and a GRU a tenth longer.
    "xla_cpu_prefer_vector_width": 512,
}
_compiled = partial(jax.jit, compiler_options=_OPTIONS)
_start = partial(_compiled, static_argnames=("options", "n_epochs"))
_advance = partial(_compiled, static_argnames=("classifier", "options"))

start_one = _start(start)
start_many = _start(jax.vmap(start, in_axes=(None, 0, None)))
advance_one = _advance(advance)
advance_many = _advance(jax.vmap(advance, in_axes=(None, None, 0, None, 0, None)))
logits_of = _compiled(class_logits, static_argnames="classifier")
