"""The weights of a network as one vector, with units padded to whole vectors.

Padded weights are zero and stay zero: a padded unit's state is zero or read by nobody, so that no
gradient reaches its weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rntk_bench.compiling import compiled
from rntk_bench.networks.compiled.products import LANES, ROWS
from rntk_bench.networks.models import RNN_CELLS, Classifier, Parameters
from rntk_bench.networks.series import Float32Array


class Shape(NamedTuple):
    """The sizes of a network.

    Attributes
    ----------
    gates : int
        The number g of linear maps of a layer.
    units, used : int
        The padded number P of units, and the number of those that products read, which is padded
        to a smaller multiple.
    n_layers, n_dimensions, n_classes : int
        As in `Classifier`.
    """

    gates: int
    units: int
    used: int
    n_layers: int
    n_dimensions: int
    n_classes: int

    @classmethod
    def of(cls, network: Classifier) -> Shape:
        """The sizes of a classifier."""
        n = network.width
        return cls(
            RNN_CELLS[network.cell].gates,
            -(-n // LANES) * LANES,
            -(-n // ROWS) * ROWS,
            network.n_layers,
            network.n_dimensions,
            network.n_classes,
        )

    @property
    def n_weights(self) -> int:
        """The length of the vector."""
        width, readout = self.gates * self.units, (self.units + 1) * self.n_classes
        first = self.n_dimensions + self.units + 2
        further = (self.n_layers - 1) * (2 * self.units + 2)
        return (first + further) * width + readout


@compiled
def layer_weights(
    weights: Float32Array, shape: Shape, layer: int
) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
    """Views of U (m, g P), W (P, g P), b (g P,) and c (g P,) of a layer."""
    width = shape.gates * shape.units
    n_inputs, start = shape.n_dimensions, 0
    if layer > 0:
        first, further = n_inputs + shape.units + 2, 2 * shape.units + 2
        n_inputs, start = shape.units, (first + (layer - 1) * further) * width
    n_rows = n_inputs + shape.units + 2
    rows = weights[start : start + n_rows * width].reshape((n_rows, width))
    return rows[:n_inputs], rows[n_inputs : n_rows - 2], rows[n_rows - 2], rows[n_rows - 1]


@compiled
def readout_weights(weights: Float32Array, shape: Shape) -> tuple[Float32Array, Float32Array]:
    """Views of V (P, C) and d (C,)."""
    size = (shape.units + 1) * shape.n_classes
    rows = weights[len(weights) - size :].reshape((shape.units + 1, shape.n_classes))
    return rows[: shape.units], rows[shape.units]


def pack(network: Classifier, parameters: Parameters) -> Float32Array:
    """The vector of a network's parameters."""
    shape = Shape.of(network)
    weights = np.zeros(shape.n_weights, dtype=np.float32)
    for k, layer in enumerate(parameters["layers"]):
        views = dict(zip("UWbc", layer_weights(weights, shape, k), strict=True))
        for name, values in layer.items():
            by_gate = _by_gate(values, shape.gates)
            _by_gate(views[name], shape.gates)[_corner(by_gate)] = by_gate
    V, d = readout_weights(weights, shape)
    V[: network.width], d[:] = parameters["V"], parameters["d"]
    return weights


def unpack(network: Classifier, weights: Float32Array) -> Parameters:
    """The parameters in a vector, as arrays of their own."""
    shape, cell, n = Shape.of(network), RNN_CELLS[network.cell], network.width

    def layer(k: int) -> dict[str, Float32Array]:
        U, W, b, c = layer_weights(weights, shape, k)
        named = {"W": W[:n], "U": U[:n] if k else U, "b": b} | ({"c": c} if cell.two_biases else {})
        return {name: _without_padding(view, cell.gates, n) for name, view in named.items()}

    V, d = readout_weights(weights, shape)
    return {
        "layers": [layer(k) for k in range(network.n_layers)],
        "V": V[:n].copy(),
        "d": d.copy(),
    }


def scales(network: Classifier) -> Float32Array:
    """The factor of each weight in the network's function, zero for padding."""
    cell, n = RNN_CELLS[network.cell], network.width
    zeros = unpack(network, np.zeros(Shape.of(network).n_weights, dtype=np.float32))
    bias = cell.scale("bias", 1)

    def layer(k: int) -> dict[str, float]:
        n_inputs = n if k else network.n_dimensions
        return {
            "W": cell.scale("recurrent", n),
            "U": cell.scale("input", n_inputs),
            "b": bias,
            "c": bias,
        }

    def filled(array: Float32Array, scale: float) -> Float32Array:
        return np.full_like(array, scale)

    return pack(
        network,
        {
            "layers": [
                {name: filled(array, layer(k)[name]) for name, array in parameters.items()}
                for k, parameters in enumerate(zeros["layers"])
            ],
            "V": filled(zeros["V"], cell.scale("readout", n)),
            "d": filled(zeros["d"], bias),
        },
    )


def _without_padding(array: Float32Array, gates: int, n: int) -> Float32Array:
    """(..., g P) as a new array (..., g n)."""
    return _by_gate(array, gates)[..., :n].copy().reshape(*array.shape[:-1], gates * n)


def _by_gate(array: Float32Array, gates: int) -> Float32Array:
    """(..., g n) as (..., g, n), a view of a contiguous array."""
    return array.reshape(*array.shape[:-1], gates, array.shape[-1] // gates)


def _corner(array: Float32Array) -> tuple[slice, ...]:
    """The part of a padded array in which the array lies."""
    return tuple(slice(size) for size in array.shape)
