"""A small configuration, and a model that is fitted with it to a user's file."""

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(
        "[svm]\nC = [1, 10]\nn_folds = 3\n[grid.rntk]\nsigma_w = [1.4]\nsigma_b = [0.1]\n"
        "sigma_h = [0.0]\n[grid.ntk]\nn_layers = [1, 2]\nsigma_w = [1.4]\nsigma_b = [0.1]\n"
    )
    return path


@pytest.fixture
def user_model(tmp_path, config):
    """Write a training file of two classes and fit a model to it; return its path."""
    rng = np.random.default_rng(0)
    rows = [[c, *(rng.standard_normal(9) + i % 2)] for i, c in enumerate("abababababab")]
    train = tmp_path / "train.tsv"
    train.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    model = tmp_path / "model.npz"
    arguments = ["fit", train, "-o", model, "-c", config, "-q"]
    done = CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)
    assert (done.exit_code, done.output) == (0, "")
    return model
