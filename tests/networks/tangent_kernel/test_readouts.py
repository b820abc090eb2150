import numpy as np
import pytest

from rntk_bench.errors import KernelError
from rntk_bench.networks.tangent_kernel.readouts import readout_matrix
from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork
from tests import naive

N_STEPS = 7


@pytest.mark.parametrize("lag_step", [1, 2, 3, 20])
@pytest.mark.parametrize("bandwidth", [0, 0.1, 0.25, 0.5, 2.0, 1e6, "all"])
def test_two_steps_have_the_covariance_of_the_kernel_for_any_lengths(bandwidth, lag_step):
    R = {T: readout_matrix(T, N_STEPS, "shared", bandwidth, lag_step) for T in range(1, 8)}
    for T, T_y in ((7, 7), (7, 4), (2, 5), (1, 7)):
        expected = [
            [float(naive.lag_weight(t - s, T, T_y, bandwidth, lag_step)) for s in range(T_y)]
            for t in range(T)
        ]
        # The naive weights count the steps from the end.
        actual = (R[T] @ R[T_y].T)[::-1, ::-1] * np.sqrt(T * T_y)
        np.testing.assert_allclose(actual, expected, rtol=1e-14, atol=1e-14)


def test_the_last_step_and_independent_steps():
    np.testing.assert_array_equal(readout_matrix(3, 1, "last", 0.5, 1), [[0.0], [0.0], [1.0]])
    independent = readout_matrix(3, 5, "average", 0.5, 2)
    np.testing.assert_allclose(independent @ independent.T, np.eye(3) / 3, atol=1e-16)
    # One readout of the mean state.
    np.testing.assert_array_equal(
        readout_matrix(4, 5, "shared", "all", 1), np.full((4, 1), 1 / np.sqrt(4))
    )


def test_huge_bandwidths_are_one_readout():
    np.testing.assert_array_equal(
        readout_matrix(4, 5, "shared", 1e308, 1), readout_matrix(4, 5, "shared", "all", 1)
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"pooling": "mean"}, "pooling is 'mean', but must be one of last, average, shared"),
        ({"readout": "sign"}, "readout is 'sign', but must be one of state, step"),
        ({"bandwidth": -0.1}, "bandwidth is -0.1, but must be 'all' or"),
        ({"bandwidth": "most"}, "bandwidth is 'most', but must be 'all' or"),
        ({"bandwidth": float("nan")}, "bandwidth is nan"),
        ({"lag_step": 0}, "lag_step is 0, but must be an integer"),
        ({"lag_step": 1.5}, "lag_step is 1.5, but must be an integer"),
        ({"readout": "step"}, "needs pooling='shared' and activation='relu', not 'last'"),
        ({"readout": "step", "pooling": "shared", "activation": "erf"}, "and 'erf'"),
    ],
)
def test_an_invalid_readout_is_one_sentence(parameters, message):
    with pytest.raises(KernelError, match=message):
        RecurrentNetwork(width=3, **parameters)
