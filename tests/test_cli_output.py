"""What commands write, and what they say where it cannot be written."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main, output
from rntk_bench.errors import StorageError

ROOT = Path(__file__).parents[1]
SOME = ("--results", ROOT / "results" / "reference", "-m", "rntk", "-m", "rbf")
SELECT = "rntk_bench.cli.selecting.collected"
WRITING = [
    ("table", *SOME, "-o"),
    ("compare", *SOME, "-o"),
    ("audit", "-o"),
    ("report", *SOME, "-d", "Coffee", "-o"),
    ("plot", "cd", *SOME, "--out"),
    ("plot", "scatter", "rntk", "rbf", *SOME, "--out"),
    ("plot", "box", *SOME, "--out"),
    ("plot", "grid", "Coffee", "rbf", *SOME[:2], "--out"),
    ("figure", "2", "--quick", "--out"),
    ("figure", "3", "--quick", "--out"),
    ("figure", "4", "--from", ROOT / "results" / "regression", "--out"),
    ("figure", "training", "--quick", "--out"),
    ("figure", "scaling", "--quick", "--out"),
    ("sensitivity", "-d", "Mine", "--data-dir", "data", "--out"),
    ("regress", "sine", "--out"),
    ("regress", "csv", "series.csv", "--column", "x", "--out"),
    ("fit", "data/Mine/Mine_TRAIN.tsv", "-m", "rbf", "-o"),
    ("gram", "data/Mine/Mine_TRAIN.tsv", "-m", "rbf", "-o"),
    ("run", "-d", "Mine", "-m", "rbf", "--data-dir", "data", "--results"),
]


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.mark.parametrize("command", WRITING, ids=lambda command: "-".join(map(str, command[:2])))
def test_where_nothing_can_be_written_the_exit_code_is_3(
    command, tmp_path, monkeypatch, write_dataset
):
    write_dataset("Mine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "series.csv").write_text("x\n" + "\n".join(map(str, range(200))) + "\n")
    (tmp_path / "file").write_text("in the way")
    outcome = run(*command, "file/below")
    assert outcome.exit_code == 3
    assert "Error: Cannot write " in outcome.stderr
    assert "file" in outcome.stderr
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_cache_that_cannot_be_emptied_has_exit_code_3(tmp_path):
    entry = tmp_path / "grams" / "ab" / f"{'ab' * 16}.gram"
    entry.parent.mkdir(parents=True, mode=0o700)
    entry.parent.parent.chmod(0o700)
    entry.mkdir()  # which unlink refuses, whoever asks
    outcome = run("cache", "clear", "--cache-dir", tmp_path)
    assert outcome.exit_code == StorageError.exit_code == 3
    assert f"Cannot remove {entry}" in outcome.stderr


def test_a_name_that_is_no_text_is_written_with_a_plain_mark(tmp_path):
    output.write("caf\udce9 –\n", tmp_path / "table.txt")
    assert (tmp_path / "table.txt").read_text(encoding="utf-8") == "caf? –\n"


@pytest.mark.parametrize(
    ("command", "package", "before"),
    [
        (("plot", "cd", *SOME), "matplotlib", SELECT),
        (("plot", "cd", *SOME), "networkx", SELECT),
        (("plot", "box", *SOME), "matplotlib", SELECT),
        (("plot", "scatter", "rntk", "rbf", *SOME), "matplotlib", SELECT),
        (("plot", "grid", "Coffee", "rbf", *SOME[:2]), "matplotlib", SELECT),
        (("report", *SOME), "matplotlib", SELECT),
        (("report", *SOME), "networkx", SELECT),
        (("figure", "4"), "matplotlib", "rntk_bench.report.plot_regression.read_curves"),
        (("figure", "2"), "matplotlib", "rntk_bench.experiments.convergence.convergence"),
    ],
)
def test_a_missing_package_is_noticed_before_anything_is_computed(
    command, package, before, tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise AssertionError("computed")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(before, fail)
    outcome = run(*command)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        f"Error: A figure needs {package}; install it with pip install 'rntk-bench[figures]'.\n"
    )
    assert not list(tmp_path.iterdir())
