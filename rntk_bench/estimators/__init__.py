"""Estimators with the interfaces of scikit-learn and sktime.

The adapters for sktime are in `rntk_bench.estimators.sktime_adapters`, which imports sktime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rntk_bench.estimators.classifier import KernelClassifier, RNTKClassifier, UndecidedWarning
    from rntk_bench.estimators.gaussian_process import GaussianProcessKernel, as_objects
    from rntk_bench.estimators.multiscale import MultiscaleRNTKClassifier
    from rntk_bench.estimators.portable import load_model, save_model
    from rntk_bench.estimators.regressor import KernelRegressor, RNTKRegressor

__all__ = [
    "GaussianProcessKernel",
    "KernelClassifier",
    "KernelRegressor",
    "MultiscaleRNTKClassifier",
    "RNTKClassifier",
    "RNTKRegressor",
    "UndecidedWarning",
    "as_objects",
    "load_model",
    "save_model",
]
_MODULES = {
    "classifier": ("KernelClassifier", "RNTKClassifier", "UndecidedWarning"),
    "gaussian_process": ("GaussianProcessKernel", "as_objects"),
    "multiscale": ("MultiscaleRNTKClassifier",),
    "portable": ("load_model", "save_model"),
    "regressor": ("KernelRegressor", "RNTKRegressor"),
}


def __getattr__(name: str) -> Any:
    # Imported on first use: scikit-learn's Gaussian processes alone take a second to import.
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
