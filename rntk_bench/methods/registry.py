"""The registry of methods: a method is added to the benchmark by one entry here.

Kernels are imported when they are first used, so that commands which only need the methods' names
and descriptions start at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rntk_bench.config import Grid, Value
from rntk_bench.methods.base import Method
from rntk_bench.methods.kernel_method import KernelMethod
from rntk_bench.methods.network_method import NetworkMethod

# The paper's grids: (25)-(28) of the RNTK, (36)-(38) of the NTK, (40) of the RBF kernel, (42) and
# (43) of the polynomial kernel, and A.1 of the networks.
_RNTK_GRID: Grid = {
    "sigma_w": (
        *(1.34, 1.35, 1.36, 1.37, 1.38, 1.39, 1.40, 1.41, 1.42),
        *(math.sqrt(2.0), 1.43, 1.44, 1.45, 1.46, 1.47),
    ),
    "sigma_u": (1.0,),
    "sigma_b": (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 2.0),
    "sigma_h": (0.0, 0.01, 0.1, 0.5, 1.0),
}
_RNTK_DEFAULT: Mapping[str, Value] = {
    "sigma_w": math.sqrt(2.0),
    "sigma_u": 1.0,
    "sigma_b": 0.1,
    "sigma_h": 0.0,
}
"""The paper's S_ReLU (section 3), but with a bias."""
_NTK_GRID: Grid = {
    "n_layers": tuple(range(1, 11)),
    "sigma_w": (0.5, 1.0, math.sqrt(2.0), 2.0, 2.5, 3.0),
    "sigma_b": (0.0, 0.01, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 5.0),
}
_RBF_GRID: Grid = {
    "alpha": (
        *(0.01, 0.05, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 1.0),
        *(2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 100.0),
    )
}
_POLYNOMIAL_GRID: Grid = {"degree": (1, 2, 3, 4, 5), "r": (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)}
_SHARED_GRID: Grid = {
    "pooling": ("shared",),
    "input": ("z", "unit", "raw"),
    "sigma_u": (1.0,),
    "sigma_b": (0.3,),
    "sigma_h": (0.0,),
    "memory": (1 / 60, 1 / 15, 1 / 4),
    "bandwidth": (0.0, 1 / 16, 1 / 4, "half"),
    "lag_resolution": (144,),
}
_NETWORK: dict[str, Any] = {
    "grid": {
        "n_layers": (1, 2),
        "width": (50, 100, 200, 500),
        "learning_rate": (1e-2, 1e-3, 1e-4, 1e-5),
    },
    "default": {"n_layers": 1, "width": 100, "learning_rate": 1e-3},
}

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        KernelMethod(
            "rntk",
            _RNTK_GRID,
            "RNTK",
            default=_RNTK_DEFAULT,
            title="RNTK",
            summary="tangent kernel of an infinitely wide recurrent network, read out at the last "
            "step",
            reference="Theorem 1, (116) and (141)",
        ),
        KernelMethod(
            "ntk",
            _NTK_GRID,
            "NTK",
            default={"n_layers": 1, "sigma_w": math.sqrt(2.0), "sigma_b": 0.1},
            title="NTK",
            summary="tangent kernel of an infinitely wide perceptron, the series one vector",
            reference="(30) to (35)",
        ),
        KernelMethod(
            "rbf",
            _RBF_GRID,
            "RBF",
            default={"alpha": 1.0},
            title="RBF",
            summary="radial basis function, the series one vector",
            reference="(39)",
        ),
        KernelMethod(
            "poly",
            _POLYNOMIAL_GRID,
            "Polynomial",
            default={"degree": 3, "r": 1.0},
            title="Polynomial",
            summary="polynomial kernel, the series one vector",
            reference="(41)",
        ),
        # Not in the paper: the readouts of arXiv:2012.04859, and the network's Gaussian process.
        KernelMethod(
            "rntk-avg",
            {"pooling": ("average",), **_RNTK_GRID},
            "RNTK",
            default=_RNTK_DEFAULT,
            title="RNTK average",
            summary="the RNTK with a readout at every step",
            reference="(141) at every step, arXiv:2012.04859",
        ),
        KernelMethod(
            "rntk-both",
            {"direction": ("both",), **_RNTK_GRID},
            "RNTK",
            default=_RNTK_DEFAULT,
            title="RNTK both",
            summary="the sum of the RNTKs forward and backward in time",
            reference="(141) in both directions, arXiv:2012.04859",
        ),
        KernelMethod(
            "nngp",
            _RNTK_GRID,
            "NNGP",
            default=_RNTK_DEFAULT,
            title="NNGP",
            summary="Gaussian process of the RNTK's network: its output before any training",
            reference="(9)",
        ),
        KernelMethod(
            "rntk-extended",
            {
                "direction": ("forward", "backward", "both"),
                "pooling": ("last", "average"),
                **_RNTK_GRID,
            },
            "RNTK",
            default={"direction": "forward", "pooling": "last", **_RNTK_DEFAULT},
            title="RNTK extended",
            summary="the RNTK, its direction and pooling chosen by cross-validation too",
            reference="(141), arXiv:2012.04859",
        ),
        # Of this project: one readout, shared between the steps.
        KernelMethod(
            "rntk-shared",
            _SHARED_GRID,
            "RNTK",
            C=(0.01, 0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0),
            n_repeats=3,
            gram_scale="centred",
            default={"input": "z", "memory": 1 / 15, "bandwidth": 0.25},
            title="RNTK shared",
            summary="the RNTK with one readout shared between the steps, its input, memory and "
            "bandwidth chosen by cross-validation",
            reference="(141) of all pairs of prefixes, class RNTK",
        ),
        KernelMethod(
            "rntk-multiscale",
            {"input": ("archive",)},
            "MultiscaleRNTK",
            C=(10.0,),
            title="RNTK multiscale",
            summary="a sum of kernels of step units with a shared readout, over representations, "
            "scales, directions and bandwidths, with nothing to choose",
            reference="(16) of all pairs of prefixes, class MultiscaleRNTK",
        ),
        NetworkMethod(
            "rnn-gaussian",
            title="Gaussian RNN",
            summary="finite ReLU network in NTK parametrisation, its weights drawn from a Gaussian",
            reference="A.1",
            **_NETWORK,
        ),
        NetworkMethod(
            "rnn-identity",
            title="Identity RNN",
            summary="finite ReLU network that begins with W = I",
            reference="A.1; Le, Jaitly and Hinton (2015), arXiv:1504.00941",
            **_NETWORK,
        ),
        NetworkMethod(
            "gru",
            title="GRU",
            summary="finite network of gated recurrent units",
            reference="A.1; Cho et al. (2014), arXiv:1406.1078",
            **_NETWORK,
        ),
    )
}
KERNEL_METHODS: Mapping[str, KernelMethod] = {
    name: method for name, method in METHODS.items() if isinstance(method, KernelMethod)
}
NETWORK_METHODS: Mapping[str, NetworkMethod] = {
    name: method for name, method in METHODS.items() if isinstance(method, NetworkMethod)
}


def display_name(name: str) -> str:
    """A method's title in tables; its name if it is not in the registry."""
    return METHODS[name].title if name in METHODS else name
