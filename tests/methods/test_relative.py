import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.kernels.recursion.shared_readouts import window_widths
from rntk_bench.methods.relative import absolute_parameters


def test_parameters_relative_to_the_length_are_those_of_the_specification():
    for T in (1, 7, 24, 60, 143, 144, 145, 300, 1500):
        s = -(-T // 144)
        for memory in (1 / 60, 1 / 15, 1 / 4):
            setting = {"memory": memory, "lag_resolution": 144, "bandwidth": "half", "sigma_b": 0.3}
            parameters = absolute_parameters(setting, T)
            steps = max(1, T * memory)
            assert parameters["sigma_w"] == pytest.approx(2**0.5 * np.exp(-1 / (2 * steps)))
            assert parameters["lag_step"] == s
            assert parameters.keys() == {"sigma_w", "lag_step", "bandwidth", "sigma_b"}
            kernel = RNTK(pooling="shared", **parameters)
            width = window_widths(kernel.bandwidth, kernel.lag_step, np.array([T]))[0]
            assert width == max(1, -(-T // 2) // s) + 1
    numbers = {"bandwidth": 0.5, "lag_step": 3, "sigma_w": 1.4}
    assert absolute_parameters(numbers, 100) == numbers
