"""Kernel ridge regression for a whole grid of ridges at once (appendix A.2).

One eigendecomposition K = Q diag(w) Q' of a Gram gives the solution for every ridge lambda:
(K + lambda I)^-1 y is Q (Q'y / (w + lambda)). At lambda = 0 the pseudo-inverse is used, so that a
singular Gram has the solution of least norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from rntk_bench.errors import InputError, KernelError, short_repr
from rntk_bench.types import FloatArray, IntArray

RIDGES = (
    *(0.0, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    *(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 100.0),
)
"""The paper's grid (47), which has 0.8 twice and lacks 0.9 and 9."""


class Spectrum(NamedTuple):
    """Eigenvalues w (.., n) and eigenvectors Q (.., n, n), as columns, of Grams (.., n, n)."""

    values: FloatArray
    vectors: FloatArray

    @classmethod
    def of(cls, grams: FloatArray) -> Spectrum:
        """Decompose symmetric Grams (.., n, n) of finite entries.

        Raises
        ------
        KernelError
            If the eigenvalues of a Gram do not converge.
        """
        try:
            return cls(*np.linalg.eigh(grams))
        except np.linalg.LinAlgError:
            raise KernelError(
                "The eigenvalues of a Gram do not converge; scale the series, or leave out the "
                "settings with extreme parameters."
            ) from None

    def coefficients(self, y: FloatArray, ridges: Sequence[float] = RIDGES) -> FloatArray:
        """Dual coefficients (K + lambda I)^-1 y, (.., R, n), of targets y (n,)."""
        inverse, _ = self._inverse(ridges)
        projected = y @ self.vectors  # (.., n)
        result: FloatArray = (inverse * projected[..., None, :]) @ self.vectors.swapaxes(-1, -2)
        return result

    def leave_one_out(self, y: FloatArray, ridges: Sequence[float] = RIDGES) -> FloatArray:
        """Residuals y_i - f_i(x_i), (.., R, n), where f_i is fitted without series i.

        They are alpha_i / G_ii with G = (K + lambda I)^-1. At lambda = 0 they are the limit of
        that: where series i has a component in the null space of K, the ratio of the projections
        on the null space.
        """
        inverse, null = self._inverse(ridges)
        squares = self.vectors.swapaxes(-1, -2) ** 2
        alpha, diagonal = self.coefficients(y, ridges), inverse @ squares
        projected = (y @ self.vectors)[..., None, :]
        alpha_null = (null * projected) @ self.vectors.swapaxes(-1, -2)
        diagonal_null = null @ squares
        in_null = diagonal_null > np.sqrt(np.finfo(float).eps)
        residuals: FloatArray = np.divide(
            np.where(in_null, alpha_null, alpha),
            np.where(in_null, diagonal_null, diagonal),
        )
        return residuals

    def _inverse(self, ridges: Sequence[float]) -> tuple[FloatArray, FloatArray]:
        """1 / (w + lambda), (.., R, n), 0 where w + lambda is 0 up to rounding; and where it is."""
        shifted = self.values[..., None, :] + np.asarray(ridges, dtype=float)[:, None]
        largest = np.abs(self.values).max(axis=-1, initial=0.0)[..., None, None]
        null = np.abs(shifted) <= shifted.shape[-1] * np.finfo(float).eps * largest
        inverse = np.divide(1.0, shifted, out=np.zeros_like(shifted), where=~null)
        return inverse, null.astype(float)


def validation_residuals(
    grams: FloatArray, y: FloatArray, fold: IntArray, ridges: Sequence[float] = RIDGES
) -> FloatArray:
    """Residuals of cross-validated kernel ridge regression.

    Parameters
    ----------
    grams : (.., n, n) Grams of a grid's settings
    y : (n,)
    fold : (n,) number of the fold in which each series is held out
    ridges : R numbers >= 0

    Returns
    -------
    (.., R, n) the target of each series minus its prediction by the fit without its fold
    """
    residuals = np.empty((*grams.shape[:-2], len(ridges), len(y)))
    for q in np.unique(fold):
        train, held_out = np.flatnonzero(fold != q), np.flatnonzero(fold == q)
        spectrum = Spectrum.of(grams[..., train[:, None], train])
        K_test = grams[..., train[:, None], held_out]
        residuals[..., held_out] = y[held_out] - spectrum.coefficients(y[train], ridges) @ K_test
    return residuals


class KernelRidge:
    """Kernel ridge regression whose ridge is chosen by the leave-one-out error.

    Parameters
    ----------
    kernel : callable
        `kernel(X)` returns the Gram (n, n) of one set of series, `kernel(X, Y)` the Gram
        (n_x, n_y) of two sets. Every kernel of this package is such a callable.
    ridges : sequence of float
        Candidates, each >= 0. Ties go to the first.

    Attributes
    ----------
    ridge_ : float
        The chosen ridge.
    loo_errors_ : (R,) ndarray
        Mean squared leave-one-out residual of each ridge.
    dual_coef_ : (n,) ndarray

    Raises
    ------
    InputError
        If there are no ridges, or one is negative or not finite.
    """

    def __init__(self, kernel: Callable[..., FloatArray], ridges: Sequence[float] = RIDGES) -> None:
        try:
            numbers = tuple(float(ridge) for ridge in np.ravel(ridges))
        except (TypeError, ValueError):
            numbers = ()
        if not numbers or not all(0 <= ridge < np.inf for ridge in numbers):
            raise InputError(f"ridges is {short_repr(ridges)}, but must be finite numbers >= 0.")
        self.kernel, self.ridges = kernel, numbers

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to series X, as the kernel takes them, and targets y (n,).

        Raises
        ------
        InputError
            If there are fewer than two series, the number of targets differs, or a target or an
            entry of the Gram is not finite.
        """
        try:
            y = np.asarray(y, dtype=float)
        except (TypeError, ValueError):
            raise InputError("The targets y must be numbers.") from None
        gram = self.kernel(X)
        if y.shape != (len(gram),) or len(y) < 2:
            raise InputError(
                f"There are {len(gram)} series and targets of shape {y.shape}; give two or more "
                "series and one target for each."
            )
        for name, values in (("target", y), ("entry of the Gram", gram)):
            if not np.isfinite(values).all():
                raise InputError(f"A {name} is not finite; leave it out or scale the series.")
        spectrum = Spectrum.of(gram)
        self.loo_errors_ = (spectrum.leave_one_out(y, self.ridges) ** 2).mean(axis=-1)
        best = int(np.argmin(self.loo_errors_))
        self.ridge_ = self.ridges[best]
        self.dual_coef_ = spectrum.coefficients(y, self.ridges)[best]
        self._X = X
        return self

    def predict(self, X: Any) -> FloatArray:
        """Predict the targets (n,) of series X."""
        predictions: FloatArray = self.kernel(X, self._X) @ self.dual_coef_
        return predictions
