import csv

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.report.tables.text import RENDERERS


def run(*arguments):
    return CliRunner().invoke(main, ["audit", *map(str, arguments)])


def test_it_is_a_report_and_ends_well():
    outcome = run()
    assert outcome.exit_code == 0
    assert outcome.stdout.index("Audit of Table 1. ") < outcome.stdout.index("Audit of Table 2. ")
    assert "14 of 371 entries are impossible" in outcome.stdout
    assert not outcome.stderr


@pytest.mark.parametrize(("number", "other"), [("1", "2"), ("2", "1")])
def test_one_table(number, other):
    outcome = run(number)
    assert f"Audit of Table {number}. " in outcome.stdout
    assert f"Audit of Table {other}. " not in outcome.stdout


def test_csv_is_data_alone():
    outcome = run("2", "--format", "csv")
    header, *rows = csv.reader(outcome.stdout.splitlines())
    assert header == ["dataset", "method", "printed", "nearest", "right answers", "remark"]
    assert len(rows) == 14
    assert "Note: MiddlePhalanxOutlineCorrect: the entries of RNTK" in outcome.stderr


@pytest.mark.parametrize("style", RENDERERS)
def test_every_format(style, tmp_path):
    path = tmp_path / "audit"
    assert run("--format", style, "-o", path).exit_code == 0
    assert "71.63" in path.read_text(encoding="utf-8")
