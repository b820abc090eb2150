"""Grids at the edge of floating point, and ties that rounding must not break."""

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.kernels import RBF
from rntk_bench.storage.integers import unpack_integers
from rntk_bench.storage.records import read_records
from tests.faults import process_harness
from tests.faults.conftest import write_dataset

EDGES = """
[experiment]
datasets = ["A"]
methods = ["rntk", "ntk", "rbf", "poly"]
[svm]
n_folds = 4
C = [0.1, 10]
[grid.rntk]
sigma_w = [1e-200, 1.4, 30.0, 1e100, 1e300]
sigma_u = [0.0, 1e-170, 1.0, 1e170]
sigma_b = [0.0, 0.1, 1e8]
sigma_h = [0.0, 1e160]
[grid.ntk]
n_layers = [1, 10]
sigma_w = [1e-100, 1.4, 1e200]
sigma_b = [0.0, 1.0, 1e9, 1e200]
[grid.rbf]
alpha = [1e-300, 1e-17, 1.0, 1e300]
[grid.poly]
degree = [1, 5, 1000]
r = [0.0, 1.0, 1e30, 1e300]
"""


def run(folder, config, *more):
    path = folder / "plan.toml"
    path.write_text(config)
    command = ["run", "-c", path, "--data-dir", folder / "data", "--no-cache", *more]
    return CliRunner().invoke(main, list(map(str, command)), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path / "data", "A", n=24, length=30)
    return tmp_path


@pytest.mark.filterwarnings("error")
def test_settings_at_the_edge_are_recorded_and_never_chosen(folder):
    outcome = run(folder, EDGES, "--results", folder / "runs", "--no-prune")
    assert outcome.exit_code == 0, outcome.output
    records, problems = read_records(folder / "runs")
    assert not problems
    found = {}
    for record in records:
        selection = record.selection
        unusable = selection["unusable_settings"]
        assert len(unusable) == len(selection["invalid_reasons"])
        assert selection["setting_index"] not in unusable
        n_correct = unpack_integers(selection["n_correct"])
        usable = np.delete(np.arange(selection["n_settings"]), unusable)
        assert (n_correct[unusable] == -1).all()
        assert (n_correct[usable] >= 0).all()
        assert any("they were not considered" in warning for warning in record.warnings)
        found[record.method] = set(selection["invalid_reasons"])
        assert selection["accuracy"] > 0.6  # a sound setting was left to choose
    assert found["rntk"] == found["ntk"] == found["poly"] == {"overflows", "vanishes"}
    assert found["rbf"] == {"vanishes"}


def test_a_grid_without_a_valid_setting_fails_alone(folder):
    config = EDGES.replace("alpha = [1e-300, 1e-17, 1.0, 1e300]", "alpha = [1e-300]")
    outcome = run(folder, config, "--results", folder / "runs", "-m", "rbf", "-m", "poly")
    assert outcome.exit_code == 1
    assert (
        "No setting of rbf's grid can be used on A: the Gram vanishes; take other values."
        in outcome.stderr
    )
    assert "A poly: test" in outcome.stdout


@pytest.mark.parametrize(
    ("entry", "value", "reason"),
    [
        ((0, 0), np.nan, "overflows"),
        ((5, 3), np.nan, "overflows"),
        ((5, 3), 1.001, "is indefinite by rounding"),
    ],
)
def test_one_bad_entry_stops_its_setting_only(folder, monkeypatch, entry, value, reason):
    def poisoned(self, prepared):
        gram = whole(self, prepared)
        if self.alpha == 1.0:
            gram[entry] = gram[entry[::-1]] = value
        return gram

    whole = RBF.gram
    monkeypatch.setattr(RBF, "gram", poisoned)
    config = EDGES.replace("alpha = [1e-300, 1e-17, 1.0, 1e300]", "alpha = [0.5, 1.0, 2.0]")
    outcome = run(folder, config, "--results", folder / "runs", "-m", "rbf")
    assert outcome.exit_code == 0, outcome.output
    selection = read_records(folder / "runs")[0][0].selection
    assert (selection["unusable_settings"], selection["invalid_reasons"]) == ([1], [reason])
    assert selection["setting_index"] != 1


TIES = """
[experiment]
datasets = ["A"]
methods = ["rntk", "ntk", "rbf", "poly", "rntk-avg"]
[svm]
n_folds = 8
C = [0.1, 1, 10, 100]
[grid.rntk]
sigma_w = [1.4, 1.4, 1.4000000000000001, 1.4000000000000004]
sigma_b = [0.0, 1e-12, 0.1]
sigma_h = [0.0, 1e-12]
[grid.rntk-avg]
sigma_w = [1.4, 1.4000000000000004]
sigma_b = [0.0, 1e-12, 0.1]
sigma_h = [0.0, 1e-12]
[grid.ntk]
n_layers = [1, 2]
sigma_w = [1.0, 1.0000000000000002]
sigma_b = [0.0, 1e-12]
"""


def test_ties_are_broken_the_same_by_any_number_of_threads(folder):
    answers = []
    for number, jobs in enumerate((1, 2, 2, 4)):
        results = folder / f"runs-{number}"
        assert run(folder, TIES, "--results", results, "-j", jobs).exit_code == 0
        answers.append(process_harness.records(results))
    assert all(answer == answers[0] for answer in answers)
    ties = {record.method: record.selection["ties"] for record in read_records(results)[0]}
    assert min(ties["rntk"], ties["rntk-avg"], ties["ntk"]) > 1


def test_the_same_seed_gives_the_same_records_for_any_jobs(plan, tmp_path):
    """Kernels and networks, in one thread and in two; another seed gives others."""
    config = tmp_path / "plan.toml"
    axes = "n_layers = [1]\nwidth = [3]\nlearning_rate = [0.1, 0.01]\n"
    config.write_text(
        f"{plan.config.read_text()}[network]\nmax_epochs = 2\nn_folds = 2\n[grid.gru]\n{axes}"
    )
    answers = []
    for jobs, seed in ((1, 0), (2, 0), (2, 1)):
        methods = ("-m", "rntk") if seed else ("-m", "rntk", "-m", "gru")
        command = (
            *("run", "-c", config, "-d", "A", *methods, "--data-dir", plan.data),
            *("-j", jobs, "--seed", seed, "--results", tmp_path / f"runs-{jobs}-{seed}"),
        )
        outcome = CliRunner().invoke(main, list(map(str, command)), catch_exceptions=False)
        assert outcome.exit_code == 0, outcome.output
        answers.append(process_harness.records(tmp_path / f"runs-{jobs}-{seed}"))
    assert answers[0] == answers[1]
    assert not answers[0].keys() & answers[2].keys()
