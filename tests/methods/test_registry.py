import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.config import Experiment, read_experiment
from rntk_bench.datasets import InputScaling
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.errors import ConfigError
from rntk_bench.methods import KERNEL_METHODS, METHODS, NETWORK_METHODS, KernelMethod, resolve
from rntk_bench.storage.records import protocol_id
from tests.paths import CONFIGS


def test_grids_have_the_papers_sizes():
    sizes = {name: len(method.settings) for name, method in METHODS.items()}
    paper = {"rntk": 900, "ntk": 540, "rbf": 18, "poly": 30}
    beyond = {"rntk-avg": 900, "rntk-both": 900, "nngp": 900, "rntk-extended": 5400}
    beyond |= {"rntk-shared": 36, "rntk-multiscale": 1}
    networks = {"rnn-gaussian": 32, "rnn-identity": 32, "gru": 32}
    assert sizes == paper | beyond | networks
    assert sum(paper.values()) * 5 * 10 == 74_400


def test_every_method_is_described():
    assert all(method.summary and method.reference for method in METHODS.values())
    titles = [method.title for method in METHODS.values()]
    assert len(set(titles)) == len(titles)
    assert KernelMethod("mine", {}, RNTK).title == "mine"


def test_a_kernel_that_the_package_does_not_export_is_one_sentence():
    with pytest.raises(ConfigError, match=r"names the kernel 'Laplacian', which .* add it there"):
        _ = KernelMethod("mine", {"alpha": (1.0,)}, "Laplacian").kernel


def test_the_registry_is_read_without_importing_numerical_packages():
    command = "import sys, rntk_bench.methods; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "numba", "jax", "rntk_bench.kernels"} & set(modules)


def test_the_last_parameter_varies_fastest():
    first, second = METHODS["poly"].settings[:2]
    assert (first, second) == ({"degree": 1, "r": 0.0}, {"degree": 1, "r": 0.1})


def test_the_papers_configuration_is_the_registry():
    experiment = read_experiment(CONFIGS / "paper.toml")
    assert experiment.datasets == PAPER_DATASETS
    assert len(experiment.datasets) == 54
    assert replace(experiment, datasets=(), grids={}, C=None) == Experiment()
    assert experiment.C == KERNEL_METHODS["rntk"].C
    for method in resolve(replace(experiment, methods=(*experiment.methods, *NETWORK_METHODS))):
        assert method.settings == METHODS[method.name].settings
        assert protocol_id(method.protocol(experiment)) == protocol_id(
            METHODS[method.name].protocol(Experiment())
        )


def test_the_reference_has_every_kernel_method_with_its_own_grid_and_protocol():
    experiment = read_experiment(CONFIGS / "reference.toml")
    assert experiment.methods == tuple(KERNEL_METHODS)
    assert set(experiment.datasets) <= set(PAPER_DATASETS)
    for method in resolve(experiment):
        assert method == METHODS[method.name]
        assert method.protocol(experiment) == method.protocol(Experiment())


def test_the_papers_own_kernel_comes_first_in_the_extended_grid():
    first = KERNEL_METHODS["rntk-extended"].kernels()[0]
    assert first == KERNEL_METHODS["rntk"].kernels()[0]


def test_the_quick_grid_of_the_networks_is_part_of_the_papers():
    quick = read_experiment(CONFIGS / "quick.toml")
    for method in resolve(replace(quick, methods=tuple(NETWORK_METHODS))):
        assert len(method.settings) == 2
        assert all(setting in METHODS[method.name].settings for setting in method.settings)
        paper, small = METHODS[method.name].protocol(Experiment()), method.protocol(quick)
        assert {key for key in paper if paper[key] != small[key]} == {"grid"}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_every_method_declares_a_default_that_is_a_point_of_its_grid(method):
    declared = {name: value for name, value in method.default.items() if name in method.grid}
    assert declared or len(method.settings) == 1
    setting = method.settings[method.default_setting]
    assert {name: setting[name] for name in declared} == declared
    assert all(len(axis) == 1 for name, axis in method.grid.items() if name not in declared)


def test_the_rntks_default_is_the_papers():
    setting = METHODS["rntk"].settings[METHODS["rntk"].default_setting]
    assert setting == {"sigma_w": 2**0.5, "sigma_u": 1.0, "sigma_b": 0.1, "sigma_h": 0.0}


def test_the_grid_of_the_shared_readout_is_the_specifications():
    method = KERNEL_METHODS["rntk-shared"]
    options = method.search_options(Experiment())
    assert (options.n_repeats, options.gram_scale, options.n_folds) == (3, "centred", 10)
    assert options.C == (0.01, 0.1, 1, 10, 100, 1000, 10000)
    X = np.random.default_rng(0).standard_normal((6, 40))
    assert method.for_training_set(X) == method
    method = method.for_training_set(InputScaling("z")(X))
    assert len(method.settings) == 12
    kernels = method.kernels(40)
    assert len(method.batches(40)) == 3
    assert {(k.pooling, k.sigma_u, k.sigma_b, k.sigma_h, k.lag_step) for k in kernels} == {
        ("shared", 1.0, 0.3, 0.0, 1)
    }
    assert [k.bandwidth for k in kernels[:4]] == [0.0, 1 / 16, 1 / 4, 1 / 2]
