"""The kernels as scikit-learn's and sktime's users meet them.

sktime's faces are in `rntk_bench.estimators.sktime_faces`, which imports sktime.
"""

from rntk_bench.estimators.classifier import KernelClassifier, RNTKClassifier
from rntk_bench.estimators.gaussian_process import GaussianProcessKernel, as_objects
from rntk_bench.estimators.portable import load_model, save_model
from rntk_bench.estimators.regressor import KernelRegressor, RNTKRegressor

__all__ = [
    "GaussianProcessKernel",
    "KernelClassifier",
    "KernelRegressor",
    "RNTKClassifier",
    "RNTKRegressor",
    "as_objects",
    "load_model",
    "save_model",
]
