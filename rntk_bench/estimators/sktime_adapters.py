"""Adapters of the kernels and classifiers for sktime; importing this module imports sktime.

The adapters swap the last two axes of sktime's numpy3D, which has shape (n, m, T).
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sktime.classification.base import BaseClassifier
from sktime.dists_kernels.base import BasePairwiseTransformerPanel

from rntk_bench.estimators.classifier import KernelClassifier, RNTKClassifier
from rntk_bench.estimators.labels import fraction_equal, validate_labels
from rntk_bench.estimators.multiscale import MultiscaleRNTKClassifier
from rntk_bench.estimators.support_vectors import SupportVectorClassifier
from rntk_bench.kernels import NTK, RNTK, Kernel
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray


class PanelKernel(BasePairwiseTransformerPanel):  # type: ignore[misc]
    """A kernel of this package as sktime's pairwise transformer, such as for `TimeSeriesSVC`.

    Parameters
    ----------
    kernel : Kernel, optional
        `RNTK()` if None. Kernels that treat a series as one vector pad series of different lengths
        with zeros at the end.

    Notes
    -----
    `transform(X, X2)`, where X2 is the same object as X, is the Gram of one set.

    Examples
    --------
    >>> import numpy as np
    >>> from sktime.classification.kernel_based import TimeSeriesSVC
    >>> from rntk_bench import RNTK
    >>> from rntk_bench.estimators.sktime_adapters import PanelKernel
    >>> X, y = np.random.default_rng(0).standard_normal((10, 2, 30)), np.arange(10) % 2
    >>> kernel = PanelKernel(RNTK(sigma_w=1.4, sigma_b=0.1))
    >>> kernel(X).shape
    (10, 10)
    >>> TimeSeriesSVC(kernel).fit(X, y).predict(X[:3])
    array([0, 1, 0])
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "The rntk-bench maintainers",
        "maintainers": "The rntk-bench maintainers",
        "pwtrafo_type": "kernel",
        "symmetric": True,
        "capability:missing_values": False,
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "X_inner_mtype": ["df-list", "numpy3D"],
        "python_dependencies": "rntk-bench",
    }

    def __init__(self, kernel: Kernel | None = None) -> None:
        self.kernel = kernel
        super().__init__()

    def _transform(self, X: Any, X2: Any = None) -> FloatArray:
        one_set = X2 is None or X2 is X
        return self._kernel()(_sequences(X), None if one_set else _sequences(X2))

    def transform_diag(self, X: Any) -> FloatArray:
        """Diagonal of `transform(X)`, shape (n,)."""
        return self._kernel().diag(_sequences(self._pairwise_panel_x_check(X)))

    def _kernel(self) -> Kernel:
        return RNTK() if self.kernel is None else self.kernel

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's test suite."""
        del parameter_set
        return [{}, {"kernel": RNTK(1.2, sigma_b=0.1, sigma_h=0.3)}, {"kernel": NTK(n_layers=2)}]


class PanelClassifier(BaseClassifier):  # type: ignore[misc]
    """Adapter of a classifier of this package with sktime's interface.

    Parameters
    ----------
    classifier : KernelClassifier or MultiscaleRNTKClassifier, optional
        `RNTKClassifier()` if None.

    Attributes
    ----------
    classifier_ : KernelClassifier or MultiscaleRNTKClassifier
        The fitted classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from rntk_bench.estimators import RNTKClassifier
    >>> from rntk_bench.estimators.sktime_adapters import PanelClassifier
    >>> X, y = np.random.default_rng(0).standard_normal((10, 2, 30)), np.arange(10) % 2
    >>> small = RNTKClassifier(grid={"sigma_w": [1.4], "sigma_b": [0.1], "sigma_h": [0.0]})
    >>> PanelClassifier(small).fit(X, y).predict(X[:3])
    array([0, 1, 0])
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "The rntk-bench maintainers",
        "maintainers": "The rntk-bench maintainers",
        "classifier_type": "kernel",
        "capability:missing_values": False,
        "capability:multivariate": True,
        "capability:unequal_length": True,
        "capability:predict_proba": True,
        "X_inner_mtype": ["df-list", "numpy3D"],
        "python_dependencies": "rntk-bench",
    }

    def __init__(self, classifier: SupportVectorClassifier | None = None) -> None:
        self.classifier = classifier
        super().__init__()

    def _fit(self, X: Any, y: NDArray[Any]) -> Self:
        classifier = RNTKClassifier() if self.classifier is None else clone(self.classifier)
        self.classifier_ = classifier.fit(_sequences(X), y)
        return self

    def _predict(self, X: Any) -> NDArray[Any]:
        return self.classifier_.predict(_sequences(X))

    def _predict_proba(self, X: Any) -> FloatArray:
        return self.classifier_.predict_proba(_sequences(X))

    def score(self, X: Any, y: Any) -> float:
        """The accuracy on series X with labels y, shape (n,)."""
        predicted = self.predict(X)
        return fraction_equal(validate_labels(self.classifier_, y), predicted)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's test suite."""
        del parameter_set
        small = {"sigma_w": [1.2, 1.4], "sigma_b": [0.1], "sigma_h": [0.0]}
        return [
            {"classifier": RNTKClassifier(grid=small, C=(1.0, 10.0), n_folds=3)},
            {"classifier": KernelClassifier("rbf", grid={"alpha": [0.1, 1.0]}, n_folds=3)},
            {"classifier": MultiscaleRNTKClassifier(n_folds=3)},
        ]


def _sequences(X: Any) -> Sequences:
    """Convert sktime's df-list or numpy3D to a list of series (T_i, m)."""
    if isinstance(X, np.ndarray):
        return list(X.swapaxes(1, 2))
    return [series.to_numpy(dtype=np.float64) for series in X]
