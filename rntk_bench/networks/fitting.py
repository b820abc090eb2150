"""Training of recurrent classifiers by RMSProp with early stopping, one run or many at a time."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from rntk_bench.networks.models import Classifier, Parameters
from rntk_bench.networks.series import Series


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


class Rules(NamedTuple):
    """RMSProp's decay of the mean square and what is added to its root; epochs without a better
    validation after which a run stops."""

    decay: ArrayLike
    epsilon: ArrayLike
    patience: ArrayLike


class Fit(NamedTuple):
    """What a run ended with.

    Parameters after the last epoch that was finite throughout, and of these epochs the number,
    the right validation predictions (E,) filled up with -1, and the first best one (from 1; 0 is
    none); whether an epoch was not finite.
    """

    parameters: Parameters
    epochs: jax.Array
    hits: jax.Array
    best_epoch: jax.Array
    diverged: jax.Array


def fit(classifier: Classifier, initial: Parameters, series: Series, run: Run, rules: Rules) -> Fit:
    """Train one network; under `jax.vmap`, runs that are finished stay as they are.

    A run ends before `n_epochs` when `patience` epochs in a row were no better than the best,
    when all of the validation is right, so that none can be, and when it diverges.
    """
    optimizer = optax.rmsprop(run.rate, rules.decay, rules.epsilon, eps_in_sqrt=False)
    batches, held_out = jnp.asarray(run.batches), jnp.asarray(run.held_out)
    n_held_out = (held_out >= 0).sum()

    def loss(parameters: Parameters, rows: jax.Array) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(
            class_logits(classifier, parameters, series, rows), jnp.asarray(series.y)[rows]
        )
        return jnp.where(rows >= 0, losses, 0.0).sum() / (rows >= 0).sum()

    def descend(
        rows: jax.Array, state: tuple[Parameters, optax.OptState, jax.Array]
    ) -> tuple[Parameters, optax.OptState, jax.Array]:
        parameters, memory, finite = state
        value, slope = jax.value_and_grad(loss)(parameters, rows)
        updates, memory = optimizer.update(slope, memory)
        return optax.apply_updates(parameters, updates), memory, finite & jnp.isfinite(value)

    def epoch(state: tuple[Fit, optax.OptState]) -> tuple[Fit, optax.OptState]:
        sofar, memory = state
        rows = batches[sofar.epochs]
        parameters, memory, finite = jax.lax.fori_loop(
            0,
            run.n_batches,
            lambda k, state: descend(rows[k], state),
            (sofar.parameters, memory, _all_finite(sofar.parameters)),
        )
        hits, sound = _validate(classifier, parameters, series, held_out, run.n_chunks)
        finite &= sound & _all_finite(parameters)
        after = counted(sofar, hits)._replace(parameters=parameters)
        kept = jax.tree.map(
            partial(jnp.where, finite), after, sofar._replace(diverged=jnp.array(True))
        )
        return kept, memory

    def unfinished(state: tuple[Fit, optax.OptState]) -> jax.Array:
        return goes_on(state[0], n_held_out, run.n_epochs, rules.patience)

    initial = jax.tree.map(jnp.asarray, initial)
    zero = jnp.array(0, jnp.int32)
    start = Fit(initial, zero, jnp.full(len(batches), -1, jnp.int32), zero, jnp.array(False))
    result: Fit = jax.lax.while_loop(unfinished, epoch, (start, optimizer.init(initial)))[0]
    return result


def counted(sofar: Fit, hits: jax.Array) -> Fit:
    """One more epoch, with so many right validation predictions after it."""
    better = (sofar.best_epoch == 0) | (hits > sofar.hits[sofar.best_epoch - 1])
    return sofar._replace(
        epochs=sofar.epochs + 1,
        hits=sofar.hits.at[sofar.epochs].set(hits),
        best_epoch=jnp.where(better, sofar.epochs + 1, sofar.best_epoch),
    )


def goes_on(
    sofar: Fit, n_held_out: ArrayLike, n_epochs: ArrayLike, patience: ArrayLike
) -> jax.Array:
    """Whether another epoch is due; with nothing held out, until `n_epochs`."""
    perfect = sofar.hits[sofar.best_epoch - 1] == n_held_out
    waited = sofar.epochs - sofar.best_epoch >= patience
    done = (jnp.asarray(n_held_out) > 0) & (perfect | waited)
    return (sofar.epochs < n_epochs) & ~(done | sofar.diverged)


def class_logits(
    classifier: Classifier, parameters: Parameters, series: Series, rows: jax.Array
) -> jax.Array:
    """Logits (B, C) of rows of the series, out of reach for classes that do not occur."""
    X, lengths = jnp.asarray(series.X)[rows], jnp.asarray(series.lengths)[rows]
    logits = classifier.logits(parameters, X, lengths)
    # Finite, so that the gradient of what cannot occur is zero and not NaN.
    return jnp.where(jnp.arange(classifier.n_classes) < series.n_classes, logits, -1e30)


def _validate(
    classifier: Classifier,
    parameters: Parameters,
    series: Series,
    held_out: jax.Array,
    n_chunks: ArrayLike,
) -> tuple[jax.Array, jax.Array]:
    """How many of the rows held out are classified rightly, and whether all logits are finite."""

    def chunk(k: jax.Array, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        hits, finite = state
        rows = held_out[k]
        logits = class_logits(classifier, parameters, series, rows)
        right = (logits.argmax(axis=1) == jnp.asarray(series.y)[rows]) & (rows >= 0)
        return hits + right.sum(dtype=jnp.int32), finite & jnp.isfinite(logits).all()

    start = jnp.array(0, jnp.int32), jnp.array(True)
    hits, finite = jax.lax.fori_loop(0, n_chunks, chunk, start)
    return hits, finite


def _all_finite(parameters: Parameters) -> jax.Array:
    return jnp.array([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(parameters)]).all()


# On a GPU, no kernel whose sums depend on chance.
_OPTIONS = {"xla_gpu_deterministic_ops": True}
_compiled = partial(jax.jit, static_argnames="classifier", compiler_options=_OPTIONS)

fit_one = _compiled(fit)
fit_many = _compiled(jax.vmap(fit, in_axes=(None, 0, None, 0, None)))
logits_of = _compiled(class_logits)
