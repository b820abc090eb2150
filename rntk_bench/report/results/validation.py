"""The validation accuracies of the whole grid of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rntk_bench.errors import InputError
from rntk_bench.storage.integers import unpack_integers
from rntk_bench.storage.records import Record
from rntk_bench.svm.folds import fold_weights
from rntk_bench.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ValidationGrid:
    """Mean validation accuracies over a grid.

    Attributes
    ----------
    axes : dict of str to list
        The values of each parameter; those of C last, if the method has one.
    accuracy : array with one axis per parameter
        In percent; NaN where no setting was evaluated in full.
    chosen : dict of str to int
        Index of the selected value of each parameter.
    """

    axes: dict[str, list[Any]]
    accuracy: FloatArray
    chosen: dict[str, int]

    @property
    def best(self) -> BoolArray:
        """Which settings tie for the best accuracy, in the shape of `accuracy`."""
        # Counts over one denominator: equal ones are equal as floats too.
        return np.equal(self.accuracy, np.nanmax(self.accuracy))

    def other_parameters(self, x: str, y: str) -> list[str]:
        """The other parameters that have more than one value."""
        return [name for name, axis in self.axes.items() if name not in (x, y) and len(axis) > 1]

    def best_over_others(self, x: str, y: str) -> FloatArray:
        """The best accuracy over all other parameters (len(y), len(x)); NaN where there is none."""
        names = list(self.axes)
        other_axes = tuple(k for k, name in enumerate(names) if name not in (x, y))
        filled = np.where(np.isnan(self.accuracy), -np.inf, self.accuracy).max(axis=other_axes)
        best = filled if names.index(y) < names.index(x) else filled.T
        return np.where(np.isinf(best), np.nan, best)

    def to_frame(self, x: str, y: str) -> pd.DataFrame:
        """`best_over_others` in rows: x, y, accuracy, whether it is best, whether it was chosen."""
        import pandas as pd

        accuracy = self.best_over_others(x, y)
        rows, columns = np.indices(accuracy.shape).reshape(2, -1)
        chosen = (columns == self.chosen[x]) & (rows == self.chosen[y])
        return pd.DataFrame(
            {
                x: [self.axes[x][column] for column in columns],
                y: [self.axes[y][row] for row in rows],
                "accuracy": accuracy.ravel(),
                "best": accuracy.ravel() == np.nanmax(accuracy),
                "chosen": chosen,
            }
        )


def validation_grid(record: Record) -> ValidationGrid:
    """Read the cross-validation of a record.

    A network's accuracy is the mean of its folds' best epochs.

    Raises
    ------
    InputError
        The record failed, or its cross-validation is missing or inconsistent.
    """
    selection = record.selection
    if record.status != "ok" or not selection or not {"n_correct", "axes"} <= selection.keys():
        raise InputError(
            f"The record of {record.method} on {record.dataset} holds no cross-validation; run it "
            "again with --overwrite always."
        )
    axes = {name: record.protocol["grid"][name] for name in selection["axes"]}
    if "inputs" in selection:  # without those that repeat another one on this training set
        axes["input"] = selection["inputs"]
    chosen = dict(selection["setting"])
    _check_order(record, selection, axes)
    n_correct = unpack_integers(selection["n_correct"])
    if "C" in record.protocol:
        axes["C"], chosen["C"] = record.protocol["C"], selection["C"]
    else:
        n_correct = _at_best_epochs(n_correct, selection)
        for setting, fold in selection["diverged"]:  # counts as 0 if it diverged in its first epoch
            n_correct[setting, fold] = max(n_correct[setting, fold], 0)
    weights, full = fold_weights(np.array(selection["fold_sizes"]))
    accuracy = np.where((n_correct >= 0).all(axis=-1), 100 * (n_correct @ weights) / full, np.nan)
    return ValidationGrid(
        axes,
        accuracy.reshape([len(values) for values in axes.values()]),
        {name: values.index(chosen[name]) for name, values in axes.items()},
    )


def _at_best_epochs(n_correct: IntArray, selection: dict[str, Any]) -> IntArray:
    """Correct predictions at the best epochs (n_settings, n_folds), from those after every epoch
    (n_settings, n_folds, n_epochs).
    """
    epochs = unpack_integers(selection["run_epochs"]).astype(np.int64)
    # Runs without an epoch (0) and settings without a run (-1) get the padding, -1.
    padded = np.concatenate([n_correct, np.full_like(n_correct[..., :1], -1)], axis=-1)
    return np.take_along_axis(padded, np.maximum(epochs, 0)[..., None] - 1, axis=-1)[..., 0]


def _check_order(record: Record, selection: dict[str, Any], axes: dict[str, list[Any]]) -> None:
    """Check the order of the axes by the position of the selected setting."""
    positions = [values.index(selection["setting"][name]) for name, values in axes.items()]
    shape = [len(values) for values in axes.values()]
    if np.ravel_multi_index(positions, shape) != selection["setting_index"]:
        raise InputError(
            f"The record of {record.method} on {record.dataset} does not say in which order its "
            "grid was searched; run it again with --overwrite always."
        )
