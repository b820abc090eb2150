import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.report.plots.scaling import plot_scaling
from rntk_bench.speed import scaling as module
from rntk_bench.speed.scaling import fit_line, measure_scaling


def test_lines_and_pair_steps_follow_from_the_seconds(monkeypatch):
    monkeypatch.setattr(module, "_seconds", lambda n, length: 1e-9 * n * (n + 1) * (length + 10))
    messages = []
    points, lines = measure_scaling((32, 64, 128), (8, 16), messages.append)
    per_step = 1e-9 * module.N_SERIES * (module.N_SERIES + 1)
    assert lines["length"] == pytest.approx((10 * per_step, per_step, 0.0), abs=1e-12)
    assert lines["pairs"] == pytest.approx((0.0, 2e-9 * (module.LENGTH + 10), 0.0), abs=1e-12)
    by_length, by_pairs = (points[points["varied"] == varied] for varied in lines)
    expected = 2.0 * (by_length["length"] + 10) / by_length["length"]
    np.testing.assert_allclose(by_length["nanoseconds"], expected)
    assert by_length["n_series"].unique().tolist() == [module.N_SERIES]
    assert by_pairs["pairs"].tolist() == [36, 136]
    assert len(messages) == 5
    panel = plot_scaling(points, lines).axes[0]
    for line in panel.get_lines():
        np.testing.assert_allclose(line.get_ydata(), by_length["seconds"])
    assert "at most 0 % off" in panel.get_legend().get_texts()[0].get_text()


def test_the_largest_error_of_a_line_is_reported():
    x = np.array([1.0, 2.0, 4.0])
    assert fit_line(x, np.array([1.0, 2.0, 4.0])).max_relative_error == pytest.approx(
        0.0, abs=1e-12
    )
    assert fit_line(x, x**2).max_relative_error > 0.2


def test_the_command_measures_and_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "REPEATS", 1)
    outcome = CliRunner().invoke(main, ["figure", "scaling", "--quick", "--out", str(tmp_path)])
    assert outcome.exit_code == 0, outcome.output
    assert "length: " in outcome.stdout
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".pdf", ".png"]
