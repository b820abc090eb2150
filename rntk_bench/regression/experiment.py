"""One repeat of the regression experiment: segments of random length, their next value (A.2).

Of a signal s, a segment is s_i .. s_(i+T-1) and its target s_(i+T); T is uniform in
[T_fixed, T_fixed + T_var], and so is the place. Segments are taken as they are; the kernels that
see vectors have them padded with zeros at the end, all to the longest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from rntk_bench.errors import InputError
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.base import Sequences
from rntk_bench.methods import KernelMethod
from rntk_bench.svm.gram_check import LARGEST_ENTRY
from rntk_bench.svm.ridge import RIDGES, Spectrum, validation_residuals
from rntk_bench.types import FloatArray, IntArray

N_FOLDS = 5


@dataclass(frozen=True)
class Conditions:
    """What a panel of Figure 4 varies.

    Attributes
    ----------
    length : T_var, what may be added to the shortest segment
    noise : sigma_n, of the sine alone
    train : number of training segments
    """

    length: int = 10
    noise: float = 0.05
    train: int = 20


@dataclass(frozen=True)
class Sine:
    """One period of a sine in 1,000 samples with Gaussian noise, drawn anew in each repeat.

    Training and test segments come from the same signal.
    """

    T_fixed: int = 10
    n_test: int = 5000
    samples: int = 1000
    name: ClassVar[str] = "sine"

    def describe(self) -> dict[str, Any]:
        """Its sizes."""
        return {"signal": self.name, **asdict(self)}

    def parts(self, rng: np.random.Generator, noise: float) -> tuple[FloatArray, FloatArray]:
        """The same noisy sine twice."""
        clean = np.sin(2.0 * np.pi * np.arange(self.samples) / self.samples)
        noisy = clean + noise * rng.standard_normal(self.samples)
        return noisy, noisy


@dataclass(frozen=True)
class Standard:
    """Values (n,) standardised by the mean and the deviation of the first of them."""

    scaled: FloatArray
    mean: float
    deviation: float

    @classmethod
    def of(cls, values: FloatArray, n_first: int) -> Standard:
        """Standardise by the first `n_first` values.

        Raises
        ------
        InputError
            If these are constant, or values are so large that squares of them are no numbers.
        """
        first = values[:n_first]
        if np.ptp(first) == 0.0:
            raise InputError(
                f"The first {n_first} values, which are trained on, are constant: there is nothing "
                "to learn."
            )
        with np.errstate(all="ignore"):
            mean, deviation = float(first.mean()), float(first.std())
            scaled = (values - mean) / first.std()
            representable = np.isfinite((scaled**2).sum() * np.square(deviation))
        if not representable:
            raise InputError(
                "The values are too large, too small or too far apart to be standardised; give "
                "them in another unit."
            )
        return cls(scaled, mean, deviation)


@dataclass(frozen=True)
class Prices:
    """Daily closes: training segments from the first days, test segments from the rest.

    The paper does not say how prices are scaled; here they are standardised by the mean and the
    deviation of the training days.
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
                f"There are {len(self.closes)} days of prices, but the experiment takes the first "
                f"{self.n_days}; give a longer file."
            )
        Standard.of(np.array(self.closes[: self.n_days]), self.n_train_days)

    def describe(self) -> dict[str, Any]:
        """Its sizes, and a digest of the prices."""
        digest = hashlib.sha256(np.array(self.closes).tobytes()).hexdigest()
        return {"signal": self.name, **asdict(self), "closes": digest}

    def parts(self, rng: np.random.Generator, noise: float) -> tuple[FloatArray, FloatArray]:
        """The standardised days of each part; nothing is random in them."""
        del rng, noise
        days = np.array(self.closes[: self.n_days])
        scaled = Standard.of(days, self.n_train_days).scaled
        return scaled[: self.n_train_days], scaled[self.n_train_days :]


Signal = Sine | Prices
"""Where segments come from: `parts` are the signals of the training and of the test segments."""


def segments(
    signal: FloatArray, n: int, T_fixed: int, T_var: int, rng: np.random.Generator
) -> tuple[list[FloatArray], FloatArray]:
    """n segments of a signal, and their targets (n,).

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
    cut = [signal[i : i + T] for i, T in zip(starts, lengths, strict=True)]
    return cut, signal[starts + lengths]


def snr(y: FloatArray, predicted: FloatArray) -> float:
    """Signal-to-noise ratio 10 log10(sum y^2 / sum (y - predicted)^2), in dB.

    It is infinite where every prediction is exact, and minus infinite where only the signal is 0.

    Raises
    ------
    InputError
        If it is no number: a signal of zeros that is predicted exactly, or predictions too large.
    """
    with np.errstate(all="ignore"):
        ratio = float(10.0 * np.log10((y**2).sum() / ((y - predicted) ** 2).sum()))
    if np.isnan(ratio):
        raise InputError(
            "The signal-to-noise ratio is no number: the values to predict are all equal to the "
            "mean of those trained on, or the predictions are not finite."
        )
    return ratio


@dataclass(frozen=True)
class Family:
    """A method's kernels, and their positions, those computed together side by side."""

    method: KernelMethod
    kernels: list[Kernel]
    order: list[int]

    @classmethod
    def of(cls, method: KernelMethod) -> Family:
        """Make the kernels; worth doing once for many repeats."""
        kernels = method.kernels()
        batches = method.kernel.batches(kernels)
        return cls(method, kernels, [position for batch in batches for position in batch])

    def grams(self, X: Sequences) -> FloatArray:
        """Grams (n_settings, n, n) of segments, not checked to be finite."""
        prepared = self.method.kernel.prepare(X)
        grams = np.empty((len(self.kernels), len(X), len(X)))
        kernels = [self.kernels[position] for position in self.order]
        found = self.method.kernel.grams(kernels, prepared)
        for position, gram in zip(self.order, found, strict=True):
            grams[position] = gram
        return grams


@dataclass(frozen=True)
class Fitted:
    """The chosen setting, by position, its ridge, and the predictions (n_test,)."""

    setting: int
    ridge: float
    predictions: FloatArray


def fit_best(
    family: Family,
    X: Sequence[FloatArray],
    y: FloatArray,
    X_test: Sequence[FloatArray],
    fold: IntArray,
    ridges: Sequence[float] = RIDGES,
) -> Fitted:
    """Choose setting and ridge by the cross-validated squared error, refit, and predict.

    Ties go to the first setting, then to the first ridge. Settings whose Gram overflows, and what
    gives no number, are never chosen.

    Raises
    ------
    InputError
        If no setting of the grid has a finite Gram.
    """
    train, test = family.method.kernel.read_alike(X, X_test)
    grams = family.grams(train)
    usable = (np.abs(grams) < LARGEST_ENTRY).all(axis=(1, 2))
    if not usable.any():
        raise InputError(f"No setting of {family.method.name}'s grid gives a finite Gram.")
    errors = np.full((len(grams), len(ridges)), np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        residuals = validation_residuals(grams[usable], y, fold, ridges)
        errors[usable] = np.nan_to_num((residuals**2).mean(axis=-1), nan=np.inf)
    setting, ridge = map(int, np.unravel_index(int(np.argmin(errors)), errors.shape))
    alpha = Spectrum.of(grams[setting]).coefficients(y, (ridges[ridge],))[0]
    return Fitted(setting, ridges[ridge], family.kernels[setting](test, train) @ alpha)


def repeat(
    signal: Signal,
    conditions: Conditions,
    families: Sequence[Family],
    seed: int,
    number: int,
    ridges: Sequence[float] = RIDGES,
) -> Mapping[str, float]:
    """SNR of each method in one repeat, on one thread; the same for the same seed and number.

    Raises
    ------
    InputError
        If segments do not fit in the signal, or there are fewer than two training segments.
    """
    if conditions.train < 2:
        raise InputError(f"There are {conditions.train} training segments; take at least 2.")
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    train, test = signal.parts(rng, conditions.noise)
    X, y = segments(train, conditions.train, signal.T_fixed, conditions.length, rng)
    X_test, y_test = segments(test, signal.n_test, signal.T_fixed, conditions.length, rng)
    fold = rng.permutation(len(y)) % min(N_FOLDS, len(y))
    with threadpool_limits(1):
        return {
            family.method.name: snr(
                y_test, fit_best(family, X, y, X_test, fold, ridges).predictions
            )
            for family in families
        }
