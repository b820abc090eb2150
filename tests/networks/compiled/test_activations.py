import numpy as np
import pytest

from rntk_bench.networks.compiled.activations import TANH_ERROR, sigmoid, tanh

# Of float32, which the compiled functions return as Python floats.
X = np.concatenate([np.linspace(-20, 20, 40_001), np.geomspace(1e-30, 1, 1000)]).astype(np.float32)


def test_the_error_of_tanh_is_bounded_relative_to_it():
    found = np.array([tanh(x) for x in X])
    expected = np.tanh(X.astype(float))
    assert (np.abs(found - expected) <= TANH_ERROR * np.abs(expected)).all()


def test_the_error_of_the_logistic_function_is_bounded():
    found = np.array([sigmoid(x) for x in X])
    assert np.abs(found - 1 / (1 + np.exp(-X.astype(float)))).max() <= TANH_ERROR / 2


@pytest.mark.parametrize("function", [tanh, sigmoid])
def test_infinity_and_nan(function):
    low, high, none = (float(function(np.float32(x))) for x in (-np.inf, np.inf, np.nan))
    assert low == pytest.approx(-1.0 if function is tanh else 0.0, abs=TANH_ERROR)
    assert high == pytest.approx(1.0, abs=TANH_ERROR)
    assert np.isnan(none)
