import pytest

from rntk_bench.config import Experiment, Network
from rntk_bench.methods import METHODS, NETWORK_METHODS


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
    unclipped = method.protocol(Experiment(network=Network(input="unit-norm")))
    assert unclipped["preprocessing"] == "unit norm"
    assert not unclipped.keys() & {"input", "clip"}
    # What only the kernels' machines need does not count.
    assert method.protocol(Experiment(C=(1.0,), n_folds=3, tolerance=1e-5)) == base
