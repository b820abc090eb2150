"""The Recurrent Neural Tangent Kernel and the kernel of the same network's Gaussian process."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar, Self

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.kernels import closed_form, smooth
from rntk_bench.kernels.activations import Activation, Function, Smooth, activation
from rntk_bench.kernels.base import Array, Kernel, Sequences, at_least_zero
from rntk_bench.kernels.layout import Pairs, Readouts, Sigmas

POOLINGS = ("last", "average")
DIRECTIONS = ("forward", "backward", "both")
ACCURACY = 1e-6
"""Relative error beyond which a Hermite series is answered with a warning."""


class AccuracyWarning(UserWarning):
    """A kernel's stated error bound is larger than most uses can bear."""


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
    sigma_w, sigma_u, sigma_b : float or tuple of one a layer, at least 0
        Standard deviations (7) of the recurrent weights, input weights and biases.
    sigma_h, sigma_v : float, at least 0
        Standard deviations of the first hidden states and of the readout.
    n_layers : int, at least 1
        Hidden layers L.
    activation : str, callable, LeakyReLU, Erf or Smooth
        "relu", "leaky_relu" (slope 0.01) and "erf" are closed forms; "tanh", "gelu", "sin" and
        functions of arrays go through their Hermite series, see `error_bound`.
    pooling : str
        "last": the readout is taken at the last step. "average": every step has its own readout,
        counted from the end, and their sum is divided by sqrt(T), so that Theta is the sum of
        (141) over the steps that both have, divided by sqrt(T T').
    direction : str
        "forward", "backward" (each series reversed in time), or "both" (the sum of the two).

    Raises
    ------
    KernelError
        For a parameter outside these.
    """

    sigma_w: float | tuple[float, ...] = math.sqrt(2.0)
    sigma_u: float | tuple[float, ...] = 1.0
    sigma_b: float | tuple[float, ...] = 0.0
    sigma_h: float = 0.0
    sigma_v: float = 1.0
    n_layers: int = 1
    activation: str | Function | Activation = "relu"
    pooling: str = "last"
    direction: str = "forward"

    name: ClassVar[str] = "rntk"
    uses_time: ClassVar[bool] = True
    tangent: ClassVar[bool] = True
    """Whether the kernel is Theta, or K without the tangent's part."""

    def __post_init__(self) -> None:
        if self.n_layers < 1 or self.n_layers != int(self.n_layers):
            raise KernelError(f"RNTK: n_layers is {self.n_layers}, but must be 1, 2, 3, ...")
        for name, known in (("pooling", POOLINGS), ("direction", DIRECTIONS)):
            if (value := getattr(self, name)) not in known:
                raise KernelError(f"RNTK: {name} is {value!r}, but must be {' or '.join(known)}.")
        for name in ("sigma_w", "sigma_u", "sigma_b"):
            value = getattr(self, name)
            if not isinstance(value, int | float) and len(value) != self.n_layers:
                raise KernelError(
                    f"RNTK: {name} has {len(value)} values for {self.n_layers} layers; "
                    "give one number, or one a layer."
                )
            for each in self.per_layer(name):
                at_least_zero(self, **{name: each})
        at_least_zero(self, sigma_h=self.sigma_h, sigma_v=self.sigma_v)
        activation(self.activation)

    def per_layer(self, name: str) -> Array:
        """sigma_w, sigma_u or sigma_b of each layer, shape (L,)."""
        return np.broadcast_to(np.asarray(getattr(self, name), dtype=np.float64), self.n_layers)

    @classmethod
    def prepare(cls, X: Sequences, Y: Sequences | None = None) -> Pairs:
        """Lay out the series, of any lengths, for the compiled loops."""
        return Pairs.of(X, Y)

    def gram(self, prepared: Pairs) -> Array:
        """Theta, shape (n_x, n_y)."""
        gram: Array = self._grams(prepared, [self])[0]
        return gram

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: Pairs) -> Iterator[Array]:
        """Yield the Gram of each kernel; a run that differs in pooling alone is one pass."""
        for first, run in groupby(kernels, key=lambda kernel: replace(kernel, pooling="last")):
            yield from first._grams(prepared, list(run))

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of kernels that differ in pooling alone, side by side."""
        runs: dict[Self, list[int]] = {}
        for position, kernel in enumerate(kernels):
            runs.setdefault(replace(kernel, pooling="last"), []).append(position)
        return list(runs.values())

    def diag(self, X: Sequences) -> Array:
        """Theta(x, x) of every series, shape (n,), in closed form (c = 1)."""
        pairs = self.prepare(X)
        values = np.empty(pairs.x.n)
        values[pairs.x.order] = self._diagonals(pairs, _readouts([self]))[0]
        return self.checked(values)

    def with_nngp(self, X: Sequences, Y: Sequences | None = None) -> tuple[Array, Array]:
        """Theta and the NNGP kernel K = sigma_v^2 V[Sigma(L,T)], each (n_x, n_y), in one pass."""
        nngp = NNGP(**vars(self))
        theta, K = self.checked(self._grams(self.prepare(X, Y), [self, nngp]))
        return theta, K

    def error_bound(self, X: Sequences, Y: Sequences | None = None) -> float:
        """Bound on the error of any entry, rounding aside; 0 for a closed form.

        For an activation without a closed form, what its Hermite series leaves out and what the
        quadrature of its coefficients misses, carried through the recursion.
        """
        phi = activation(self.activation)
        if not isinstance(phi, Smooth):
            return 0.0
        directions = self._directions(self.prepare(X, Y))
        return sum(
            smooth.grams(pairs, self._sigmas, phi, _readouts([self]))[1] for pairs in directions
        )

    def _grams(self, prepared: Pairs, kernels: Sequence[RNTK]) -> Array:
        """Grams (k, n_x, n_y) of kernels that differ from this in pooling and in kind alone."""
        phi, readouts = activation(self.activation), _readouts(kernels)
        diagonals = self._diagonals(prepared, readouts)
        total = np.zeros((len(kernels), *prepared.shape))
        for pairs in self._directions(prepared):
            if isinstance(phi, Smooth):
                found, bound = smooth.grams(pairs, self._sigmas, phi, readouts)
                _warn_if_inaccurate(self, bound, float(diagonals.max()))
            else:
                found = closed_form.grams(pairs, self._sigmas, phi, readouts)
            total += found
        if prepared.y is None:
            rows = np.arange(prepared.x.n)
            total[:, rows, rows] = diagonals
        return prepared.in_given_order(total)

    def _diagonals(self, prepared: Pairs, readouts: Readouts) -> Array:
        phi = activation(self.activation)
        total = np.zeros((len(readouts.average), prepared.x.n))
        for pairs in self._directions(prepared):
            if isinstance(phi, Smooth):
                total += smooth.diagonals(pairs.x, self._sigmas, phi, readouts)
            else:
                total += closed_form.diagonals(pairs.x, self._sigmas, phi, readouts)
        return total

    def _directions(self, pairs: Pairs) -> list[Pairs]:
        known = {"forward": [pairs], "backward": [pairs.reversed]}
        return known.get(self.direction, [pairs, pairs.reversed])

    @property
    def _sigmas(self) -> Sigmas:
        w, u, b = (self.per_layer(name) for name in ("sigma_w", "sigma_u", "sigma_b"))
        return Sigmas(w, u, b, float(self.sigma_h), float(self.sigma_v))


class NNGP(RNTK):
    """Covariance of the same network's output at initialisation, K = sigma_v^2 V[Sigma(L,T)] (9).

    Parameters as for RNTK.
    """

    name: ClassVar[str] = "nngp"
    tangent: ClassVar[bool] = False


def _readouts(kernels: Sequence[RNTK]) -> Readouts:
    return Readouts(
        np.array([kernel.pooling == "average" for kernel in kernels]),
        np.array([kernel.tangent for kernel in kernels]),
    )


def _warn_if_inaccurate(kernel: RNTK, bound: float, largest: float) -> None:
    if bound > ACCURACY * largest:
        warnings.warn(
            f"{kernel}: the Hermite series of this activation is accurate to "
            f"{bound:.1g} on these series, whose largest Theta(x, x) is {largest:.3g}.",
            AccuracyWarning,
            stacklevel=4,
        )
