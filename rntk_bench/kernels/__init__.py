"""The kernels, one family per file."""

from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.ntk import NTK
from rntk_bench.kernels.polynomial import Polynomial
from rntk_bench.kernels.rbf import RBF
from rntk_bench.kernels.rntk import NNGP, RNTK

__all__ = ["NNGP", "NTK", "RBF", "RNTK", "Kernel", "Polynomial"]
