"""The methods of the benchmark: kernels with a grid and an SVM, and finite networks with a grid."""

from rntk_bench.methods.base import Method
from rntk_bench.methods.kernel_method import KernelMethod
from rntk_bench.methods.network_method import NetworkMethod
from rntk_bench.methods.registry import KERNEL_METHODS, METHODS, NETWORK_METHODS, display_name
from rntk_bench.methods.resolve import only_kernels, resolve, with_grid

__all__ = [
    "KERNEL_METHODS",
    "METHODS",
    "NETWORK_METHODS",
    "KernelMethod",
    "Method",
    "NetworkMethod",
    "display_name",
    "only_kernels",
    "resolve",
    "with_grid",
]
