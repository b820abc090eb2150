from dataclasses import replace

import numpy as np
import pytest

from rntk_bench import RNTK
from rntk_bench.config import Experiment
from rntk_bench.errors import ConfigError
from rntk_bench.methods import KERNEL_METHODS, METHODS, KernelMethod, resolve
from rntk_bench.methods.relative import absolute_parameters
from rntk_bench.storage.records import protocol_id


def test_kernels_carry_their_settings():
    for method in KERNEL_METHODS.values():
        for kernel, setting in zip(method.kernels(100), method.settings, strict=True):
            parameters = absolute_parameters(setting, 100)
            parameters.pop("input", None)
            assert {name: getattr(kernel, name) for name in parameters} == parameters


def test_every_choice_that_decides_the_answer_is_in_the_protocol():
    method = METHODS["rbf"]
    base = method.protocol(Experiment())
    changes = {"seed": 1, "n_folds": 5, "C": (1.0,), "tolerance": 1e-4, "max_iterations": 5}
    changes |= {"n_repeats": 2, "gram_scale": "centred"}
    for key, value in changes.items():
        assert method.protocol(replace(Experiment(), **{key: value})) != base
    assert method.protocol(replace(Experiment(), name="other", datasets=("A",))) == base


def test_numbers_of_any_type_make_the_same_grid_and_protocol():
    plain = KernelMethod("own", {"sigma_w": (1.25, 2.0), "n_layers": (1, 2)}, RNTK)
    grid = {"sigma_w": np.array([1.25, 2.0], "f4"), "n_layers": [np.int8(1), np.array(2)]}
    typed = KernelMethod("own", grid, RNTK)
    assert typed == plain
    assert protocol_id(typed.protocol(Experiment())) == protocol_id(plain.protocol(Experiment()))
    assert typed.kernels() == plain.kernels()


def test_a_grid_relative_to_the_length_has_no_kernels_without_one():
    with pytest.raises(ValueError, match="rntk-shared needs the length"):
        KERNEL_METHODS["rntk-shared"].kernels()


def test_kernels_that_read_different_inputs_are_in_different_batches():
    grids = {"rntk": {"input": ("z", "archive"), "pooling": ("last", "average")}}
    (method,) = resolve(Experiment(methods=("rntk",), grids=grids))
    inputs, batches = method.inputs, method.batches()
    assert sorted(position for batch in batches for position in batch) == list(range(3600))
    assert len(batches) == 1800
    for batch in batches:
        assert len({inputs[position] for position in batch}) == 1


def test_the_protocol_says_only_what_is_not_as_it_always_was():
    before = METHODS["rntk"].protocol(Experiment())
    assert not {"n_repeats", "gram_scale"} & before.keys()
    said = METHODS["rntk-shared"].protocol(Experiment(n_repeats=1))
    assert (said["n_repeats"], said["gram_scale"]) == (1, "centred")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"C": (0.0, 1.0)}, "C is"),
        ({"C": ()}, "C is"),
        ({"n_repeats": 0}, "n_repeats is 0"),
        ({"gram_scale": "mean"}, "gram_scale is 'mean'"),
    ],
)
def test_options_of_a_search_are_checked(options, named):
    with pytest.raises(ConfigError, match=named):
        KernelMethod("mine", {}, RNTK, **options)
    assert KernelMethod("mine", {}, RNTK, C=(10, 0.1)).C == (0.1, 10.0)


def test_only_kernels_of_a_grid_alone_are_independent_of_the_series():
    independent = {name for name, m in KERNEL_METHODS.items() if m.is_independent_of_series}
    assert independent == set(KERNEL_METHODS) - {"rntk-shared", "rntk-multiscale"}
    assert [name for name, m in KERNEL_METHODS.items() if m.is_fittable] == ["rntk-multiscale"]
    assert not replace(KERNEL_METHODS["rbf"], grid={"input": ("z",)}).is_independent_of_series
