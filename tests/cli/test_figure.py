import subprocess
import sys
from functools import partial

import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.theory import convergence as theory


def run(*arguments):
    return CliRunner().invoke(main, ["figure", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "name", "curves"),
    [
        (
            ("2", "--width", 16, "--width", 128, "--draws", 250),
            "figure-2",
            {"tied", "untied", "mean", "banded", "step"},
        ),
        (
            ("training", "--width", 16, "--width", 128, "--draws", 6),
            "figure-training",
            {"kernel", "outputs"},
        ),
    ],
)
def test_a_figure_is_three_files_and_its_slopes(tmp_path, monkeypatch, arguments, name, curves):
    # The networks are those of tests/theory, so that they are compiled once for both.
    smaller = partial(theory.compute_convergence, 400, 5)
    monkeypatch.setattr(theory, "compute_convergence", lambda width, n, *more: smaller(*more))
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

    monkeypatch.setattr("rntk_bench.theory.convergence.compute_convergence", interrupted)
    outcome = run("2", "--quick", "--out", tmp_path)
    assert outcome.exit_code == 130
    assert "Interrupted." in outcome.stderr
    assert not list(tmp_path.iterdir())


def test_figure_4_is_drawn_from_the_files_of_regress(tmp_path):
    config = tmp_path / "tiny.toml"
    config.write_text('[experiment]\nmethods = ["rbf"]\n[grid.rbf]\nalpha = [0.1]\n')
    source, out = tmp_path / "regression", tmp_path / "figures"
    common = ("-c", str(config), "--repeats", "2", "-j", "1", "-q", "--out", str(source))
    for vary, values in (("length", ("0", "5")), ("noise", ("0.1", "0.2"))):
        points = [argument for value in values for argument in ("--value", value)]
        done = CliRunner().invoke(main, ["regress", "sine", "--vary", vary, *points, *common])
        assert done.exit_code == 0, done.output
    missing = run("4", "--from", source, "--out", out)
    assert missing.exit_code == 2
    assert "'rntk-bench regress prices --prices FILE.csv --vary length'" in missing.stderr
    assert len(missing.stderr.splitlines()) == 1
    for name, like in (("prices-length", "sine-length"), ("prices-train", "sine-length")):
        (source / f"{name}.csv").write_bytes((source / f"{like}.csv").read_bytes())
    assert run("4", "--from", source, "--out", out).exit_code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        f"figure-4.{kind}" for kind in ("csv", "pdf", "png")
    ]
    table = pd.read_csv(out / "figure-4.csv")
    assert table.groupby("panel").size().to_dict() == {
        "prices-length": 2,
        "prices-train": 2,
        "sine-length": 2,
        "sine-noise": 2,
    }
