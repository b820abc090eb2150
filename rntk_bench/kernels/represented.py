"""A kernel of a representation of the series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Self

from rntk_bench.kernels.base import CombinedKernel, Kernel, check_kernels
from rntk_bench.kernels.batches import grams_of, grouped_batches
from rntk_bench.kernels.prepared import PreparedSets
from rntk_bench.kernels.representations import Representation
from rntk_bench.kernels.series import Sequences
from rntk_bench.types import FloatArray


@dataclass(frozen=True, repr=False)
class Represented(CombinedKernel):
    """k(r(x), r(x')): a kernel of a representation of the series.

    Parameters
    ----------
    kernel : Kernel
    representation : str
        "z", "difference", "unit" or "raw", see `Representation`.
    scale : int, at least 1
        Steps over which the series are averaged.
    rms : float, greater than 0
        For "raw": the values are divided by this number, usually the `training_rms`.

    Raises
    ------
    KernelError
        For a parameter outside its range, and for series too short for the representation.

    Examples
    --------
    >>> import numpy as np
    >>> from rntk_bench import RNTK, Represented
    >>> X = np.random.default_rng(0).standard_normal((5, 40))
    >>> kernel = Represented(RNTK(), "z") + Represented(RNTK(), "difference", scale=4)
    >>> kernel(X).shape
    (5, 5)
    """

    kernel: Kernel
    representation: str = "z"
    scale: int = 1
    rms: float = 1.0

    name: ClassVar[str] = "represented"

    def __post_init__(self) -> None:
        check_kernels(self, self.kernel)
        checked = self.transform
        for field in ("scale", "rms"):
            object.__setattr__(self, field, getattr(checked, field))

    @property
    def transform(self) -> Representation:
        """The representation of sets of series."""
        return Representation(self.representation, self.scale, self.rms)

    @property
    def parts(self) -> tuple[Kernel, ...]:
        """The kernel."""
        return (self.kernel,)

    def gram(self, prepared: PreparedSets) -> FloatArray:
        """Gram matrix (n_x, n_y)."""
        return next(self.grams([self], prepared))

    @classmethod
    def grams(cls, kernels: Sequence[Self], prepared: PreparedSets) -> Iterator[FloatArray]:
        """Yield the Gram of each kernel; each representation is computed once."""
        for transform, run in groupby(kernels, key=lambda each: each.transform):
            yield from grams_of([each.kernel for each in run], prepared.transformed_by(transform))

    @classmethod
    def batches(cls, kernels: Sequence[Self]) -> list[list[int]]:
        """Positions of the kernels, grouped by the representation, and as the kernels are."""
        groups: dict[Representation, list[int]] = {}
        for position, each in enumerate(kernels):
            groups.setdefault(each.transform, []).append(position)
        return [
            [group[i] for i in batch]
            for group in groups.values()
            for batch in grouped_batches([kernels[position].kernel for position in group])
        ]

    @classmethod
    def relative_cost(cls, kernels: Sequence[Self], length: int) -> float:
        """The sum of the costs for series as long as the representations."""
        total = 0.0
        for batch in cls.batches(kernels):
            scale, parts = kernels[batch[0]].scale, [kernels[i].kernel for i in batch]
            shorter = max(1, length // scale)
            total += type(parts[0]).relative_cost(parts, shorter) / scale
        return total

    def diag(self, X: Sequences) -> FloatArray:
        """Diagonal (n_x,) of `kernel(X)`."""
        return self.kernel.diag(self.transform(X))

    def __repr__(self) -> str:
        options = [f"{self.representation!r}"]
        options += [f"scale={self.scale}"] * (self.scale > 1)
        options += [f"rms={self.rms!r}"] * (self.representation == "raw")
        return f"Represented({self.kernel!r}, {', '.join(options)})"
