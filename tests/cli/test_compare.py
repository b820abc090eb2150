import csv
from io import StringIO

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.records import write_record
from tests.factories import record
from tests.paths import CONFIGS, REFERENCE

RECORDS = ("--results", REFERENCE, "-c", CONFIGS / "reference.toml")


def run(*arguments):
    return CliRunner().invoke(main, ["compare", *map(str, arguments)], catch_exceptions=False)


def test_it_prints_ranks_and_pairs_and_says_of_what():
    outcome = run(*RECORDS, "-m", "rntk", "-m", "ntk", "-m", "rbf")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith("Ranks. Test accuracy in percent and mean rank, over 54 data")
    assert "Friedman's test: chi-squared" in outcome.stdout
    assert "Pairs. Methods against each other on 54 datasets" in outcome.stdout
    assert outcome.stdout.count("Protocols: RNTK 7ad9149e") == 1
    assert not outcome.stderr


def test_csv_has_one_row_a_pair_and_notes_elsewhere():
    outcome = run("pairs", *RECORDS, "-m", "rntk", "-m", "ntk", "--format", "csv")
    (pair,) = csv.DictReader(StringIO(outcome.stdout))
    assert {pair["method"], pair["against"]} == {"RNTK", "NTK"}
    assert sum(int(pair[count]) for count in ("wins", "ties", "losses")) == 54
    assert 0 < float(pair["p"]) <= float(pair["p Holm"]) <= 1
    assert "Note: p: two-sided Wilcoxon signed-rank test" in outcome.stderr


def test_markdown_goes_to_a_file(tmp_path):
    path = tmp_path / "ranks.md"
    outcome = run("ranks", *RECORDS, "--format", "markdown", "-o", path)
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[2] == "| method | mean | median | rank |"
    assert "Pairs" not in lines


def test_the_papers_numbers_can_take_part():
    outcome = run("ranks", *RECORDS, "-m", "rntk", "-m", "rbf", "--paper", "--format", "csv")
    names = [row["method"] for row in csv.DictReader(StringIO(outcome.stdout))]
    assert sorted(names) == ["RBF", "RBF (paper)", "RNTK", "RNTK (paper)"]


def test_published_accuracies_can_take_part(tmp_path):
    for name, correct in zip("ABCDEFG", range(7), strict=True):
        write_record(tmp_path / "runs", record(name, "rntk", correct, 9))
    others = tmp_path / "others.csv"
    rows = [f"{name},{k / 9:.4f},0.5" for k, name in enumerate("ABCDEFG")]
    others.write_text("\n".join(["dataset,Same,Half", *rows]))
    common = ("pairs", "--results", tmp_path / "runs", "--with", others, "--format", "csv")
    outcome = run(*common, "--column", "Same")
    (pair,) = csv.DictReader(StringIO(outcome.stdout))
    assert [pair[name] for name in ("method", "against", "ties")] == ["RNTK", "Same", "7"]
    assert "Note: others.csv: 7 of 7 datasets found" in outcome.stderr
    assert len(run(*common).stdout.splitlines()) == 4
    alone = run("--results", tmp_path / "runs", "--column", "Same")
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert "--with" in alone.stderr


def test_datasets_that_a_method_lacks_are_named_in_one_line(tmp_path):
    for name, correct in zip("ABCDEFG", range(7), strict=True):
        write_record(tmp_path, record(name, "rntk", correct, 9))
        if name != "C":
            write_record(tmp_path, record(name, "rbf", 1, 9))
    outcome = run("ranks", "--results", tmp_path)
    assert "over 6 datasets" in outcome.stdout
    line = "Left out, since not every method has a result: 1 of 7 datasets (C)."
    assert line in outcome.stdout.splitlines()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-m", "rntk"), "Error: A comparison needs at least two methods with results; run"),
        (("-d", "Coffee", "-d", "Ham", "-m", "rntk", "-m", "ntk"), "on 2 of 2 datasets"),
        (("-m", "none"), "There is no record of method 'none'; there are"),
        (("--alpha", "1"), "--alpha"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(arguments, told):
    outcome = run(*RECORDS, *arguments)
    assert outcome.exit_code == 2
    assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr
