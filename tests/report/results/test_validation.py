from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from rntk_bench.benchmark.kernel_evaluation import KernelEvaluation
from rntk_bench.config import Experiment
from rntk_bench.datasets import Dataset, InputScaling
from rntk_bench.errors import InputError
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.report.plots.grid import choose_axes
from rntk_bench.report.results.validation import ValidationGrid, validation_grid
from rntk_bench.storage.records import read_records
from tests.paths import REFERENCE

RECORDS, _ = read_records(REFERENCE)


@pytest.mark.parametrize("method", sorted({record.method for record in RECORDS}))
def test_every_reference_record_gives_its_own_choice_back(method):
    records = [record for record in RECORDS if record.method == method]
    assert records
    for record in records:
        grid, selection = validation_grid(record), record.selection
        setting = {name: grid.axes[name][position] for name, position in grid.chosen.items()}
        assert setting.pop("C", None) == selection.get("C")
        assert setting == selection["setting"]
        chosen = tuple(grid.chosen.values())
        assert grid.best[chosen]
        assert grid.best.sum() == selection["ties"]
        assert grid.accuracy[chosen] == pytest.approx(100 * selection["accuracy"])


def test_a_record_without_some_inputs_gives_its_own_choice_back():
    rng = np.random.default_rng(0)
    X = InputScaling("z")(rng.standard_normal((12, 8)))
    y = np.arange(12) % 2
    dataset = Dataset("Made", X, y, X, y, ("a", "b"), "test")
    record = KernelEvaluation(dataset, KERNEL_METHODS["rntk-shared"], Experiment()).run()
    grid = validation_grid(record)
    assert grid.axes["input"] == ["z"]
    setting = {name: grid.axes[name][position] for name, position in grid.chosen.items()}
    assert setting == {**record.selection["setting"], "C": record.selection["C"]}
    assert grid.best[tuple(grid.chosen.values())]
    assert choose_axes(grid, None, None) == ("memory", "bandwidth")


def test_a_plane_is_the_best_over_the_other_axes():
    rng = np.random.default_rng(0)
    accuracy = rng.uniform(size=(2, 3, 4))
    accuracy[0, 1] = np.nan
    accuracy[:, 2, 3] = np.nan
    axes = {"a": [1, 2], "b": [1, 2, 3], "C": [1, 2, 3, 4]}
    grid = ValidationGrid(axes, accuracy, {"a": 1, "b": 0, "C": 2})
    for x, y in (("b", "C"), ("C", "b")):
        plane, table = grid.best_over_others(x, y), grid.to_frame(x, y)
        assert plane.shape == (len(axes[y]), len(axes[x]))
        for column, row in product(range(len(axes[x])), range(len(axes[y]))):
            place = {x: column, y: row}
            seen = accuracy[:, place["b"], place["C"]]
            expected = np.nan if np.isnan(seen).all() else np.nanmax(seen)
            np.testing.assert_equal(plane[row, column], expected)
            line = table[(table[x] == axes[x][column]) & (table[y] == axes[y][row])]
            np.testing.assert_equal(line["accuracy"].item(), expected)
        assert table["best"].sum() == 1
        assert table[table["chosen"]][["b", "C"]].to_numpy().tolist() == [[1, 3]]


def gunpoint(method):
    return next(r for r in RECORDS if (r.dataset, r.method) == ("GunPoint", method))


def test_a_record_says_in_which_order_its_grid_was_searched():
    full = gunpoint("rntk")
    axes = full.selection["axes"]
    assert axes == ["sigma_w", "sigma_u", "sigma_b", "sigma_h"]
    assert list(validation_grid(full).axes) == [*axes, "C"]
    wrong = replace(full, selection=full.selection | {"axes": axes[::-1]})
    with pytest.raises(InputError, match="rntk on GunPoint does not say in which order"):
        validation_grid(wrong)
    silent = {key: value for key, value in full.selection.items() if key != "axes"}
    with pytest.raises(InputError, match="rntk on GunPoint holds no cross-validation"):
        validation_grid(replace(full, selection=silent))


def test_a_failed_record_has_no_grid():
    failed = replace(gunpoint("rbf"), status="failed", selection=None, test=None)
    with pytest.raises(InputError, match="rbf on GunPoint holds no cross-validation"):
        validation_grid(failed)
