import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench.cli.figure import figure_3
from rntk_bench.cli.sensitivity import sensitivity
from rntk_bench.errors import DataError


@pytest.fixture
def run(tmp_path, write_dataset):
    folder = write_dataset("Small", length=20)

    def invoke(*arguments):
        where = ["--data-dir", str(folder), "--out", str(tmp_path / "out")]
        return CliRunner().invoke(sensitivity, ["-d", "Small", *where, *arguments])

    return invoke


def test_a_curve_for_each_value_of_the_repeated_option(run, tmp_path):
    result = run("--sigma-w", "3", "--sigma-w", "0.5", "--sigma-b", "0.1", "--pairs", "10")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Small, relu: sigma_u = 1, sigma_b = 0.1, sigma_h = 0, n_layers = 1"
    assert lines[1].startswith("10 pairs of training series, ")
    assert lines[3].split()[0] == "0.5"
    assert lines[3].endswith("vanish")
    assert lines[4].split()[0] == "3"
    assert lines[4].endswith("explode")
    files = [tmp_path / "out" / f"sensitivity-Small-sigma_w.{kind}" for kind in ("png", "pdf")]
    assert all(path.stat().st_size > 1000 for path in files)
    table = pd.read_csv(files[0].with_suffix(".csv"))
    assert set(table["value"]) == {0.5, 3.0}
    assert set(table["pairs"]) == {"all", "same class", "different classes"}


def test_the_shares_add_up_and_defaults_are_the_papers(run):
    result = run("--activation", "erf", "--quick")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Small, erf: sigma_u = 0.01, sigma_b = 0.05, sigma_h = 0, n_layers = 1"
    assert lines[1].startswith("20 pairs")
    shares = [float(word) for word in lines[3].split("%")[0].split()[1:]]
    shares += [float(part) for part in lines[3].split("%")[1:3]]
    assert sum(shares) == pytest.approx(100.0, abs=0.02)


def test_layers_may_be_repeated(run):
    result = run("--layers", "1", "--layers", "2", "--quick")
    assert result.exit_code == 0, result.output
    assert "sensitivity-Small-n_layers.png" in result.stdout


def test_only_one_option_may_be_repeated(run):
    result = run("--sigma-w", "1", "--sigma-w", "2", "--layers", "1", "--layers", "2")
    assert result.exit_code == 2
    assert "--sigma-w and --layers are repeated" in result.output


def test_an_unknown_dataset_is_a_data_error(tmp_path):
    result = CliRunner().invoke(sensitivity, ["-d", "NoSuch", "--out", str(tmp_path)])
    assert isinstance(result.exception, DataError)


def test_figure_3_writes_the_picture_and_its_numbers(tmp_path):
    def draw(folder, *arguments):
        result = CliRunner().invoke(figure_3, ["--out", str(tmp_path / folder), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    files = draw("one", "--pairs", "1")
    assert [path.rsplit(".", 1)[1] for path in files] == ["png", "pdf", "csv"]
    single = pd.read_csv(files[2])
    assert len(single) == 8 * 5 * 100
    quick = pd.read_csv(draw("quick", "--quick")[2])
    assert not np.allclose(single["sensitivity"], quick["sensitivity"])
    seeded = pd.read_csv(draw("seeded", "--pairs", "1", "--seed", "1")[2])
    assert not np.allclose(single["sensitivity"], seeded["sensitivity"])
