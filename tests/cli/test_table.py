import csv

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.records import protocol_id, write_record
from tests import factories as made


def record(dataset, method, correct, n, seed=0):
    return made.record(dataset, method, correct, n, protocol={"seed": seed})


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


def test_noise_shows_the_mean_under_each_seed(results):
    write_record(results, record("Coffee", "rntk", 27, 28, seed=1))
    outcome = run("noise", "--results", results, "--format", "csv", "-m", "rntk", "--digits", 1)
    header, row = csv.reader(outcome.stdout.splitlines())
    assert header[-3:] == [f"mean under the folds' seed {name}" for name in ("0", "1", "std")]
    assert [row[0], *row[-3:-1]] == ["RNTK", "85.2", "48.2"]


@pytest.mark.parametrize("option", ["--no-paper", "--resamples", "--metrics"])
def test_noise_refuses_options_without_effect(results, option):
    outcome = run("noise", "--results", results, option)
    assert outcome.exit_code == 2
    assert f"{option} " in outcome.stderr
    assert "leave it out" in outcome.stderr


def test_csv_is_data_alone_and_the_notes_go_elsewhere(results):
    outcome = run("2", "--format", "csv", "--no-paper", "--results", results)
    assert list(csv.reader(outcome.stdout.splitlines())) == [
        ["dataset", "RNTK", "NTK"],
        ["Coffee", "100.00", "96.43"],
        ["Ham", "70.48", "72.38"],
    ]
    assert "Note: Protocols: RNTK" in outcome.stderr


@pytest.mark.parametrize(
    ("style", "start"),
    [("markdown", "**Table 1.**"), ("latex", "% \\usepackage{booktabs"), ("html", "<table>")],
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
    assert outcome.exit_code == 3
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
    assert outcome.stderr.startswith("Error: There is no record of protocol 'zz'; there are ")


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
    assert "no record of dataset 'Beef'" in nothing.stderr


@pytest.mark.parametrize(
    ("style", "start", "end"),
    [("latex", "\\documentclass", "\\end{document}\n"), ("html", "<!DOCTYPE html>", "</html>\n")],
)
def test_a_whole_document(results, style, start, end):
    text = run("--format", style, "--standalone", "--results", results).stdout
    assert text.startswith(start)
    assert text.endswith(end)
    assert run("--format", style, "--results", results).stdout in text


def test_only_some_formats_have_whole_documents(results):
    outcome = run("--format", "csv", "-s", "--results", results)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "Error: --standalone goes with --format latex or html, not csv; choose one of these, "
        "or leave it out.\n"
    )


def test_digits(results):
    csv_2 = "2", "--format", "csv", "--results", results
    assert "70.4762,70.4800,-0.0038" in run(*csv_2, "--digits", "4").stdout
    assert "Ham,70,70,+0,72,72,+1" in run(*csv_2, "--digits", "0").stdout
    assert run(*csv_2, "--digits", "7").exit_code == 2


def test_sort(results):
    names = [
        [line.split(",")[0] for line in run(*order).stdout.splitlines()[1:]]
        for order in (
            ("2", "--format", "csv", "--results", results, "--sort", "rntk"),
            ("2", "--format", "csv", "--results", results, "--sort", "-rntk"),
        )
    ]
    assert names == [["Ham", "Coffee"], ["Coffee", "Ham"]]
    outcome = run("--results", results, "--sort", "length")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("Error: There is no column 'length' to sort by; there are ")


def test_metrics(results):
    with_metrics, without = (
        run("1", "--format", "csv", "--no-paper", "--results", results, *more).stdout.splitlines()
        for more in (["--metrics"], [])
    )
    assert with_metrics[0] == without[0] + (",ours Friedman rank,ours P90,ours P95,ours PMA")
    assert with_metrics[1] == without[1] + ",1.50,100.00,100.00,98.68"


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text("dataset,ROCKET,NTK\ncoffee,1,0.9643\nHAM,0.7143,0.5\nOther,0.5,0.5\n")
    return path


def test_columns_of_a_file(results, published):
    outcome = run("2", "--format", "csv", "--no-paper", "--results", results, "--with", published)
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines() == [
        "dataset,RNTK,NTK,ROCKET,NTK (published)",
        "Coffee,100.00,96.43,100.00,96.43",
        "Ham,70.48,72.38,71.43,50.00",
    ]
    assert "Note: published.csv: 2 of 2 datasets found; read as fractions" in outcome.stderr
    assert "Note: published.csv: neither the archive nor the table has Other." in outcome.stderr


def test_one_column_of_a_file(results, published):
    chosen = "--with", published, "--column", "rocket"
    outcome = run("1", "--format", "csv", "--no-paper", "--results", results, *chosen)
    lines = outcome.stdout.splitlines()
    assert lines[0].startswith("method,datasets,ours and published mean")
    assert [line.split(",")[0] for line in lines[1:]] == ["RNTK", "NTK", "ROCKET"]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (["--column", "ROCKET"], "--column chooses among the columns of a file"),
        (["--with", "absent.csv"], "absent.csv cannot be read as CSV"),
    ],
)
def test_files_and_columns_that_cannot_be(results, choice, message):
    outcome = run("--results", results, *choice)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"Error: {message}")
    assert len(outcome.stderr.splitlines()) == 1


@pytest.fixture
def resampled(tmp_path):
    folder = tmp_path / "resampled"
    for dataset, n in (("Coffee", 28), ("Ham", 105)):
        for method, right in (("rntk", 20), ("ntk", 24)):
            for resample in range(4):
                protocol = {"seed": 0} | ({"resample": resample} if resample else {})
                correct = right + resample
                write_record(folder, made.record(dataset, method, correct, n, protocol=protocol))
    return folder


def test_without_resamples_the_archives_split_alone_counts(resampled):
    outcome = run("2", "--format", "csv", "--no-paper", "--results", resampled)
    assert list(csv.reader(outcome.stdout.splitlines()))[1] == ["Coffee", "71.43", "85.71"]
    assert "Note: Left out without --resamples: resamples 1-3.\n" in outcome.stderr


def test_with_resamples_means_and_standard_errors_are_shown(resampled):
    outcome = run("2", "--resamples", "--format", "csv", "--no-paper", "--results", resampled)
    assert list(csv.reader(outcome.stdout.splitlines())) == [
        ["dataset", "RNTK mean", "RNTK se", "NTK mean", "NTK se"],
        # means of 20 to 23 and of 24 to 27; their standard error is sqrt(5 / 3) / 2
        ["Coffee", "76.79", "2.31", "91.07", "2.31"],
        ["Ham", "20.48", "0.61", "24.29", "0.61"],
    ]
    assert "Means over the resamples that every method has" in outcome.stderr
    assert "standard errors: 0-3 (4)." in outcome.stderr
    outcome = run("--resamples", "--results", resampled)
    assert outcome.stdout.count("The paper's numbers are of the archive's split.") == 2
    first = outcome.stdout.split("Table 2")[0]
    assert "48.63" in first  # the mean of 76.79 and 20.48
    by_error = run("2", "--resamples", "--sort", "-rntk se", "--results", resampled)
    assert by_error.stdout.index("Coffee") < by_error.stdout.index("Ham")


def test_resamples_alone_are_a_sentence(resampled):
    for path in resampled.glob("*/*.json"):
        if "resample" not in path.name:
            path.unlink()
    outcome = run("--results", resampled)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        "Error: There is no record of the archive's split, but of resamples 1-3; average over them "
        "with --resamples.\n"
    )
    assert run("--resamples", "--results", resampled).exit_code == 0


def test_a_published_table_of_resamples_and_a_folder_of_predictions_join_in(resampled, tmp_path):
    table = tmp_path / "HC2_accuracy.csv"
    table.write_text("Resamples:,0,1,2\nCoffee,1,1,0.5\nHam,0.6,0.7,0.8\n")
    common = ("2", "--format", "csv", "--no-paper", "--results", resampled, "-m", "rntk")
    outcome = run(*common, "--with", table)
    assert [row[2] for row in csv.reader(outcome.stdout.splitlines())] == ["HC2", "100.00", "60.00"]
    outcome = run(*common, "--with", table, "--resamples")
    assert list(csv.reader(outcome.stdout.splitlines()))[1] == [
        *("Coffee", "75.00", "2.06", "83.33", "16.67")
    ]
    assert "resamples that every method has, and their standard errors: 0-2 (3)" in outcome.stderr
    assert "Resamples that not every method has: Coffee (RNTK 3), Ham (RNTK 3)." in outcome.stderr
