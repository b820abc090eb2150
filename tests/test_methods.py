import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.config import Experiment, Network, read_experiment
from rntk_bench.datasets import InputScaling
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.errors import ConfigError
from rntk_bench.kernels.recursion.shared_readouts import window_widths
from rntk_bench.methods import KERNEL_METHODS, METHODS, NETWORK_METHODS, KernelMethod, resolve
from rntk_bench.methods.relative import absolute_parameters
from rntk_bench.storage.records import protocol_id
from tests.paths import CONFIGS


def test_grids_have_the_papers_sizes():
    sizes = {name: len(method.settings()) for name, method in METHODS.items()}
    paper = {"rntk": 900, "ntk": 540, "rbf": 18, "poly": 30}
    beyond = {"rntk-avg": 900, "rntk-both": 900, "nngp": 900, "rntk-extended": 5400}
    beyond |= {"rntk-shared": 36, "rntk-multiscale": 1}
    networks = {"rnn-gaussian": 32, "rnn-identity": 32, "gru": 32}
    assert sizes == paper | beyond | networks
    assert sum(paper.values()) * 5 * 10 == 74_400


def test_every_method_is_described():
    assert {name for name, method in METHODS.items() if method.extra} == set(NETWORK_METHODS)
    assert all(method.summary and method.reference for method in METHODS.values())
    titles = [method.title for method in METHODS.values()]
    assert len(set(titles)) == len(titles)
    assert KernelMethod("mine", {}, RNTK).title == "mine"


def test_the_registry_is_read_without_importing_numerical_packages():
    command = "import sys, rntk_bench.methods; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "numba", "jax", "rntk_bench.kernels"} & set(modules)


def test_the_last_parameter_varies_fastest():
    first, second = METHODS["poly"].settings()[:2]
    assert (first, second) == ({"degree": 1, "r": 0.0}, {"degree": 1, "r": 0.1})


def test_kernels_carry_their_settings():
    for method in KERNEL_METHODS.values():
        for kernel, setting in zip(method.kernels(100), method.settings(), strict=True):
            parameters = absolute_parameters(setting, 100)
            parameters.pop("input", None)
            assert {name: getattr(kernel, name) for name in parameters} == parameters


def test_the_papers_configuration_is_the_registry():
    experiment = read_experiment(CONFIGS / "paper.toml")
    assert experiment.datasets == PAPER_DATASETS
    assert len(experiment.datasets) == 54
    assert replace(experiment, datasets=(), grids={}, C=None) == Experiment()
    assert experiment.C == KERNEL_METHODS["rntk"].C
    for method in resolve(replace(experiment, methods=(*experiment.methods, *NETWORK_METHODS))):
        assert method.settings() == METHODS[method.name].settings()
        assert protocol_id(method.protocol(experiment)) == protocol_id(
            METHODS[method.name].protocol(Experiment())
        )


@pytest.mark.parametrize("name", ["rntk-avg", "rntk-both", "nngp", "rntk-extended", "rntk-shared"])
def test_what_goes_beyond_the_paper_is_off_by_default_and_has_its_own_grid_file(name):
    experiment = read_experiment(CONFIGS / f"{name}.toml")
    assert experiment.methods == (name,)
    assert name not in Experiment().methods
    assert experiment.datasets == read_experiment(CONFIGS / "reference.toml").datasets
    (method,) = resolve(experiment)
    assert method == METHODS[name]
    assert method.protocol(experiment) == method.protocol(Experiment())


def test_the_papers_own_kernel_comes_first_in_the_extended_grid():
    first = KERNEL_METHODS["rntk-extended"].kernels()[0]
    assert first == KERNEL_METHODS["rntk"].kernels()[0]


def test_any_parameter_of_a_kernel_may_be_an_axis():
    grids = {"rntk": {"sigma_w": (1,), "activation": ("relu", "erf"), "n_layers": (1, 2)}}
    (method,) = resolve(Experiment(methods=("rntk",), grids=grids))
    kernels = method.kernels()
    assert len(kernels) == 60 * 4
    assert {(kernel.activation, kernel.n_layers) for kernel in kernels} == {
        *(("relu", 1), ("relu", 2), ("erf", 1), ("erf", 2))
    }
    assert method.settings()[0]["sigma_w"] == 1.0


def test_a_grid_replaces_the_registrys_parameter_by_parameter():
    (method,) = resolve(Experiment(methods=("poly",), grids={"poly": {"degree": (2,)}}))
    assert [setting["degree"] for setting in method.settings()] == [2] * 6


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


def test_every_choice_that_decides_the_answer_is_in_the_protocol():
    method = METHODS["rbf"]
    base = method.protocol(Experiment())
    changes = {"seed": 1, "n_folds": 5, "C": (1.0,), "tolerance": 1e-4, "max_iterations": 5}
    changes |= {"n_repeats": 2, "gram_scale": "centred"}
    for key, value in changes.items():
        assert method.protocol(replace(Experiment(), **{key: value})) != base
    assert method.protocol(replace(Experiment(), name="other", datasets=("A",))) == base


@pytest.mark.parametrize("name", list(NETWORK_METHODS))
def test_every_choice_that_decides_a_networks_answer_is_in_its_protocol(name):
    method = METHODS[name]
    base = method.protocol(Experiment())
    assert method.protocol(Experiment(seed=1)) != base
    changes = {
        "n_folds": 3,
        "max_epochs": 5,
        "patience": 2,
        "batch_size": 16,
        "decay": 0.99,
        "epsilon": 1e-7,
        "input": "unit-norm",
        "criterion": "loss",
        "clip": 1.0,
        "final": "ensemble",
    }
    for key, value in changes.items():
        assert method.protocol(Experiment(network=Network(**{key: value}))) != base
    # Records from before these could be chosen keep their identifiers.
    before = Network(input="unit-norm", criterion="strict-accuracy", final="retrain")
    said = method.protocol(Experiment(network=before))
    assert said["preprocessing"] == "unit norm"
    assert not said.keys() & {"input", "criterion", "clip", "final"}
    # What only the kernels' machines need does not count.
    assert method.protocol(Experiment(C=(1.0,), n_folds=3, tolerance=1e-5)) == base


def test_the_quick_grid_of_the_networks_is_part_of_the_papers():
    quick = read_experiment(CONFIGS / "quick.toml")
    for method in resolve(replace(quick, methods=tuple(NETWORK_METHODS))):
        assert len(method.settings()) == 2
        assert all(setting in METHODS[method.name].settings() for setting in method.settings())
        paper, small = METHODS[method.name].protocol(Experiment()), method.protocol(quick)
        assert {key for key in paper if paper[key] != small[key]} == {"grid"}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_declares_a_default_that_is_a_point_of_its_grid(method):
    declared = {name: value for name, value in method.default.items() if name in method.grid}
    assert declared or len(method.settings()) == 1
    setting = method.settings()[method.default_setting]
    assert {name: setting[name] for name in declared} == declared
    assert all(len(axis) == 1 for name, axis in method.grid.items() if name not in declared)


def test_the_rntks_default_is_the_papers():
    setting = METHODS["rntk"].settings()[METHODS["rntk"].default_setting]
    assert setting == {"sigma_w": 2**0.5, "sigma_u": 1.0, "sigma_b": 0.1, "sigma_h": 0.0}


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
    setting = method.settings()[method.default_setting]
    assert {name: setting[name] for name in expected} == expected
    assert setting["sigma_u"] == 1.0


def test_numbers_of_any_type_make_the_same_grid_and_protocol():
    plain = KernelMethod("own", {"sigma_w": (1.25, 2.0), "n_layers": (1, 2)}, RNTK)
    grid = {"sigma_w": np.array([1.25, 2.0], "f4"), "n_layers": [np.int8(1), np.array(2)]}
    typed = KernelMethod("own", grid, RNTK)
    assert typed == plain
    assert protocol_id(typed.protocol(Experiment())) == protocol_id(plain.protocol(Experiment()))
    assert typed.kernels() == plain.kernels()


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


def test_the_grid_of_the_shared_readout_is_the_specifications():
    method = KERNEL_METHODS["rntk-shared"]
    options = method.search_options(Experiment())
    assert (options.n_repeats, options.gram_scale, options.n_folds) == (3, "centred", 10)
    assert options.C == (0.01, 0.1, 1, 10, 100, 1000, 10000)
    X = np.random.default_rng(0).standard_normal((6, 40))
    assert method.for_training_set(X) == method
    method = method.for_training_set(InputScaling("z")(X))
    assert len(method.settings()) == 12
    kernels = method.kernels(40)
    assert len(method.batches(kernels)) == 3
    assert {(k.pooling, k.sigma_u, k.sigma_b, k.sigma_h, k.lag_step) for k in kernels} == {
        ("shared", 1.0, 0.3, 0.0, 1)
    }
    assert [k.bandwidth for k in kernels[:4]] == [0.0, 1 / 16, 1 / 4, 1 / 2]


def test_a_grid_relative_to_the_length_has_no_kernels_without_one():
    with pytest.raises(ValueError, match="rntk-shared needs the length"):
        KERNEL_METHODS["rntk-shared"].kernels()


def test_a_relative_parameter_takes_the_place_of_the_one_it_stands_for():
    grids = {"rntk": {"memory": (0.1, 0.5)}, "rntk-shared": {"lag_step": (2,), "sigma_w": (1.4,)}}
    rntk, shared = resolve(Experiment(methods=("rntk", "rntk-shared"), grids=grids))
    assert "sigma_w" not in rntk.grid
    assert not {"memory", "lag_resolution"} & shared.grid.keys()
    assert [k.lag_step for k in shared.kernels(1000)] == [2] * len(shared.settings())


def test_kernels_that_read_different_inputs_are_in_different_batches():
    grids = {"rntk": {"input": ("z", "archive"), "pooling": ("last", "average")}}
    (method,) = resolve(Experiment(methods=("rntk",), grids=grids))
    kernels, inputs = method.kernels(), method.inputs()
    batches = method.batches(kernels)
    assert sorted(position for batch in batches for position in batch) == list(range(3600))
    assert len(batches) == 1800
    for batch in batches:
        assert len({inputs[position] for position in batch}) == 1


def test_the_protocol_says_only_what_is_not_as_it_always_was():
    before = METHODS["rntk"].protocol(Experiment())
    assert not {"n_repeats", "gram_scale"} & before.keys()
    said = METHODS["rntk-shared"].protocol(Experiment(n_repeats=1))
    assert (said["n_repeats"], said["gram_scale"]) == (1, "centred")
