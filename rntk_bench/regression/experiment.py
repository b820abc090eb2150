"""One repeat of the paper's regression experiment (A.2): predict the value after a segment.

A segment of a signal s is s_i, .., s_(i+T-1), and its target is s_(i+T). The length T is uniform in
[T_fixed, T_fixed + T_var], and the start i is uniform too. The RNTK reads segments as they are; for
the other kernels they are padded with zeros at the end to the longest length.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from rntk_bench.errors import InputError
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.series import Sequences
from rntk_bench.methods import KernelMethod
from rntk_bench.svm.gram_check import LARGEST_ENTRY
from rntk_bench.svm.ridge import RIDGES, Spectrum, validation_residuals
from rntk_bench.types import FloatArray, IntArray

N_FOLDS = 5


@dataclass(frozen=True)
class Conditions:
    """The parameters of a repeat that Figure 4 varies.

    Attributes
    ----------
    length : int
        T_var, by how much a segment may be longer than the shortest.
    noise : float
        sigma_n, the standard deviation of the noise; only the sine has noise.
    train : int
        Number of training segments.
    """

    length: int = 10
    noise: float = 0.05
    train: int = 20


@dataclass(frozen=True)
class Sine:
    """One period of a sine in 1,000 samples with Gaussian noise, which each repeat draws anew.

    Training and test segments come from the same signal.
    """

    T_fixed: int = 10
    n_test: int = 5000
    samples: int = 1000
    name: ClassVar[str] = "sine"

    def describe(self) -> dict[str, Any]:
        """Return the name and the parameters, to identify a checkpoint."""
        return {"signal": self.name, **asdict(self)}

    def draw(self, rng: np.random.Generator, noise: float) -> tuple[FloatArray, FloatArray]:
        """Draw the signals of the training and of the test segments, which are the same here."""
        clean = np.sin(2.0 * np.pi * np.arange(self.samples) / self.samples)
        noisy = clean + noise * rng.standard_normal(self.samples)
        return noisy, noisy


class Standardised(NamedTuple):
    """Standardised values (n,), with the mean and the standard deviation that were used."""

    values: FloatArray
    mean: float
    std: float


def standardise(values: FloatArray, n_train: int) -> Standardised:
    """Standardise values (n,) by the mean and the standard deviation of the first `n_train`.

    Raises
    ------
    InputError
        If the first values are constant, or values are so large or small that their squares
        overflow or vanish.
    """
    train = values[:n_train]
    if np.ptp(train) == 0.0:
        raise InputError(
            f"The first {n_train} values, which are trained on, are constant: there is nothing "
            "to learn; train on more of them."
        )
    with np.errstate(all="ignore"):
        mean, std = float(train.mean()), float(train.std())
        standardised = (values - mean) / train.std()
        representable = np.isfinite((standardised**2).sum() * np.square(std))
    if not representable:
        raise InputError(
            "The values are too large, too small or too far apart to be standardised; give "
            "them in another unit."
        )
    return Standardised(standardised, mean, std)


@dataclass(frozen=True)
class Prices:
    """Daily closing prices: the first days for training segments, the rest for test segments.

    The paper does not say how prices are scaled. Here they are standardised by the mean and the
    standard deviation of the training days.
    """

    closes: tuple[float, ...]
    n_train_days: int = 700
    n_days: int = 975
    T_fixed: int = 10
    n_test: int = 500
    name: ClassVar[str] = "prices"

    def __post_init__(self) -> None:
        if len(self.closes) < self.n_days:
            raise InputError(
                f"There are {len(self.closes)} days of prices, but the experiment uses the first "
                f"{self.n_days}; give a longer file."
            )
        self._standardise()

    def describe(self) -> dict[str, Any]:
        """Return the name, the parameters and a digest of the prices, to identify a checkpoint."""
        digest = hashlib.sha256(np.array(self.closes).tobytes()).hexdigest()
        return {"signal": self.name, **asdict(self), "closes": digest}

    def draw(self, rng: np.random.Generator, noise: float) -> tuple[FloatArray, FloatArray]:
        """Return the signals of the training and of the test segments; nothing is random here."""
        del rng, noise
        days = self._standardise()
        return days[: self.n_train_days], days[self.n_train_days :]

    def _standardise(self) -> FloatArray:
        return standardise(np.array(self.closes[: self.n_days]), self.n_train_days).values


Signal = Sine | Prices
"""The source of segments. `draw` returns the signals of the training and of the test segments."""


def draw_segments(
    signal: FloatArray, n: int, T_fixed: int, T_var: int, rng: np.random.Generator
) -> tuple[list[FloatArray], FloatArray]:
    """Draw n segments of a signal, and return them with their targets (n,).

    Raises
    ------
    InputError
        If the longest segment and its target do not fit in the signal.
    """
    if T_fixed + T_var >= len(signal):
        raise InputError(
            f"A segment of {T_fixed + T_var} steps and its target do not fit in a signal of "
            f"{len(signal)}; make T_var smaller."
        )
    lengths = rng.integers(T_fixed, T_fixed + T_var + 1, n)
    starts = rng.integers(0, len(signal) - lengths)
    segments = [signal[i : i + T] for i, T in zip(starts, lengths, strict=True)]
    return segments, signal[starts + lengths]


def snr(y_true: FloatArray, y_pred: FloatArray) -> float:
    """Signal-to-noise ratio 10 log10(sum y_true^2 / sum (y_true - y_pred)^2), in dB.

    It is infinite if all predictions are exact.

    Raises
    ------
    InputError
        If it is not a number or minus infinity: a signal of zeros, or predictions that are not
        finite or whose squares overflow.
    """
    with np.errstate(all="ignore"):
        ratio = float(10.0 * np.log10((y_true**2).sum() / ((y_true - y_pred) ** 2).sum()))
    if not ratio > -np.inf:
        raise InputError(
            "There is no signal-to-noise ratio: the values to predict are all equal to the mean of "
            "the training values, or the predictions are too large to be squared; take other "
            "values or settings."
        )
    return ratio


@dataclass(frozen=True)
class KernelGrid:
    """The kernels of a method's grid.

    Attributes
    ----------
    method : KernelMethod
    kernels : list of Kernel
        In the order of the grid.
    order : list of int
        Positions of the kernels in the order in which their Gram matrices are computed, which
        puts those that are computed together next to each other.
    """

    method: KernelMethod
    kernels: list[Kernel]
    order: list[int]

    @classmethod
    def from_method(cls, method: KernelMethod) -> KernelGrid:
        """Create the kernels. This takes time, so do it once for many repeats."""
        order = [position for batch in method.batches() for position in batch]
        return cls(method, method.kernels(), order)

    def grams(self, X: Sequences) -> FloatArray:
        """Gram matrices (n_settings, n, n) of the sequences X, which may not be finite."""
        prepared = self.method.kernel.prepare(X)
        ordered = self.method.kernel.grams([self.kernels[i] for i in self.order], prepared)
        grams = np.empty((len(self.kernels), len(X), len(X)))
        for position, gram in zip(self.order, ordered, strict=True):
            grams[position] = gram
        return grams


class BestFit(NamedTuple):
    """The best setting, its position in the grid, its ridge, and the predictions (n_test,)."""

    setting_index: int
    ridge: float
    predictions: FloatArray


def fit_best(
    grid: KernelGrid,
    X: Sequence[FloatArray],
    y: FloatArray,
    X_test: Sequence[FloatArray],
    fold: IntArray,
    ridges: Sequence[float] = RIDGES,
) -> BestFit:
    """Choose a setting and a ridge by their cross-validated squared error, refit, and predict.

    The first setting wins a tie, then the first ridge. A setting whose Gram matrix overflows, or
    whose error is not a number, is never chosen.

    Raises
    ------
    InputError
        If no setting of the grid has a finite Gram matrix.
    """
    train, test = grid.method.kernel.pad_to_common_length(X, X_test)
    grams = grid.grams(train)
    finite = (np.abs(grams) < LARGEST_ENTRY).all(axis=(1, 2))
    if not finite.any():
        raise InputError(
            f"No setting of {grid.method.name}'s grid gives a finite Gram matrix; take other "
            "values."
        )
    errors = np.full((len(grams), len(ridges)), np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        residuals = validation_residuals(grams[finite], y, fold, ridges)
        errors[finite] = np.nan_to_num((residuals**2).mean(axis=-1), nan=np.inf)
    setting_index, k = map(int, np.unravel_index(int(np.argmin(errors)), errors.shape))
    alpha = Spectrum.of(grams[setting_index]).coefficients(y, (ridges[k],))[0]
    return BestFit(setting_index, ridges[k], grid.kernels[setting_index](test, train) @ alpha)


def run_repeat(
    signal: Signal,
    conditions: Conditions,
    grids: Sequence[KernelGrid],
    seed: int,
    number: int,
    ridges: Sequence[float] = RIDGES,
) -> Mapping[str, float]:
    """Compute the SNR of each method in one repeat, on one thread.

    The result depends on the seed and the number of the repeat only.

    Raises
    ------
    InputError
        If segments do not fit in the signal, or there are fewer than two training segments.
    """
    if conditions.train < 2:
        raise InputError(f"There are {conditions.train} training segments; use at least 2.")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    train, test = signal.draw(rng, conditions.noise)
    X, y = draw_segments(train, conditions.train, signal.T_fixed, conditions.length, rng)
    X_test, y_test = draw_segments(test, signal.n_test, signal.T_fixed, conditions.length, rng)
    fold = rng.permutation(len(y)) % min(N_FOLDS, len(y))
    with threadpool_limits(1):
        return {
            grid.method.name: snr(y_test, fit_best(grid, X, y, X_test, fold, ridges).predictions)
            for grid in grids
        }
