import numpy as np
import pandas as pd
import pytest

from rntk_bench import RNTK
from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk
from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork
from rntk_bench.theory.convergence import (
    READOUTS,
    SIGMAS,
    X_READ,
    Y_READ,
    X,
    compute_convergence,
    fit_slope,
    untied_limit,
)
from tests import naive


@pytest.fixture(scope="module")
def convergence():
    messages = []
    result = compute_convergence(400, 5, [16, 128], 250, seed=1, progress=messages.append)
    assert messages[0] == "tied, width 400"
    assert messages[-1] == "step, width 128"
    assert len(messages) == 12
    return result


def test_networks_are_close_to_their_limits_at_every_angle(convergence):
    angles = convergence.by_angle
    np.testing.assert_allclose(angles["limit"].iloc[[0, -1]], angles["limit"].iloc[0])
    second = [np.array([np.cos(angles["angle"][1]), np.sin(angles["angle"][1])])]
    assert angles["limit"][1] == RNTK(**SIGMAS)([X], second)[0, 0]
    assert (abs(angles["tied"] / angles["limit"] - 1) < 0.3).all()
    assert (abs(angles["untied"] / angles["untied_limit"] - 1) < 0.3).all()
    # (147): with two lengths, untied weights have another limit.
    assert (angles["untied_limit"] < 0.7 * angles["limit"]).all()


def test_the_untied_limit_is_the_mean_of_many_draws():
    series = [np.array([0.4, -0.9])]
    network = RecurrentNetwork(300, n_steps=3, tied=False, **SIGMAS)
    draws = empirical_ntk(network, [X], series, draws=80)[:, 0, 0]
    error = draws.std(ddof=1) / np.sqrt(80)
    assert abs(draws.mean() - untied_limit(series)[0]) < 4 * error


def test_the_error_falls_with_the_square_root_of_the_width(convergence):
    assert set(convergence.slopes) == {"tied", "untied", *READOUTS}
    for slope, error in convergence.slopes.values():
        assert slope < -0.25
        assert abs(slope + 0.5) < 4 * error


def test_the_readouts_of_the_third_panel_have_different_limits():
    """Of two series with different lengths, whose windows have different widths."""
    limits = [
        naive.rntk(X_READ, Y_READ, False, **SIGMAS, **readout) for readout in READOUTS.values()
    ]
    kernels = [RNTK(**SIGMAS, **readout)([X_READ], [Y_READ]) for readout in READOUTS.values()]
    np.testing.assert_allclose(np.ravel(kernels), np.array(limits, dtype=float), rtol=1e-10)
    assert len(X_READ) == 6
    assert len(Y_READ) == 4
    assert np.unique(np.round(np.ravel(kernels), 2)).size == 3


def test_the_slope_is_that_of_a_fitted_line_and_its_error_comes_from_the_draws():
    rng = np.random.default_rng(0)
    widths = np.repeat([16, 32, 64, 128], 50)
    log_error = 0.3 - 0.5 * np.log10(widths) + 0.1 * rng.standard_normal(200)
    slope, error = fit_slope(pd.DataFrame({"width": widths, "log_error": log_error}))
    line, covariance = np.polyfit(np.log10(widths), log_error, 1, cov=True)
    assert slope == pytest.approx(line[0], abs=1e-12)
    assert error == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.2)


def test_the_data_frame_has_all_panels(convergence):
    table = convergence.to_frame()
    assert table.groupby("panel").size().to_dict() == {"angle": 20, "width": 4, "readout": 6}
    tied = table[(table["panel"] == "width") & (table["curve"] == "tied")]
    assert (tied["slope"] == convergence.slopes["tied"][0]).all()
    assert list(tied["x"]) == [16, 128]
    step = table[(table["panel"] == "readout") & (table["curve"] == "step")]
    assert (step["slope"] == convergence.slopes["step"][0]).all()
