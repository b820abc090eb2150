"""The kernels, one family per file."""

from rntk_bench.kernels.base import Kernel, ProductKernel, ScaledKernel, SumKernel
from rntk_bench.kernels.multiscale import MultiscaleRNTK
from rntk_bench.kernels.normalised_sum import normalised_sum
from rntk_bench.kernels.ntk import NTK
from rntk_bench.kernels.polynomial import Polynomial
from rntk_bench.kernels.rbf import RBF
from rntk_bench.kernels.representations import Representation
from rntk_bench.kernels.represented import Represented
from rntk_bench.kernels.rntk import NNGP, RNTK

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
