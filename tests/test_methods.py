import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.config import Experiment, Network, read_experiment
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.errors import ConfigError
from rntk_bench.methods import KERNEL_METHODS, METHODS, NETWORK_METHODS, KernelMethod, resolve
from rntk_bench.storage.records import protocol_id
from tests.paths import CONFIGS


def test_grids_have_the_papers_sizes():
    sizes = {name: len(method.settings()) for name, method in METHODS.items()}
    paper = {"rntk": 900, "ntk": 540, "rbf": 18, "poly": 30}
    beyond = {"rntk-avg": 900, "rntk-both": 900, "nngp": 900, "rntk-extended": 5400}
    networks = {"rnn-gaussian": 32, "rnn-identity": 32, "gru": 32}
    assert sizes == paper | beyond | networks
    assert sum(paper.values()) * 5 * 10 == 74_400


def test_every_method_is_described():
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
        for kernel, setting in zip(method.kernels(), method.settings(), strict=True):
            assert {name: getattr(kernel, name) for name in setting} == setting


def test_the_papers_configuration_is_the_registry():
    experiment = read_experiment(CONFIGS / "paper.toml")
    assert experiment.datasets == PAPER_DATASETS
    assert len(experiment.datasets) == 54
    assert replace(experiment, datasets=(), grids={}) == Experiment()
    for method in resolve(replace(experiment, methods=(*experiment.methods, *NETWORK_METHODS))):
        assert method.settings() == METHODS[method.name].settings()
        assert protocol_id(method.protocol(experiment)) == protocol_id(
            METHODS[method.name].protocol(Experiment())
        )


@pytest.mark.parametrize("name", ["rntk-avg", "rntk-both", "nngp", "rntk-extended"])
def test_what_goes_beyond_the_paper_is_off_by_default_and_has_its_own_grid_file(name):
    experiment = read_experiment(CONFIGS / f"{name}.toml")
    assert experiment.methods == (name,)
    assert name not in Experiment().methods
    assert experiment.datasets == read_experiment(CONFIGS / "reference.toml").datasets
    (method,) = resolve(experiment)
    assert method == METHODS[name]


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
    assert declared
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
