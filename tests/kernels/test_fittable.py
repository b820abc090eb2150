from dataclasses import dataclass

import numpy as np
import pytest

from rntk_bench.kernels import RNTK, Kernel, MultiscaleRNTK, Represented
from rntk_bench.kernels.fittable import FittableKernel
from rntk_bench.kernels.normalised_sum import normalised_sum


@dataclass(frozen=True)
class Differences(FittableKernel):
    """The series and their differences; "raw" by the number of training series."""

    sigma_b: float = 0.1
    name = "differences"

    def summands(self, X) -> list[Kernel]:
        network = RNTK(sigma_b=self.sigma_b)
        return [Represented(network, "difference"), Represented(network, "raw", rms=len(X))]

    def fit(self, X, n_jobs=1):
        return normalised_sum(self.summands(X), X, n_jobs)


def test_costs_are_those_of_the_summands():
    network = RNTK(sigma_b=0.1)
    assert Differences.relative_cost([Differences()], 50) == pytest.approx(
        2 * RNTK.relative_cost([network], 50)
    )
    assert Differences.relative_cost([Differences(), Differences(0.2)], 50) == pytest.approx(
        4 * RNTK.relative_cost([network], 50)
    )
    multiscale = [MultiscaleRNTK()]
    assert MultiscaleRNTK.relative_cost(multiscale, 400) > 100
    assert MultiscaleRNTK.buffer_size(multiscale, (50, 20), 100) > 4 * 50 * 20
    assert MultiscaleRNTK.batches(multiscale * 3) == [[0], [1], [2]]


def test_kernels_with_other_parameters_have_other_keys():
    keys = {kernel.cache_key() for kernel in (Differences(), Differences(0.2), MultiscaleRNTK())}
    assert len(keys) == 3
    assert None not in keys
    assert Differences().cache_key() == Differences(0.1).cache_key()


def test_sets_are_not_padded():
    X, Y = [np.ones(3), np.ones(5)], [np.ones(4)]
    assert MultiscaleRNTK.pad_to_common_length(X, Y) == [X, Y]
