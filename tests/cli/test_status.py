import csv
import json

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.config import Experiment, read_experiment
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.methods import METHODS, resolve
from rntk_bench.storage.records import record_path, write_record
from tests.factories import record
from tests.paths import CONFIGS, REFERENCE

CONFIG = CONFIGS / "reference.toml"
LENGTHS = CONFIGS / "lengths.toml"


def status(*arguments):
    return CliRunner().invoke(main, ["status", *map(str, arguments)], catch_exceptions=False)


def cells(*arguments):
    outcome = status("--results", REFERENCE, "--format", "csv", *arguments)
    assert outcome.exit_code == 0, outcome.output
    return list(csv.DictReader(outcome.stdout.splitlines()))


@pytest.mark.parametrize("config", [CONFIG, LENGTHS])
def test_evaluations_of_the_reference_are_done_where_the_protocols_file_is(config):
    experiment = read_experiment(config)
    cells = [
        record_path(REFERENCE, dataset, method.name, method.protocol(experiment))
        for dataset in experiment.datasets
        for method in resolve(experiment)
    ]
    done = sum(path.exists() for path in cells)
    assert done >= 50
    outcome = status("--results", REFERENCE, "-c", config)
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"Status. {done} of {len(cells)} evaluations are done")


def test_csv_and_json_have_an_entry_for_each_evaluation():
    names = ("Coffee", "PLAID", "ItalyPowerDemand")
    datasets = [each for name in names for each in ("-d", name)]
    chosen = ("-c", CONFIG, *datasets, "-m", "rntk", "-m", "rntk-shared")
    rows = cells(*chosen)
    assert [(row["dataset"], row["method"], row["state"], row["reason"]) for row in rows] == [
        ("Coffee", "rntk", "done", ""),
        ("Coffee", "rntk-shared", "done", ""),
        ("PLAID", "rntk", "stale", "differs in max_iterations"),
        ("PLAID", "rntk-shared", "stale", "differs in max_iterations"),
        ("ItalyPowerDemand", "rntk", "missing", ""),
        ("ItalyPowerDemand", "rntk-shared", "missing", ""),
    ]
    found = json.loads(status("--results", REFERENCE, "--format", "json", *chosen).stdout)
    assert found["evaluations"] == [row | {"resample": int(row["resample"])} for row in rows]
    assert found["summary"] == {
        "done": 2,
        "failed": 0,
        "interrupted": 0,
        "stale": 2,
        "missing": 2,
    }


def test_another_seed_is_another_protocol():
    (row,) = cells("-d", "Coffee", "-m", "rbf", "--seed", "7")
    assert (row["state"], row["reason"]) == ("stale", "differs in seed")


def test_without_a_plan_everything_that_has_records_is_shown():
    rows = cells()
    assert {row["dataset"] for row in rows} == {path.name for path in REFERENCE.iterdir()}
    recorded = {path.stem.rpartition("-")[0] for path in REFERENCE.glob("*/*.json")}
    assert {row["method"] for row in rows} == recorded


def test_all_are_the_papers_datasets_and_default_methods(tmp_path):
    outcome = status("--all", "--results", tmp_path, "--format", "csv")
    rows = list(csv.DictReader(outcome.stdout.splitlines()))
    expected = [(name, method) for name in PAPER_DATASETS for method in Experiment().methods]
    assert [(row["dataset"], row["method"]) for row in rows] == expected
    assert {row["state"] for row in rows} == {"missing"}


def test_without_records_or_a_plan_it_says_how_to_name_one(tmp_path):
    outcome = status("--results", tmp_path)
    assert outcome.exit_code == 2
    assert "--results" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_slips_are_answered(tmp_path):
    outcome = status("--results", tmp_path, "-d", "Cofee", "-d", "MyOwnSeries")
    assert outcome.exit_code == 0
    assert outcome.stderr == "Warning: Cofee has no records; did you mean Coffee?\n"
    unknown = status("--results", tmp_path, "-d", "Coffee", "-m", "rnkt")
    assert unknown.exit_code == 2
    assert "did you mean 'rntk'?" in unknown.stderr
    path = status("--results", tmp_path, "-d", "../Coffee")
    assert path.exit_code == 2
    assert "'../Coffee' cannot name" in path.stderr


def test_what_run_leaves_is_what_status_finds(tmp_path, write_dataset):
    config = tmp_path / "tiny.toml"
    config.write_text(
        '[experiment]\ndatasets = ["Mine", "Other"]\nmethods = ["rbf", "rntk"]\n'
        "[grid.rbf]\nalpha = [1]\n[grid.rntk]\nsigma_w = [1e200]\n"
    )
    plan = ("-c", str(config), "--results", str(tmp_path / "runs"))
    data = ("--data-dir", str(write_dataset("Mine")))
    assert CliRunner().invoke(main, ["run", "-d", "Mine", *plan, *data]).exit_code == 1
    outcome = status(*plan, "--format", "csv")
    rows = list(csv.DictReader(outcome.stdout.splitlines()))
    found = {(row["dataset"], row["method"]): row["state"] for row in rows}
    assert found == {
        ("Mine", "rbf"): "done",
        ("Mine", "rntk"): "failed",
        ("Other", "rbf"): "missing",
        ("Other", "rntk"): "missing",
    }


def test_resamples_are_counted_and_those_that_are_not_are_mentioned(tmp_path):
    protocol = METHODS["rbf"].protocol(Experiment())
    for resample in (0, 1, 2, 7):
        of_resample = protocol | ({"resample": resample} if resample else {})
        write_record(tmp_path, record("Ham", "rbf", protocol=of_resample))
    common = ("--results", tmp_path, "-m", "rbf")
    outcome = status(*common)
    assert "1 of 1 evaluations are done" in outcome.stdout
    note = "Note: There are records of resamples 1-2, 7; count them with --resample.\n"
    assert outcome.stderr == note
    outcome = status(*common, "--resample", "0-7")
    assert "4 of 8 evaluations are done, 4 missing" in outcome.stdout
    assert "4 of 8 done" in outcome.stdout
    assert outcome.stderr == ""
    outcome = status(*common, "--resample", "0-2,7")
    assert outcome.stdout.splitlines()[4].split() == ["Ham", "done"]
    rows = status(*common, "--resample", "1,3", "--format", "csv").stdout.splitlines()
    assert rows[0] == "dataset,method,resample,protocol,state,reason"
    assert [row.split(",")[2:5:2] for row in rows[1:]] == [["1", "done"], ["3", "missing"]]
