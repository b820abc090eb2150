"""Support vector classification with a kernel chosen from its grid."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from rntk_bench.errors import ConfigError, KernelError, short_repr
from rntk_bench.estimators.base import KernelEstimator
from rntk_bench.estimators.cv_results import table
from rntk_bench.estimators.labels import encode, fraction_equal, read_labels
from rntk_bench.estimators.series import read, take
from rntk_bench.kernels import RNTK, Kernel
from rntk_bench.kernels.parameters import as_integer, as_number
from rntk_bench.methods import KernelMethod
from rntk_bench.svm.calibration import inverse_temperature, probabilities
from rntk_bench.svm.folds import fold_weights, stratified_folds
from rntk_bench.svm.grid_search import NOT_EVALUATED, Search, undecided_message
from rntk_bench.svm.svc import CrossValidation, OneVsOneSVC, SVCOptions, held_out_decision_values
from rntk_bench.types import FloatArray, IntArray


class UndecidedWarning(UserWarning):
    """Cross-validation tells no setting from any other."""


class KernelClassifier(ClassifierMixin, KernelEstimator):  # type: ignore[misc]
    """C-SVC whose kernel and C are chosen by cross-validation, as the benchmark does.

    With the defaults it is the paper's protocol: `predict` gives the predictions of the record
    that `rntk-bench run` writes for the same data, seed and grid.

    Parameters
    ----------
    method : str or KernelMethod
        Name of a kernel method in `rntk_bench.methods.KERNEL_METHODS`, or one's own.
    grid : dict of str to list, optional
        Axes that replace those of the method's grid, such as ``{"sigma_w": [1.4],
        "activation": ["relu", "erf"]}``; any parameter of the kernel may be one.
    C : sequence of float
        Grid of the SVM's C.
    n_folds : int
        Of the stratified cross-validation; fewer series than folds are left out one by one.
    unit_norm : bool
        Divide each series by its L2 norm over all steps and dimensions.
    tolerance : float
        LIBSVM's stopping tolerance.
    max_iterations : int
        Bound on the solver's steps in one problem; reaching it is a `ConvergenceWarning`.
    prune : bool
        Leave out folds that cannot change the choice. `cv_results_` is NaN there.
    n_jobs : int, optional
        Threads; -1 is one a core. None is 1. The result does not depend on it.
    verbose : bool
        Draw a progress bar.
    random_state : int, RandomState or None
        Seed of the folds. A number gives the benchmark's folds of that seed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    grid_ : dict
        Values of each of the kernel's parameters, and of C.
    kernel_ : Kernel
        The chosen one.
    best_params_ : dict
        Its setting, and C.
    best_index_ : int
        Its row in `cv_results_`.
    best_score_ : float
        Its mean validation accuracy.
    n_ties_ : int
        Settings and C with this accuracy; the smallest C is taken, then the first setting. Where
        all tie, the method's default setting is taken with the middle C; where no held-out series
        is ever right, that is an `UndecidedWarning`.
    cv_results_ : dict
        As of scikit-learn's `GridSearchCV`.
    n_features_in_ : int
        T, where X was one array.
    n_dimensions_in_ : int
        Values at each step.

    Notes
    -----
    X has shape (n, T) or (n, T, m), n series of T steps of m values, or is a list of n arrays of
    shape (T_i,) or (T_i, m). sktime's numpy3D has its last two axes the other way round; its
    faces in `rntk_bench.estimators.sktime_adapters` turn them. An array must have the T of the one
    that was fitted to; series in a list may have any lengths. Kernels that see a series as one
    vector pad it with zeros at its end to the longest fitted to, and refuse a longer one.

    `predict_proba` is the softmax of `decision_function` times one factor, fitted to decisions on
    held-out folds (temperature scaling, `rntk_bench.svm.calibration`).
    """

    def __init__(
        self,
        method: str | KernelMethod = "rntk",
        *,
        grid: Mapping[str, Any] | None = None,
        C: Sequence[float] = (0.01, 0.1, 1.0, 10.0, 100.0),
        n_folds: int = 10,
        unit_norm: bool = True,
        tolerance: float = 1e-3,
        max_iterations: int = 1_000_000,
        prune: bool = True,
        n_jobs: int | None = None,
        verbose: bool = False,
        random_state: Any = 0,
    ) -> None:
        self.method = method
        self.grid = grid
        self.C = C
        self.n_folds = n_folds
        self.unit_norm = unit_norm
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.prune = prune
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Choose kernel and C, and train on everything.

        Parameters
        ----------
        X : n series, see the class's notes
        y : array of shape (n,)
            Labels of at least two classes.

        Raises
        ------
        ValueError
            For input or a grid that cannot be used; the message says what.
        """
        method, options = self._resolved(), self._options()
        labels = read_labels(self, y)
        X = read(self, X)
        check_consistent_length(X, labels)
        self.classes_, codes = encode(labels)
        if len(self.classes_) < 2:
            raise ValueError(
                f"The series have one class, {str(self.classes_[0])!r}: there is nothing to learn."
            )
        order = np.argsort(codes, kind="stable")
        codes, self.X_fit_ = codes[order], self._normalised(take(X, order))
        fold = stratified_folds(codes, self._folds(), self._seed())
        kernels = method.kernels()
        self.grid_ = {**method.grid, "C": options.C}
        search = Search(CrossValidation(codes, fold, options), len(kernels), self.prune)
        self._search(kernels, self.X_fit_, search.evaluate)
        self._choose(search, method, kernels)
        self._train(codes, fold, options)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The class of each series, shape (n,); ties of votes go to the first, as in LIBSVM."""
        decisions = self._decisions(X)
        found: NDArray[Any] = self.classes_[self.svc_.predicted_classes(decisions)]
        return found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy on series X with labels y, (n,)."""
        return fraction_equal(read_labels(self, y), self.predict(X), sample_weight)

    def decision_function(self, X: Any) -> FloatArray:
        """Score of each class, shape (n, n_classes); of two classes that of the second, (n,).

        As scikit-learn's SVC gives them: the votes of the pairwise machines, and below 1/3 the
        sum of their decisions.
        """
        return self._per_class(self._decisions(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Probability of each class, shape (n, n_classes), in the order of `classes_`."""
        return self.predict_codes(X)[1]

    def predict_codes(self, X: Any) -> tuple[IntArray, FloatArray]:
        """Return what `predict` says, as positions in `classes_`, and `predict_proba`, at once."""
        decisions = self._decisions(X)
        scores = _scores(self._per_class(decisions))
        return self.svc_.predicted_classes(decisions), probabilities(
            scores, self.inverse_temperature_
        )

    def _options(self) -> SVCOptions:
        C = self._numbers("C")
        if C is None or min(C) <= 0:
            raise ConfigError(f"C is {short_repr(self.C)}, but must be numbers > 0, at least one.")
        tolerance = as_number(self.tolerance)
        if tolerance is None or not 0 < tolerance < math.inf:
            raise ConfigError(f"tolerance is {short_repr(self.tolerance)}, but must be > 0.")
        steps = as_integer(self.max_iterations)
        if steps is None or steps < 1:
            raise ConfigError(
                f"max_iterations is {short_repr(self.max_iterations)}, but must be an integer > 0."
            )
        return SVCOptions(tuple(sorted(set(C))), tolerance, steps)

    def _choose(self, search: Search, method: KernelMethod, kernels: Sequence[Kernel]) -> None:
        try:
            choice = search.choose(method.default_setting)
        except ValueError:
            found = " or ".join(sorted(set(search.invalid_reasons.values())))
            size = getattr(self, "n_features_in_", None)  # None for lists of series
            these = "these series" if size is None else f"series of {size} feature(s)"
            raise KernelError(
                f"No setting of {method.name}'s grid can be used on {these}: the Gram {found}; "
                "take series that differ, scale them down, or take other values."
            ) from None
        if hard := search.unfinished_settings:
            warnings.warn(
                f"In {hard} settings a problem stopped at max_iterations={self.max_iterations}.",
                ConvergenceWarning,
                stacklevel=3,
            )
        if choice.by_default and choice.accuracy == 0.0:
            tied = f"{choice.ties} pairs of setting and C"
            warnings.warn(undecided_message(tied, choice.accuracy), UndecidedWarning, stacklevel=3)
        sizes, n_C = search.validation.fold_sizes, len(self.grid_["C"])
        n_correct = np.where(search.n_correct == NOT_EVALUATED, np.nan, search.n_correct).reshape(
            -1, len(sizes)
        )
        weights, full = fold_weights(sizes)  # so that ties are ties
        self.cv_results_ = table(self.grid_, n_correct / sizes, n_correct @ weights / full)
        self.kernel_, self.n_ties_ = kernels[choice.setting], choice.ties
        self.best_index_ = choice.setting * n_C + choice.C
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        self.best_score_ = choice.accuracy

    def _train(self, codes: IntArray, fold: IntArray, options: SVCOptions) -> None:
        """The SVMs trained on everything, and the temperature from those without a fold."""
        (train,) = type(self.kernel_).read_alike(self.X_fit_)
        gram, C = self.kernel_(train), self.best_params_["C"]
        self.svc_ = OneVsOneSVC.train(gram, codes, C, options)
        held_out = held_out_decision_values(gram, codes, fold, C, options)
        scores = _scores(
            -held_out[0] if len(self.classes_) == 2 else self.svc_.one_vs_rest_scores(held_out)
        )
        self.inverse_temperature_ = inverse_temperature(scores, codes)

    def _per_class(self, decisions: FloatArray) -> FloatArray:
        """What `decision_function` returns, of the decisions of the pairwise machines."""
        if len(self.classes_) == 2:
            return np.asarray(-decisions[0])
        return self.svc_.one_vs_rest_scores(decisions)

    def _decisions(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        return self.svc_.decision_values(self._gram(X))


class RNTKClassifier(KernelClassifier):
    """`KernelClassifier` of the RNTK; parameters and attributes as there.

    `method` is one of those whose kernel is an RNTK: "rntk" (the paper's), "rntk-avg",
    "rntk-both", "rntk-extended", or "nngp".
    """

    family: ClassVar[type[Kernel]] = RNTK


def _scores(decision: FloatArray) -> FloatArray:
    """Scores (n, k) of what `decision_function` returns."""
    return decision if decision.ndim == 2 else np.column_stack([np.zeros_like(decision), decision])
