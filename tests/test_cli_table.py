import csv

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.store.records import Record, protocol_id, write_record


def record(dataset, method, correct, n, seed=0):
    return Record(
        dataset=dataset,
        method=method,
        status="ok",
        protocol={"seed": seed},
        data={},
        selection=None,
        test={"correct": correct, "n": n},
        warnings=[],
        error=None,
        timings={},
        environment={},
    )


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "runs"
    for entry in (
        record("Coffee", "rntk", 28, 28),
        record("Coffee", "ntk", 27, 28),
        record("Ham", "rntk", 74, 105),
        record("Ham", "ntk", 76, 105),
        record("Ham", "rntk", 0, 105, seed=1),
    ):
        write_record(folder, entry)
    return folder


def run(*arguments):
    return CliRunner().invoke(main, ["table", *map(str, arguments)])


def test_without_a_number_it_prints_both(results):
    outcome = run("--results", results)
    assert outcome.exit_code == 0
    assert outcome.stdout.index("Table 1. ") < outcome.stdout.index("Table 2. ")
    assert "70.48" in outcome.stdout
    assert not outcome.stderr


@pytest.mark.parametrize(("number", "other"), [("1", "2"), ("2", "1")])
def test_with_a_number_it_prints_that_one(results, number, other):
    outcome = run(number, "--results", results)
    assert f"Table {number}. " in outcome.stdout
    assert f"Table {other}. " not in outcome.stdout


def test_csv_is_data_alone_and_the_notes_go_elsewhere(results):
    outcome = run("2", "--format", "csv", "--no-paper", "--results", results)
    assert list(csv.reader(outcome.stdout.splitlines())) == [
        ["dataset", "RNTK", "NTK"],
        ["Coffee", "100.00", "96.43"],
        ["Ham", "70.48", "72.38"],
    ]
    assert "Note: Protocols: RNTK" in outcome.stderr


@pytest.mark.parametrize(
    ("style", "start"), [("markdown", "**Table 1.**"), ("latex", r"\begin{table}")]
)
def test_other_formats(results, style, start):
    assert run("--format", style, "--results", results).stdout.startswith(start)


def test_a_protocol_can_be_asked_for(results):
    chosen = protocol_id({"seed": 1})
    outcome = run("2", "--format", "csv", "--no-paper", "--results", results, "--protocol", chosen)
    assert outcome.stdout.splitlines() == ["dataset,RNTK", "Ham,0.00"]


def test_it_writes_a_file(results, tmp_path):
    path = tmp_path / "table.md"
    outcome = run("--format", "markdown", "--results", results, "-o", path)
    assert outcome.exit_code == 0
    assert not outcome.stdout
    assert (
        path.read_text(encoding="utf-8") == run("--format", "markdown", "--results", results).stdout
    )


def test_a_file_that_cannot_be_written_is_one_sentence(results, tmp_path):
    outcome = run("--results", results, "-o", tmp_path / "no" / "table.md")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: Cannot write ")
    assert len(outcome.stderr.splitlines()) == 1


def test_without_records_it_says_how_to_make_some(tmp_path):
    outcome = run("--results", tmp_path)
    assert outcome.exit_code == 2
    assert "rntk-bench run --dataset Coffee" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_an_unknown_protocol_is_one_sentence(results):
    outcome = run("--results", results, "--protocol", "zz")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("Error: No record's protocol starts with 'zz'")


def test_a_damaged_record_is_a_warning(results):
    (results / "Ham" / "rntk-damaged.json").write_text("{")
    outcome = run("--results", results)
    assert outcome.exit_code == 0
    assert "Ham" in outcome.stdout
    assert outcome.stderr.startswith("Warning: ")
    assert len(outcome.stderr.splitlines()) == 1


def test_some_datasets_and_methods_or_those_of_a_configuration(results, tmp_path):
    config = tmp_path / "some.toml"
    config.write_text('[experiment]\ndatasets = ["Ham"]\nmethods = ["ntk"]\n')
    expected = ["dataset,NTK", "Ham,72.38"]
    style = "2", "--format", "csv", "--no-paper", "--results", results
    for choice in (("-d", "Ham", "-m", "ntk"), ("-c", config)):
        assert run(*style, *choice).stdout.splitlines() == expected
    both = run(*style, "-c", config, "-m", "ntk", "-m", "rntk")
    assert both.stdout.splitlines()[0] == "dataset,RNTK,NTK"
    nothing = run(*style, "-d", "Beef")
    assert nothing.exit_code == 2
    assert "No record is of one of these" in nothing.stderr
