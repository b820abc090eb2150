"""Support vector classification of series by a Gram matrix: what all classifiers share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from rntk_bench.datasets.dataset import take_series
from rntk_bench.errors import ConfigError, short_repr
from rntk_bench.estimators.base import SeriesEstimator
from rntk_bench.estimators.labels import encode, fraction_equal, validate_labels
from rntk_bench.kernels.parameters import as_integer, as_number
from rntk_bench.svm.calibration import inverse_temperature, probabilities
from rntk_bench.svm.folds import repeated_folds
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import OneVsOneSVC, held_out_decision_values
from rntk_bench.types import FloatArray, IntArray


class SupportVectorClassifier(ClassifierMixin, SeriesEstimator):  # type: ignore[misc]
    """Base class of classifiers whose `_train` fits one-vs-one SVMs to a Gram matrix."""

    tolerance: float
    max_iterations: int

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict the classes, shape (n,); tied votes go to the first class, as in LIBSVM."""
        decisions = self._decisions(X)
        classes: NDArray[Any] = self.classes_[self.svc_.predicted_classes(decisions)]
        return classes

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy on series X with labels y, (n,)."""
        return fraction_equal(validate_labels(self, y), self.predict(X), sample_weight)

    def decision_function(self, X: Any) -> FloatArray:
        """Scores of the classes, shape (n, n_classes); for two classes of the second class, (n,).

        As in scikit-learn's SVC: the votes of the binary SVMs, plus the sum of their decision
        values scaled to less than 1/3.
        """
        return self._class_scores(self._decisions(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Predict class probabilities, shape (n, n_classes), in the order of `classes_`."""
        return self.predict_codes(X)[1]

    def predict_codes(self, X: Any) -> tuple[IntArray, FloatArray]:
        """Predict class codes, which index `classes_`, and probabilities in one pass."""
        decisions = self._decisions(X)
        scores = _score_matrix(self._class_scores(decisions))
        return self.svc_.predicted_classes(decisions), probabilities(
            scores, self.inverse_temperature_
        )

    def _svc_options(self, C: tuple[float, ...]) -> SVCOptions:
        """Options of the solver for ascending C.

        Raises
        ------
        ConfigError
            If `tolerance` or `max_iterations` is invalid.
        """
        tolerance = as_number(self.tolerance)
        if tolerance is None or not 0 < tolerance < math.inf:
            raise ConfigError(f"tolerance is {short_repr(self.tolerance)}, but must be > 0.")
        steps = as_integer(self.max_iterations)
        if steps is None or steps < 1:
            raise ConfigError(
                f"max_iterations is {short_repr(self.max_iterations)}, but must be an integer > 0."
            )
        return SVCOptions(C, tolerance, steps)

    def _sort_by_class(
        self, X: Any, labels: NDArray[Any], n_folds: int, n_repeats: int, seed: int
    ) -> tuple[Any, IntArray, list[IntArray]]:
        """The series and their class codes (n,) in ascending order, and the folds of each repeat.

        The folds are those of the series in their original order. Stores `classes_`.

        Raises
        ------
        ValueError
            If there is another number of labels than series, or only one class.
        """
        check_consistent_length(X, labels)
        self.classes_, codes = encode(labels)
        if len(self.classes_) < 2:
            raise ValueError(
                f"The series have one class, {str(self.classes_[0])!r}: there is nothing to learn."
            )
        order = np.argsort(codes, kind="stable")
        folds = repeated_folds(codes, n_folds, n_repeats, seed)
        return take_series(X, order), codes[order], [fold[order] for fold in folds]

    def _train(
        self, gram: FloatArray, codes: IntArray, fold: IntArray, C: float, options: SVCOptions
    ) -> None:
        """Train the SVMs on all series, and fit the temperature to held-out decision values."""
        self.svc_ = OneVsOneSVC.train(gram, codes, C, options)
        held_out = held_out_decision_values(gram, codes, fold, C, options)
        scores = _score_matrix(
            -held_out[0] if len(self.classes_) == 2 else self.svc_.one_vs_rest_scores(held_out)
        )
        self.inverse_temperature_ = inverse_temperature(scores, codes)

    def _class_scores(self, decisions: FloatArray) -> FloatArray:
        """The result of `decision_function`, from the decision values of the binary SVMs."""
        if len(self.classes_) == 2:
            return np.asarray(-decisions[0])
        return self.svc_.one_vs_rest_scores(decisions)

    def _decisions(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        return self.svc_.decision_values(self._gram_with_training_series(X))


def _score_matrix(decision: FloatArray) -> FloatArray:
    """Convert the result of `decision_function` to scores (n, k), also for two classes."""
    return decision if decision.ndim == 2 else np.column_stack([np.zeros_like(decision), decision])
