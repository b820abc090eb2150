"""The multiscale RNTK: one sum of kernels with nothing to choose."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from rntk_bench.kernels.base import Kernel
from rntk_bench.kernels.fittable import FittableKernel
from rntk_bench.kernels.normalised_sum import FittedKernel, normalised_sum
from rntk_bench.kernels.representations import Representation, is_z_normalised, training_rms
from rntk_bench.kernels.represented import Represented
from rntk_bench.kernels.rntk import RNTK
from rntk_bench.kernels.series import Sequences, read_sequences

SCALES: Final = (1, 2, 4, 8, 16)
SHORTEST: Final = 12
"""The least number of steps of the shortest series at a scale above 1."""
N_LAGS: Final = 96
N_LAGS_ABOVE: Final = 144
"""The longest series has at most this many lags in each direction at scale 1, and above it."""
STEP_UNITS: Final = RNTK(
    sigma_w=math.sqrt(2.0) * math.exp(-0.1), sigma_b=0.5, pooling="shared", readout="step"
)
"""The network: its memory is 5 steps, and a shared readout reads its step units."""


@dataclass(frozen=True)
class MultiscaleRNTK(FittableKernel):
    """A sum of RNTKs over representations, scales, directions of time and bandwidths.

    The representations are the z-normalised series, their first differences, and, only if the
    training set is not z-normalised already, the values divided by the training set's RMS. The
    scales are means over 1, 2, 4, 8 and 16 steps, as long as the shortest series has at least 12
    steps at that scale; scale 1 is always one of them. Time runs forward and backward, and the
    bandwidths are 1/2 and "all". With T' steps of the longest series at a scale, the lag step is
    ceil(T' / 96) at scale 1 and ceil(T' / 144) above. Each summand is divided by the mean diagonal
    of its centred Gram on the training set, and so is the sum (`normalised_sum`).

    Parameters
    ----------
    kernel : RNTK
        The network. The default reads step units by a readout that is shared between the steps,
        with sigma_w^2 = 2 exp(-1/5), sigma_u = 1, sigma_b = 0.5 and sigma_h = 0. `bandwidth`,
        `lag_step` and `direction` are replaced.

    Examples
    --------
    >>> import numpy as np
    >>> from rntk_bench import MultiscaleRNTK
    >>> X = np.random.default_rng(0).standard_normal((12, 50)).cumsum(axis=1)
    >>> kernel, gram = MultiscaleRNTK().fit(X[:10])
    >>> gram.shape, kernel(X[:10], X[10:]).shape
    ((10, 10), (10, 2))
    """

    kernel: RNTK = STEP_UNITS

    name: ClassVar[str] = "multiscale"

    def fit(self, X: Sequences, n_jobs: int = 1) -> FittedKernel:
        """Determine the summands and their weights by a training set.

        Parameters
        ----------
        X : series of the training set
        n_jobs : int
            Number of threads. The result does not depend on it.

        Returns
        -------
        FittedKernel
            `kernel`, an ordinary kernel for any series, and `gram` (n, n), the training set's.

        Raises
        ------
        KernelError
            If X are not series of finite numbers, an entry leaves the range of float64, or the
            series do not differ.
        """
        return normalised_sum(self.summands(X), X, n_jobs)

    def summands(self, X: Sequences) -> list[Kernel]:
        """The kernels of the sum, in order, before they are normalised; X is the training set."""
        lengths = [len(x) for x in read_sequences(X)]
        shortest, longest = min(lengths), max(lengths)
        scales = [q for q in SCALES if q == 1 or shortest // q >= SHORTEST]
        return [
            Represented(kernel, transform.name, transform.scale, transform.rms)
            for transform in self._representations(X, scales)
            if transform.shortest <= shortest
            for kernel in self._kernels(longest // transform.scale, transform.scale)
        ]

    def _representations(self, X: Sequences, scales: list[int]) -> list[Representation]:
        kinds = [Representation("z"), Representation("difference")]
        if not is_z_normalised(X):
            kinds.append(Representation("raw", rms=training_rms(X)))
        return [replace(kind, scale=scale) for kind in kinds for scale in scales]

    def _kernels(self, length: int, scale: int) -> list[RNTK]:
        """The kernels of one representation at one scale, which share their passes."""
        lag_step = math.ceil(length / (N_LAGS if scale == 1 else N_LAGS_ABOVE))
        return [
            replace(self.kernel, direction=direction, bandwidth=bandwidth, lag_step=lag_step)
            for direction in ("forward", "backward")
            for bandwidth in (0.5, "all")
        ]
