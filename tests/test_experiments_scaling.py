import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.experiments import scaling as module
from rntk_bench.experiments.scaling import scaling
from rntk_bench.report.plot_scaling import plot_scaling


def test_slopes_and_pair_steps_follow_from_the_seconds(monkeypatch):
    monkeypatch.setattr(module, "_seconds", lambda n, length: 1e-9 * n * (n + 1) * length**2)
    told = []
    points, slopes = scaling((32, 64, 128), (8, 16), told.append)
    assert slopes == {"length": pytest.approx(2.0), "pairs": pytest.approx(1.0)}
    by_length, by_pairs = (points[points["varied"] == varied] for varied in slopes)
    np.testing.assert_allclose(by_length["nanoseconds"], 2.0 * by_length["length"])
    assert by_length["n_series"].unique().tolist() == [module.N_SERIES]
    assert by_pairs["pairs"].tolist() == [36, 136]
    assert len(told) == 5
    panel = plot_scaling(points, slopes).axes[0]
    linear, measured = (line.get_ydata() for line in panel.get_lines())
    np.testing.assert_array_equal(measured, by_length["seconds"])
    np.testing.assert_allclose(linear[1:] / linear[:-1], 2.0)
    assert "slope 2.000" in panel.get_legend().get_texts()[1].get_text()


def test_the_command_measures_and_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "REPEATS", 1)
    outcome = CliRunner().invoke(main, ["figure", "scaling", "--quick", "--out", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    assert "length: slope" in outcome.stdout
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".pdf", ".png"]
