"""The kernels as scikit-learn's and sktime's users meet them."""

from rntk_bench.estimators.classifier import KernelClassifier, RNTKClassifier
from rntk_bench.estimators.regressor import KernelRegressor, RNTKRegressor

__all__ = ["KernelClassifier", "KernelRegressor", "RNTKClassifier", "RNTKRegressor"]
