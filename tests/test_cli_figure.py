import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["figure", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "name", "curves"),
    [
        (("2", "--width", 8, "--width", 32, "--draws", 4), "figure-2", {"tied", "untied"}),
        (
            ("training", "--width", 8, "--width", 32, "--draws", 3),
            "figure-training",
            {"kernel", "outputs"},
        ),
    ],
)
def test_a_figure_is_three_files_and_its_slopes(tmp_path, arguments, name, curves):
    outcome = run(*arguments, "--out", tmp_path / "figures")
    assert outcome.exit_code == 0, outcome.output
    for curve in curves:
        assert f"{curve}: slope -" in outcome.stdout
    written = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert written == [f"{name}.csv", f"{name}.pdf", f"{name}.png"]
    table = pd.read_csv(tmp_path / "figures" / f"{name}.csv")
    assert curves <= set(table.dropna(subset="slope")["curve"])


@pytest.mark.parametrize("command", ["2", "training"])
def test_one_width_has_no_slope(command, tmp_path):
    outcome = run(command, "--width", 8, "--out", tmp_path)
    assert outcome.exit_code == 2
    assert "at least two widths" in outcome.stderr


def test_without_jax_the_extra_is_named(tmp_path):
    blocked = "import sys; sys.modules['jax'] = None; from rntk_bench.cli import main; main()"
    outcome = subprocess.run(
        [sys.executable, "-c", blocked, "figure", "2", "--quick", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 2
    assert "pip install 'rntk-bench[finite]'" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_an_interrupted_figure_leaves_nothing_and_says_so(tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("rntk_bench.experiments.convergence.convergence", interrupted)
    outcome = run("2", "--quick", "--out", tmp_path)
    assert outcome.exit_code == 130
    assert "Interrupted." in outcome.stderr
    assert not list(tmp_path.iterdir())
