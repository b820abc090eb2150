"""The Recurrent Neural Tangent Kernel and the NNGP kernel of the same network."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from operator import add
from typing import ClassVar, Self

import numpy as np

from rntk_bench.kernels.activations import (
    Activation,
    Erf,
    Function,
    LeakyReLU,
    Smooth,
    get_activation,
)
from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.parameters import (
    at_least_one,
    at_least_zero,
    at_least_zero_in_each_layer,
    one_of,
)
from rntk_bench.kernels.recursion import closed_form, smooth
from rntk_bench.kernels.recursion.layout import Pairs, Readouts, Sigmas
from rntk_bench.kernels.recursion.shared_readouts import SharedReadouts, check_shared, lagged_passes
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray

POOLINGS = ("last", "average", "shared")
DIRECTIONS = ("forward", "backward", "both")
BOTH = {"both": ("forward", "backward")}
LAYERS_COST, AVERAGE_COST = 1.1, 1.6
"""Cost of a pair-step with several layers, or average pooling, relative to the plain kernel's."""
ERF_COST, SMOOTH_COST = 1.4, 6.0
"""The same for erf, and for activations without closed form; see `rntk-bench speed --variants`."""
MAX_BUFFER_SIZE = 2**22
"""Maximal number of float64 values for the settings of one compiled call, 32 MiB."""
MAX_RELATIVE_ERROR = 1e-6
"""Relative error of a Hermite series above which there is a warning."""


class AccuracyWarning(UserWarning):
    """The error bound of a kernel is too large for most purposes."""


@dataclass(frozen=True)
class RNTK(Kernel):
    r"""Kernel of an infinitely wide recurrent network of L layers, Theorem 1.

        Sigma(l,t) = sigma_w^2 V[Sigma(l,t-1)] + sigma_u^2 V[Sigma(l-1,t)] + sigma_b^2   (116)
        theta(l,t) = Sigma(l,t) + sigma_w^2 V'[Sigma(l,t-1)] theta(l,t-1)
                                + sigma_u^2 V'[Sigma(l-1,t)] theta(l-1,t)
        Theta      = sigma_v^2 (V[Sigma(L,T)] + V'[Sigma(L,T)] theta(L,T))               (141)

    with <x_t, x'_t> / m in place of V[Sigma(0,t)], no theta(0,t), and sequences aligned at their
    ends: step t of x meets step t + T' - T of x'. At the first step of either, V[Sigma(l,t-1)] is
    sigma_h^2 for a series with itself and 0 for two series, even of equal values (15).

    Parameters
    ----------
    sigma_w, sigma_u, sigma_b : float or tuple of one per layer, at least 0
        Standard deviations (7) of the recurrent weights, input weights and biases.
    sigma_h, sigma_v : float, at least 0
        Standard deviations of the first hidden states and of the readout.
    n_layers : int, at least 1
        Hidden layers L.
    activation : str, callable, LeakyReLU, Erf or Smooth
        "relu", "leaky_relu" (slope 0.01) and "erf" are closed forms; "tanh", "gelu", "sin" and
        functions of arrays are computed by their Hermite series, see `error_bound`.
    pooling : str
        "last": the output is read at the last step. "average": each step, counted from the end,
        has an independent readout, and their sum is divided by sqrt(T). Theta is then the sum of
        (141) over the common steps of both series, divided by sqrt(T T'). "shared": the readouts
        of different steps are correlated, see below.
    bandwidth : float, at least 0, or "all"
        For a shared readout: its correlation length as a fraction of the length of each series. It
        and `lag_step` have no effect with another pooling, so that a grid may have both.
    lag_step : int, at least 1
        For a shared readout: the readouts of two steps are independent unless their distance is
        a multiple of this.
    readout : str
        "state": the hidden states are read. "step": the step function 1[g > 0] of the same
        pre-activations is read instead, for relu and leaky_relu with a shared readout; only the
        readout is trained.
    direction : str
        "forward", "backward" (each series reversed in time), or "both" (the sum of the two).

    Notes
    -----
    With `pooling="shared"` the output is the sum of v(t) h(t) over the steps, divided by sqrt(T),
    where the readouts v(t) are moving averages of independent ones: E[v(t) v(t')^T] is
    w(t - t') I, and

        Theta_shared(x, x') = 1 / sqrt(T T') sum_{t, t'} w(t - t') Theta(x[:t], x'[:t'])

    over all prefixes, counted from the ends of the series and aligned at their own ends. A series
    of T steps is averaged over windows of B = b + 1 multiples of `lag_step`, with
    b = max(1, round(bandwidth T / lag_step)), or b = 0 for bandwidth 0, and w is the normalised
    overlap of two windows. At k lag steps

        w = max(0, min(B, B', (B + B') / 2 - k)) / sqrt(B B'),

    which is max(0, 1 - k / (b + 1)) for equal lengths, and 1 for bandwidth "all". Each window
    depends only on its series, so that the kernel of two series does not depend on the set they
    belong to, and is positive semi-definite for any lengths. Bandwidth 0 is the same as "average".
    The first hidden states of a series with itself are equal where both prefixes begin at the same
    time, that is, at t = t'.

    For `readout="step"` Theta of two prefixes is sigma_v^2 (1 - arccos(c) / pi), with c the
    correlation of their last pre-activations, and 0 if one of these has variance 0.

    Raises
    ------
    KernelError
        For a parameter outside its range.
    """

    sigma_w: float | tuple[float, ...] = math.sqrt(2.0)
    sigma_u: float | tuple[float, ...] = 1.0
    sigma_b: float | tuple[float, ...] = 0.0
    sigma_h: float = 0.0
    sigma_v: float = 1.0
    n_layers: int = 1
    activation: str | Function | Activation = "relu"
    pooling: str = "last"
    bandwidth: float | str = 0.5
    lag_step: int = 1
    readout: str = "state"
    direction: str = "forward"

    name: ClassVar[str] = "rntk"
    temporaries: ClassVar[int] = 0
    uses_time: ClassVar[bool] = True
    tangent: ClassVar[bool] = True
    """Whether the kernel is Theta; otherwise it is the NNGP kernel K."""

    def __post_init__(self) -> None:
        at_least_one(self, n_layers=self.n_layers)
        one_of(self, POOLINGS, pooling=self.pooling)
        one_of(self, DIRECTIONS, direction=self.direction)
        at_least_zero_in_each_layer(
            self, self.n_layers, sigma_w=self.sigma_w, sigma_u=self.sigma_u, sigma_b=self.sigma_b
        )
        at_least_zero(self, sigma_h=self.sigma_h, sigma_v=self.sigma_v)
        check_shared(self, self.pooling, get_activation(self.activation))

    def per_layer(self, name: str) -> FloatArray:
        """sigma_w, sigma_u or sigma_b of each layer, shape (L,)."""
        return np.full(self.n_layers, getattr(self, name), dtype=np.float64)

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Pairs:
        """Arrange the series, of any lengths, for the compiled loops."""
        return Pairs.of(X, Y)

    def gram(self, prepared: Pairs) -> FloatArray:
        """Theta, shape (n_x, n_y)."""
        return next(self._compute_grams([[self]], prepared))

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: Pairs) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel; consecutive kernels share passes if they can.

        One compiled call computes as many runs as fit into a buffer of `MAX_BUFFER_SIZE`.
        """
        longest = max(series.steps.size for series in prepared.sets)
        runs = [list(run) for _, run in groupby(kernels, key=cls._pass_key)]
        for _, group in groupby(runs, key=cls._structure_key):
            stack = list(group)
            entries = 3 * stack[0][0].n_layers * longest + math.prod(prepared.shape)
            size = max(1, MAX_BUFFER_SIZE // entries)
            for start in range(0, len(stack), size):
                yield from cls._compute_grams(stack[start : start + size], prepared)

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of the kernels, grouped by all but pooling, bandwidth and direction.

        Kernels with a shared readout are in other groups than those without.
        """
        runs: dict[tuple[object, ...], list[int]] = {}
        for position, kernel in enumerate(kernels):
            runs.setdefault(cls._pass_key(kernel), []).append(position)
        return list(runs.values())

    @classmethod
    def relative_cost(cls, kernels: Sequence[Self], length: int) -> float:
        """The number of passes, weighted by their cost.

        There is one pass per direction and layer. A shared readout needs a pass per lag; the lags
        of the largest bandwidth include those of the others.
        """
        total = 0.0
        for batch in cls.batches(kernels):
            members = [kernels[position] for position in batch]
            directions = {d for k in members for d in BOTH.get(k.direction, (k.direction,))}
            passes = 1.0
            if members[0].pooling == "shared":
                passes = max(lagged_passes(k.bandwidth, k.lag_step, length) for k in members)
            pair_step = max(k._cost_of_pair_step() for k in members)
            total += len(directions) * members[0].n_layers * passes * pair_step
        return total

    def _cost_of_pair_step(self) -> float:
        """Cost of a pair and step in one layer, relative to the plain kernel's."""
        match get_activation(self.activation):
            case LeakyReLU():
                activation = 1.0
            case Erf():
                activation = ERF_COST
            case _:
                activation = SMOOTH_COST
        if self.pooling == "average":
            return activation * AVERAGE_COST
        return activation * (LAYERS_COST if self.n_layers > 1 else 1.0)

    @classmethod
    def buffer_size(cls, kernels: Sequence[Self], shape: tuple[int, int], length: int) -> int:
        """The Grams, plus the weights and the readouts of each layer and step."""
        per_step = 3 * kernels[0].n_layers + 3 * any(k.pooling != "last" for k in kernels)
        return super().buffer_size(kernels, shape, length) + per_step * max(shape) * length

    def _pass_key(self) -> tuple[object, ...]:
        """A key that is equal for kernels that can share their passes over the pairs."""
        sigmas = self.sigma_w, self.sigma_u, self.sigma_b, self.sigma_h, self.sigma_v
        lags = (self.lag_step, self.readout) if self.pooling == "shared" else None
        return type(self), sigmas, self.n_layers, self._activation_key, lags

    @property
    def _activation_key(self) -> object:
        """A key of the activation; functions are compared by identity.

        Functions need not be hashable.
        """
        return self.activation if isinstance(self.activation, str) else id(self.activation)

    @staticmethod
    def _structure_key(run: Sequence[RNTK]) -> tuple[object, ...]:
        """A key that is equal for runs whose kernels differ only in the sigmas."""
        first = run[0]
        members = [(k.pooling, k.bandwidth, k.direction, k.tangent) for k in run]
        return first.n_layers, first._activation_key, first.lag_step, first.readout, members

    def diag(self, X: Sequences) -> FloatArray:
        """Theta(x, x) of each series, shape (n,), in closed form (c = 1)."""
        pairs = self.read(X)
        phi = get_activation(self.activation)
        sigmas, readouts = _make_sigmas([self]), _make_readouts([self])
        diagonal, values = np.zeros(pairs.x.n), np.empty(pairs.x.n)
        for oriented in self._pairs_by_direction(pairs).values():
            if isinstance(phi, Smooth):
                diagonal += smooth.diagonals(oriented.x, sigmas[0], phi, readouts)[0]
            else:
                diagonal += closed_form.diagonals(oriented.x, sigmas, phi, readouts)[0, 0]
        values[pairs.x.order] = diagonal
        return self.check_finite(values)

    def with_nngp(self, X: Sequences, Y: Sequences | None = None) -> tuple[FloatArray, FloatArray]:
        """Theta and the NNGP kernel K = sigma_v^2 V[Sigma(L,T)], each (n_x, n_y), in one pass."""
        both = [RNTK(**vars(self)), NNGP(**vars(self))]
        theta, K = self._compute_grams([both], self.read(X, Y))
        return self.check_finite(theta), self.check_finite(K)

    def error_bound(self, X: Sequences, Y: Sequences | None = None) -> float:
        """Bound on the error of any entry; 0 for ReLU and leaky ReLU, apart from rounding.

        For erf, about the rounding error between nearly equal series, which grows where the network
        is chaotic. For an activation without a closed form, apart from rounding: the truncation
        error of its Hermite series and the quadrature error of the coefficients, propagated through
        the recursion.
        """
        oriented = self._pairs_by_direction(self.read(X, Y)).values()
        readouts = _make_readouts([self])
        return sum(float(_compute_pass([self], pairs, readouts)[2][0]) for pairs in oriented)

    @staticmethod
    def _compute_grams(runs: Sequence[Sequence[RNTK]], prepared: Pairs) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel, run by run.

        The kernels of a run differ only in pooling, bandwidth, direction and class, the runs only
        in the sigmas.
        """
        first, settings = runs[0], [run[0] for run in runs]
        readouts = _make_readouts(first)
        passes: dict[str, tuple[FloatArray, FloatArray, FloatArray]] = {}
        stacks = []
        for position, form in enumerate(first):
            oriented = form._pairs_by_direction(prepared)
            for direction, pairs in oriented.items():
                if direction not in passes:
                    passes[direction] = _compute_pass(settings, pairs, readouts)
            which = readouts.position(form)
            results = [passes[direction] for direction in oriented]
            grams = reduce(add, (grams[:, which] for grams, _, _ in results))
            diagonal = reduce(add, (diagonals[:, which] for _, diagonals, _ in results))
            bounds = reduce(add, (bound for _, _, bound in results))
            for run, bound, largest in zip(runs, bounds, diagonal.max(axis=1), strict=True):
                run[position]._warn_if_inaccurate(bound, largest)
            if prepared.y is None:
                i = np.arange(prepared.x.n)
                grams[:, i, i] = diagonal
            stacks.append(prepared.in_original_order(grams))
        for s in range(len(runs)):
            yield from (stack[s] for stack in stacks)

    def _pairs_by_direction(self, pairs: Pairs) -> dict[str, Pairs]:
        """The pairs in each direction of time over which the kernel is summed."""
        return {
            direction: pairs if direction == "forward" else pairs.reversed
            for direction in BOTH.get(self.direction, (self.direction,))
        }

    def _warn_if_inaccurate(self, bound: float, largest: float) -> None:
        if bound > MAX_RELATIVE_ERROR * largest:
            chaotic = isinstance(get_activation(self.activation), Erf)
            where = "where these series are nearly equal" if chaotic else "on these series"
            warnings.warn(
                f"{self} is accurate to {bound:.1g} {where}; the largest Theta(x, x) is "
                f"{largest:.3g}.",
                AccuracyWarning,
                stacklevel=5,
            )


def _make_sigmas(kernels: Sequence[RNTK]) -> Sigmas:
    """Collect the parameters of kernels with the same number of layers."""
    w, u, b = (
        np.array([kernel.per_layer(name) for kernel in kernels])
        for name in ("sigma_w", "sigma_u", "sigma_b")
    )
    h, v = (
        np.array([getattr(kernel, name) for kernel in kernels], dtype=np.float64)
        for name in ("sigma_h", "sigma_v")
    )
    return Sigmas(w, u, b, h, v)


def _make_readouts(kernels: Sequence[RNTK]) -> Readouts | SharedReadouts:
    """Collect the readouts of kernels which all have a shared readout, or none."""
    return (SharedReadouts if kernels[0].pooling == "shared" else Readouts).of(kernels)


def _compute_pass(
    kernels: Sequence[RNTK], pairs: Pairs, readouts: Readouts | SharedReadouts
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Grams (S, k, n_x, n_y) over the sorted series, diagonals (S, k, n_x), error bounds (S,).

    The kernels have the same number of layers and the same activation.
    """
    phi, sigmas = get_activation(kernels[0].activation), _make_sigmas(kernels)
    if isinstance(phi, Smooth):
        each = [smooth.grams(pairs, sigmas[s], phi, readouts) for s in range(len(kernels))]
        grams, diagonals, bounds = (np.stack(parts) for parts in zip(*each, strict=True))
        return grams, diagonals, bounds
    grams, diagonals = closed_form.grams(pairs, sigmas, phi, readouts)
    if not isinstance(phi, Erf):
        return grams, diagonals, np.zeros(len(kernels))
    with np.errstate(invalid="ignore"):  # of settings that leave the range
        # The diagonals are exact; those of the Grams of one set are still zero.
        largest = np.abs(grams).max(axis=(1, 2, 3))
        bounds = closed_form.rounding_errors(pairs, sigmas) * largest
    return grams, diagonals, bounds


class NNGP(RNTK):
    """Covariance of the network's output at initialisation, K = sigma_v^2 V[Sigma(L,T)] (9).

    The parameters are those of RNTK.
    """

    name: ClassVar[str] = "nngp"
    tangent: ClassVar[bool] = False
