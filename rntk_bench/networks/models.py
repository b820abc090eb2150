"""Finite recurrent classifiers: Gaussian RNN, identity RNN and GRU (A.1).

Each layer computes its next state from its previous state and from the states of the layer below
(or the series), through one linear map per gate. The GRU is that of Cho et al. (2014), with the
reset gate after the linear map as in cuDNN. A linear readout of the last state of the last layer
gives one logit per class. Series are aligned at their ends, and states are zero before a
series starts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from rntk_bench.networks.series import Float32Array

Parameters = dict[str, Any]
"""V (n, C), d (C,) and `layers`, which has one dict per layer: W (n, g n), U (d, g n), b (g n,) and
also c (g n,) if the cell has two biases."""


@dataclass(frozen=True)
class RNNCell:
    """A recurrent unit: its gates, its initialisation and its parametrisation.

    Attributes
    ----------
    gates : int
        The number g of linear maps of a layer: 1 for rectified linear units, 3 for a GRU, whose
        order is reset gate, update gate, candidate.
    two_biases : bool
        Whether the recurrent map has a bias c of its own.
    draw : callable
        Draws a parameter, given a generator, its role, its shape and the width n.
    scale : callable
        The factor of a parameter, given its role and its number of inputs.

    The roles are "recurrent" (W), "input" (U), "bias" (b, c, d) and "readout" (V).
    """

    gates: int
    two_biases: bool
    draw: Callable[[np.random.Generator, str, tuple[int, ...], int], Float32Array]
    scale: Callable[[str, int], float]


def _normal(rng: np.random.Generator, role: str, shape: tuple[int, ...], _: int) -> Float32Array:
    if role == "bias":
        return np.zeros(shape, dtype=np.float32)
    return rng.standard_normal(shape, dtype=np.float32)


def _identity(
    rng: np.random.Generator, role: str, shape: tuple[int, ...], width: int
) -> Float32Array:
    """Le, Jaitly and Hinton (2015): W = I, no biases, other standard deviations 0.001."""
    if role == "recurrent":
        return np.eye(width, dtype=np.float32)
    return np.float32(1e-3) * _normal(rng, role, shape, width)


def _uniform(rng: np.random.Generator, _: str, shape: tuple[int, ...], width: int) -> Float32Array:
    bound = 1.0 / math.sqrt(width)
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _ntk_scale(role: str, inputs: int) -> float:
    """(7) with sigma_w = sigma_v = sqrt 2, sigma_u = 1, sigma_b = 0."""
    variance = {"recurrent": 2.0, "input": 1.0, "readout": 2.0, "bias": 0.0}[role]
    return math.sqrt(variance / inputs)


def _unscaled(_: str, __: int) -> float:
    return 1.0


RNN_CELLS: Final = {
    "rnn-gaussian": RNNCell(1, False, _normal, _ntk_scale),
    "rnn-identity": RNNCell(1, False, _identity, _unscaled),
    "gru": RNNCell(3, True, _uniform, _unscaled),
}


@dataclass(frozen=True)
class Classifier:
    """The shape of a network. It is hashable, so that JAX compiles each shape once.

    Parameters
    ----------
    cell : str
        A key of `RNN_CELLS`.
    width, n_layers : int
        The number of units n of a layer, and the number of layers L.
    n_dimensions : int
        The number of dimensions m of the series.
    n_classes : int
        The number of logits C.
    """

    cell: str
    width: int
    n_layers: int
    n_dimensions: int
    n_classes: int

    @property
    def size(self) -> int:
        """The number of entries of the square matrices of one gate, a measure of the cost."""
        return (2 * self.n_layers - 1) * self.width**2

    def initial(self, rng: np.random.Generator) -> Parameters:
        """Draw float32 parameters, by NumPy, so that they are the same on every device."""
        cell, n = RNN_CELLS[self.cell], self.width
        width = cell.gates * n

        def draw(role: str, *shape: int) -> Float32Array:
            return cell.draw(rng, role, shape, n)

        def layer(n_inputs: int) -> dict[str, Float32Array]:
            parameters = {
                "W": draw("recurrent", n, width),
                "U": draw("input", n_inputs, width),
                "b": draw("bias", width),
            }
            return parameters | ({"c": draw("bias", width)} if cell.two_biases else {})

        return {
            "layers": [layer(n if k else self.n_dimensions) for k in range(self.n_layers)],
            "V": draw("readout", n, self.n_classes),
            "d": draw("bias", self.n_classes),
        }
