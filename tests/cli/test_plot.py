from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from tests.paths import CONFIGS, REFERENCE

RESULTS = ("--results", REFERENCE)
KERNELS = (
    *RESULTS,
    "-c",
    CONFIGS / "networks-literal.toml",  # 20 datasets, on which every method has records
    "-m",
    "rntk",
    "-m",
    "rbf",
    "-m",
    "rntk-multiscale",
)


def run(*arguments):
    return CliRunner().invoke(main, ["plot", *map(str, arguments)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("arguments", "name", "columns", "n_rows"),
    [
        (("cd", *KERNELS), "cd", ["method", "rank", "bars"], 3),
        (("scatter", "rntk", "RBF", *KERNELS), "scatter-RNTK-RBF", ["dataset", "RNTK", "RBF"], 20),
        (
            ("scatter", "rntk", "RNTK (paper)", "--paper", *KERNELS),
            "scatter-RNTK-RNTK_paper_",
            ["dataset", "RNTK", "RNTK (paper)"],
            20,
        ),
        (("box", *KERNELS), "box", ["dataset", "RNTK", "RBF", "RNTK multiscale"], 20),
        (
            ("grid", "GunPoint", *RESULTS),
            "grid-GunPoint-rntk",
            ["sigma_w", "sigma_b", "accuracy", "best", "chosen"],
            180,
        ),
        (
            ("grid", "GunPoint", "rbf", "--x", "C", *RESULTS),
            "grid-GunPoint-rbf",
            ["C", "alpha", "accuracy", "best", "chosen"],
            90,
        ),
    ],
)
def test_a_picture_is_three_files_and_its_numbers(tmp_path, arguments, name, columns, n_rows):
    outcome = run(*arguments, "--out", tmp_path / "out")
    assert outcome.exit_code == 0, outcome.output
    files = [f"{name}.{kind}" for kind in ("png", "pdf", "svg", "csv")]
    assert [Path(line).name for line in outcome.stdout.splitlines()] == files
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(files)
    assert "Note: Protocols: RNTK 7ad9149e" in outcome.stderr or "rbf" in arguments
    rows = pd.read_csv(tmp_path / "out" / f"{name}.csv")
    assert list(rows) == columns
    assert len(rows) == n_rows


def test_published_accuracies_can_be_drawn(tmp_path):
    others = tmp_path / "others.csv"
    others.write_text("dataset,Other one\nCoffee,90\nGunPoint,80\nHam,70\n")
    outcome = run("scatter", "rntk", "Other one", "--with", others, *KERNELS, "--out", tmp_path)
    assert outcome.exit_code == 0, outcome.output
    rows = pd.read_csv(tmp_path / "scatter-RNTK-Other_one.csv", index_col="dataset")
    assert rows["Other one"].round(0).to_dict() == {"Coffee": 90, "GunPoint": 80, "Ham": 70}
    assert "17 of 20 datasets" in outcome.stderr


def test_the_bars_of_the_diagram_are_numbered(tmp_path):
    run("cd", *KERNELS, "--out", tmp_path)
    rows = pd.read_csv(tmp_path / "cd.csv", index_col="method")
    assert rows["bars"].fillna(0).to_dict() == {"RBF": 1, "RNTK": 1, "RNTK multiscale": 0}
    assert rows.loc["RNTK multiscale", "rank"] == rows["rank"].min()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("scatter", "rntk", "none", *KERNELS), "There is no method 'none' among the results"),
        (("scatter", "rntk", "RNTK", *KERNELS), "two methods, not RNTK twice"),
        (("cd", *KERNELS, "-d", "Coffee"), "on 1 of 1 datasets"),
        (("grid", "GunPoint", "none", *RESULTS), "no record of method 'none'; there are gru"),
        (("grid", "GunPoint", "--x", "alpha", *RESULTS), "no axis 'alpha'; it has sigma_w"),
        (("box", "--results", "nowhere"), "There are no run records in nowhere"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence(tmp_path, arguments, told):
    outcome = run(*arguments, "--out", tmp_path)
    assert outcome.exit_code == 2
    (error,) = [line for line in outcome.stderr.splitlines() if not line.startswith("Note: ")]
    assert told in error
    assert not list(tmp_path.iterdir())
