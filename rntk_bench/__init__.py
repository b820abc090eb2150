"""Benchmark the Recurrent Neural Tangent Kernel on the UCR time-series archive."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rntk_bench.version import __version__ as __version__

if TYPE_CHECKING:
    from rntk_bench.kernels import (
        NNGP,
        NTK,
        RBF,
        RNTK,
        Kernel,
        MultiscaleRNTK,
        Polynomial,
        ProductKernel,
        Representation,
        Represented,
        ScaledKernel,
        SumKernel,
        normalised_sum,
    )

__all__ = [
    "NNGP",
    "NTK",
    "RBF",
    "RNTK",
    "Kernel",
    "MultiscaleRNTK",
    "Polynomial",
    "ProductKernel",
    "Representation",
    "Represented",
    "ScaledKernel",
    "SumKernel",
    "normalised_sum",
]


def __getattr__(name: str) -> Any:
    # On first use: importing Numba would make `rntk-bench --help` wait.
    if name in __all__:
        return getattr(import_module("rntk_bench.kernels"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
