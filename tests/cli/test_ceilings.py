import csv

import pytest
from click.testing import CliRunner

from rntk_bench.benchmark import ceilings
from rntk_bench.cli import main

CONFIG = """
[experiment]
datasets = ["Coffee", "ItalyPowerDemand"]

[grid.rntk]
sigma_w = [1.3, 1.45]
sigma_b = [0.1]
sigma_h = [0.0]

[grid.rbf]
alpha = [1.0]
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(CONFIG)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["ceilings", *map(str, arguments)])


def test_a_row_per_dataset_and_method_beside_the_papers_accuracy(config):
    outcome = run("-c", config, "-m", "rntk", "-m", "rbf", "--format", "csv")
    assert outcome.exit_code == 0
    rows = list(csv.DictReader(outcome.stdout.splitlines()))
    names = [(row["dataset"], row["method"]) for row in rows]
    datasets = ("Coffee", "ItalyPowerDemand")
    assert names == [(name, method) for name in datasets for method in ("RNTK", "RBF")]
    assert rows[0]["paper"] == "100.00"
    assert rows[0]["first setting"].startswith("sigma_w=1.")
    assert all(float(row["best"]) > 70 for row in rows)
    assert "no result of it" in outcome.stderr


def test_datasets_are_named_as_everywhere(config):
    outcome = run("-c", config, "-d", "coff*", "--format", "csv")
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines()[1].startswith("Coffee,RNTK,")
    none = run("-m", "rbf")
    assert none.exit_code == 2
    assert none.stderr == "Error: There are no datasets to score; name some with --dataset.\n"


def test_networks_are_refused():
    outcome = run("-d", "Coffee", "-m", "gru")
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "Error: ceilings takes kernels only, and gru is a finite network; name a kernel with -m.\n"
    )


def test_finished_rows_are_printed_when_it_is_interrupted(config, monkeypatch):
    compute = ceilings.ceiling

    def interrupted(dataset, *arguments, **options):
        if dataset.name == "ItalyPowerDemand":
            raise KeyboardInterrupt
        return compute(dataset, *arguments, **options)

    monkeypatch.setattr(ceilings, "ceiling", interrupted)
    outcome = run("-c", config)
    assert outcome.exit_code == 130
    assert "Coffee" in outcome.stdout
    assert "ItalyPowerDemand" not in outcome.stdout


def test_single_precision_has_the_rounding_errors_of_a_plain_recursion(config):
    outcome = run("-c", config, "-d", "Coffee", "--single-precision")
    assert outcome.exit_code == 0
    assert "computed in single precision" in outcome.stdout
    refused = run("-c", config, "-m", "rbf", "--single-precision")
    assert refused.exit_code == 2
    assert "the method rntk only; leave out -m" in refused.stderr
