import sys

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.config import Experiment, Network
from rntk_bench.methods import NetworkMethod
from tests.benchmark.test_network_evaluation import made_up


def test_without_pytorch_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "rntk_bench.speed.networks", raising=False)
    result = CliRunner().invoke(main, ["speed", "-d", "GunPoint", "-m", "gru", "--whole"])
    assert result.exit_code == 2
    assert "rntk-bench[speed]" in result.output


def test_kernels_are_not_timed_as_networks(monkeypatch):
    result = CliRunner().invoke(main, ["speed", "-d", "GunPoint", "-m", "rntk"])
    assert result.exit_code == 2
    assert "gru" in result.output


@pytest.mark.parametrize("name", ["rnn-gaussian", "rnn-identity", "gru"])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_pytorch_computes_the_same_network_and_takes_the_same_steps(name, n_layers):
    pytest.importorskip("torch", reason="needs the extra speed")
    from rntk_bench.speed import networks as speed_networks

    method = NetworkMethod(
        name, {"n_layers": (n_layers,), "width": (6,), "learning_rate": (1e-2, 1e-3)}
    )
    experiment = Experiment(network=Network(n_folds=3, max_epochs=4, batch_size=8))
    dataset = made_up()
    told = []
    result = speed_networks.compare_networks(
        dataset, method, experiment, 1, lambda *progress: told.append(progress)
    )
    for side in ("compiled loops", "PyTorch"):
        assert [each for each in told if each[0] == side][-1] == (side, 6, 6)
    accuracies, n_correct, _ = result.agreement.split(", ")
    first, second = accuracies.removeprefix("validation ").removesuffix(" %").split(" against ")
    assert first == second
    first, second = n_correct.removeprefix("test ").removesuffix(" correct").split(" against ")
    assert first == second
    assert np.isfinite(result.factor)
