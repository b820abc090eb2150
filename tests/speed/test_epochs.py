from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.config import Experiment, Network
from rntk_bench.methods import NetworkMethod
from rntk_bench.networks import pool
from rntk_bench.speed import epochs
from rntk_bench.speed.epochs import N_EPOCHS, time_epochs
from tests.benchmark.test_network_evaluation import made_up

GRU = NetworkMethod("gru", {"n_layers": (1, 2), "width": (3,), "learning_rate": (1e-2, 1e-3)})
EXPERIMENT = Experiment(network=Network(n_folds=3, patience=1))


@pytest.fixture
def _without_pytorch(monkeypatch):
    monkeypatch.setattr(epochs, "_pytorch", lambda: None)


@pytest.fixture
def _without_jax(monkeypatch):
    monkeypatch.setattr(epochs, "_jax_runs", lambda: None)


@pytest.mark.usefixtures("_without_pytorch")
def test_each_network_of_the_grid_is_timed_once():
    times = list(time_epochs(made_up(), GRU, EXPERIMENT, 2))
    assert [each.network.n_layers for each in times] == [1, 2]
    for each in times:
        assert (each.n_runs, each.n_cores) == (1, 1)
        assert each.seconds > 0
        assert each.jax_seconds is not None
        assert each.jax_seconds > 0
        assert each.pytorch_seconds is each.difference is None


@pytest.mark.usefixtures("_without_pytorch")
def test_all_runs_are_timed_together_where_there_is_an_accelerator(monkeypatch):
    monkeypatch.setattr(pool, "accelerator", lambda: "a GPU")
    times = list(time_epochs(made_up(), GRU, EXPERIMENT, 2))
    assert [(each.n_runs, each.n_cores) for each in times] == 2 * [(1, 1), (6, 2)]
    assert [each.jax_seconds is None for each in times] == 2 * [True, False]


@pytest.mark.usefixtures("_without_pytorch", "_without_jax")
def test_every_run_is_trained_for_all_epochs(monkeypatch):
    trained = []

    def train_one(training, *_):
        trained.append(training)
        return SimpleNamespace(curve=SimpleNamespace(n_correct=[1] * N_EPOCHS))

    monkeypatch.setattr(epochs, "train_one", train_one)
    list(time_epochs(made_up(), GRU, EXPERIMENT, 1))
    assert trained
    for training in trained:
        assert training.max_epochs == training.options.patience == N_EPOCHS


def test_pytorch_is_trained_alike():
    pytest.importorskip("torch", reason="needs the extra speed")
    for times in time_epochs(made_up(), GRU, EXPERIMENT, 1):
        assert times.difference == 0
        assert times.n_validation == 5
        assert times.pytorch_seconds is not None
        assert times.pytorch_seconds > 0


@pytest.mark.usefixtures("_without_pytorch", "_without_jax")
def test_the_command_names_what_is_not_installed(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text("[grid.gru]\nn_layers = [1]\nwidth = [2]\nlearning_rate = [1e-3]\n")
    result = CliRunner().invoke(main, ["speed", "-d", "GunPoint", "-m", "gru", "-c", str(config)])
    assert result.exit_code == 0, result.output
    assert "gru, 1 x 2               1     1" in result.stdout
    for extra in ("speed", "finite"):
        assert f"rntk-bench[{extra}]" in result.stderr
