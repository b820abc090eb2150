from dataclasses import replace

import pytest

from rntk_bench.config import Experiment
from rntk_bench.errors import ConfigError
from rntk_bench.methods import resolve


def test_any_parameter_of_a_kernel_may_be_an_axis():
    grids = {"rntk": {"sigma_w": (1,), "activation": ("relu", "erf"), "n_layers": (1, 2)}}
    (method,) = resolve(Experiment(methods=("rntk",), grids=grids))
    kernels = method.kernels()
    assert len(kernels) == 60 * 4
    assert {(kernel.activation, kernel.n_layers) for kernel in kernels} == {
        *(("relu", 1), ("relu", 2), ("erf", 1), ("erf", 2))
    }
    assert method.settings[0]["sigma_w"] == 1.0


def test_a_grid_replaces_the_registrys_parameter_by_parameter():
    (method,) = resolve(Experiment(methods=("poly",), grids={"poly": {"degree": (2,)}}))
    assert [setting["degree"] for setting in method.settings] == [2] * 6


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"methods": ("rnkt",)}, "rntk"),
        ({"methods": ("gaussian-process",)}, "known are"),
        ({"grids": {"svm": {}}}, "'svm'"),
        ({"grids": {"rbf": {"gamma": (1.0,)}}}, "grid.rbf.gamma"),
        ({"grids": {"rbf": {"alpha": (-1.0,)}}}, "alpha"),
        ({"grids": {"rbf": {"alpha": ("wide",)}}}, "alpha holds 'wide'"),
        ({"grids": {"rntk": {"n_layers": (1.5,)}}}, "n_layers holds 1.5"),
        ({"grids": {"rntk": {"direction": ("up",)}}}, "direction"),
        ({"grids": {"rntk": {"direction": (1,)}}}, "direction holds 1"),
        ({"grids": {"rntk": {"input": ("minmax",)}}}, "input is 'minmax'"),
        ({"grids": {"rbf": {"input": (1.0,)}}}, "input holds 1.0"),
        ({"grids": {"rntk": {"memory": (0.0,)}}}, "memory is 0.0"),
        ({"grids": {"rntk": {"memory": ("all",)}}}, "memory holds 'all'"),
        ({"grids": {"rntk": {"memory": (0.1,), "sigma_w": (1.4,)}}}, "memory and sigma_w"),
        ({"grids": {"rntk-shared": {"lag_resolution": (0,)}}}, "lag_resolution is 0"),
        ({"grids": {"rntk-shared": {"bandwidth": (-1.0,)}}}, "bandwidth"),
        ({"grids": {"rntk-shared": {"bandwidth": ("most",)}}}, "bandwidth holds 'most'"),
        ({"grids": {"ntk": {"memory": (0.1,)}}}, "grid.ntk.memory is not a parameter"),
        ({"grids": {"gru": {"width": (0,)}}}, "grid.gru.width holds 0"),
        ({"grids": {"gru": {"width": (1.5,)}}}, "width holds 1.5"),
        ({"grids": {"gru": {"learning_rate": (-0.1,)}}}, "learning_rate holds -0.1"),
        ({"grids": {"rnn-identity": {"sigma_w": (1.0,)}}}, "known are n_layers, width"),
    ],
)
def test_what_is_unknown_is_refused_by_name(changes, named):
    with pytest.raises(ConfigError) as caught:
        resolve(replace(Experiment(), **changes))
    assert named in str(caught.value)


def test_a_grid_that_would_fill_the_memory_is_refused():
    values = tuple(float(value) for value in range(1, 60))
    huge = dict.fromkeys(("sigma_w", "sigma_b", "sigma_h"), values)
    with pytest.raises(ConfigError, match="205379 settings"):
        resolve(Experiment(grids={"rntk": huge}))
    with pytest.raises(ConfigError, match="at most 1000000"):
        resolve(Experiment(grids={"rntk": {"n_layers": (10**9,)}}))


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        ({"sigma_w": (1.0, 1.5, 1.35)}, {"sigma_w": 1.35}),
        ({"sigma_b": (0.0, 0.2)}, {"sigma_b": 0.0}),
        ({"sigma_h": (3, 2)}, {"sigma_h": 2.0}),
        ({"sigma_v": (1, 2, 3), "sigma_w": (1.0,)}, {"sigma_v": 2.0, "sigma_w": 1.0}),
        ({"activation": ("erf", "relu", "sin", "tanh")}, {"activation": "relu"}),
        ({"direction": ("both", "backward", "forward")}, {"direction": "backward"}),
    ],
)
def test_in_a_grid_of_ones_own_the_default_is_the_nearest_or_the_middle(grid, expected):
    (method,) = resolve(Experiment(methods=("rntk",), grids={"rntk": grid}))
    setting = method.settings[method.default_setting]
    assert {name: setting[name] for name in expected} == expected
    assert setting["sigma_u"] == 1.0


def test_a_relative_parameter_takes_the_place_of_the_one_it_stands_for():
    grids = {"rntk": {"memory": (0.1, 0.5)}, "rntk-shared": {"lag_step": (2,), "sigma_w": (1.4,)}}
    rntk, shared = resolve(Experiment(methods=("rntk", "rntk-shared"), grids=grids))
    assert "sigma_w" not in rntk.grid
    assert not {"memory", "lag_resolution"} & shared.grid.keys()
    assert [k.lag_step for k in shared.kernels(1000)] == [2] * len(shared.settings)
