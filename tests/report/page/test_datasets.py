import numpy as np
import pytest

from rntk_bench.report.page.datasets import SHADES, heat_map
from rntk_bench.report.results.validation import validation_grid
from rntk_bench.storage.records import read_records
from tests.paths import REFERENCE


@pytest.fixture(scope="module")
def records():
    return [record for record in read_records(REFERENCE)[0] if record.dataset == "GunPoint"]


@pytest.mark.parametrize(
    ("method", "x", "y", "others"),
    [
        ("rntk", "sigma_w", "sigma_b", ["sigma_h", "C"]),
        ("rbf", "alpha", "C", []),
        ("poly", "degree", "r", ["C"]),
    ],
)
def test_a_heat_map_shows_the_best_over_the_other_parameters(records, method, x, y, others):
    [record] = [record for record in records if record.method == method]
    found = heat_map(record)
    assert (found.x, found.y, found.others) == (x, y, others)
    grid = validation_grid(record)
    assert len(found.columns) == len(grid.axes[x])
    assert [value for value, _ in found.rows] == [f"{value:.4g}" for value in grid.axes[y]]
    cells = [cell for _, row in found.rows for cell in row]
    best = max(cell.accuracy for cell in cells if cell.accuracy is not None)
    assert best == pytest.approx(100 * record.selection["accuracy"])
    assert sum(cell.mark == "chosen" for cell in cells) == 1
    for cell in cells:
        assert (cell.mark != "") == (cell.accuracy == best)
        assert 0 <= cell.shade <= SHADES
    chosen = [cell for cell in cells if cell.mark == "chosen"]
    assert chosen[0].shade == SHADES


def test_shades_follow_the_accuracies(records):
    for record in records:
        cells = [cell for _, row in heat_map(record).rows for cell in row]
        known = sorted((c.accuracy, c.shade) for c in cells if c.accuracy is not None)
        shades = [shade for _, shade in known]
        assert (np.diff(shades) >= 0).all()
        assert shades[-1] == SHADES
