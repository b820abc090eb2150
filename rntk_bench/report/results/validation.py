"""The validation accuracies of a whole grid, as a record keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import InputError
from rntk_bench.storage.counts import decode_counts
from rntk_bench.storage.records import Record
from rntk_bench.svm.folds import fold_weights

if TYPE_CHECKING:
    import pandas as pd

_ORDER = (
    *("direction", "pooling", "n_layers", "width", "learning_rate"),
    *("sigma_w", "sigma_u", "sigma_b", "sigma_h", "alpha", "degree", "r"),
)
"""Order of the axes in the methods' own grids, for records that do not say in which order theirs
were searched."""


@dataclass(frozen=True)
class ValidationGrid:
    """Mean validation accuracies over a grid.

    Attributes
    ----------
    axes : dict of str to list
        The values of each parameter, and of C last where the method has one.
    accuracy : array, an axis each
        In percent; NaN where no setting was evaluated in full.
    chosen : dict of str to int
        Position of the chosen setting on each axis.
    """

    axes: dict[str, list[Any]]
    accuracy: NDArray[np.float64]
    chosen: dict[str, int]

    @property
    def best(self) -> NDArray[np.bool_]:
        """Which settings tie for the best accuracy, an axis each."""
        # Counts over one denominator: equal ones are equal as floats too.
        return np.equal(self.accuracy, np.nanmax(self.accuracy))

    def others(self, x: str, y: str) -> list[str]:
        """The other parameters of which there is a choice."""
        return [name for name, axis in self.axes.items() if name not in (x, y) and len(axis) > 1]

    def plane(self, x: str, y: str) -> NDArray[np.float64]:
        """The best accuracy over all other axes (len(y), len(x)), NaN where there is none."""
        names = list(self.axes)
        others = tuple(k for k, name in enumerate(names) if name not in (x, y))
        filled = np.where(np.isnan(self.accuracy), -np.inf, self.accuracy).max(axis=others)
        best = filled if names.index(y) < names.index(x) else filled.T
        return np.where(np.isinf(best), np.nan, best)

    def table(self, x: str, y: str) -> pd.DataFrame:
        """The cells of `plane` in rows: x, y, accuracy, whether it ties for the best, chosen."""
        import pandas as pd

        plane = self.plane(x, y)
        rows, columns = np.indices(plane.shape).reshape(2, -1)
        chosen = (columns == self.chosen[x]) & (rows == self.chosen[y])
        return pd.DataFrame(
            {
                x: [self.axes[x][column] for column in columns],
                y: [self.axes[y][row] for row in rows],
                "accuracy": plane.ravel(),
                "best": plane.ravel() == np.nanmax(plane),
                "chosen": chosen,
            }
        )


def validation_grid(record: Record) -> ValidationGrid:
    """Read the cross-validation behind a record's choice.

    A network's accuracy is the mean of its folds' best epochs.

    Raises
    ------
    InputError
        The record failed, or lacks or contradicts what is needed.
    """
    selection = record.selection
    if record.status != "ok" or not selection or "hits" not in selection:
        raise InputError(
            f"The record of {record.method} on {record.dataset} holds no cross-validation."
        )
    axes = {name: record.protocol["grid"][name] for name in _order(record, selection)}
    chosen = dict(selection["setting"])
    _check(record, selection, axes)
    hits = decode_counts(selection["hits"])
    if "C" in record.protocol:
        axes["C"], chosen["C"] = record.protocol["C"], selection["C"]
    else:
        hits = _at_best_epochs(hits, selection)
        for setting, fold in selection["diverged"]:  # in its first epoch, if nothing is there
            hits[setting, fold] = max(hits[setting, fold], 0)
    weights, full = fold_weights(np.array(selection["fold_sizes"]))
    accuracy = np.where((hits >= 0).all(axis=-1), 100 * (hits @ weights) / full, np.nan)
    return ValidationGrid(
        axes,
        accuracy.reshape([len(values) for values in axes.values()]),
        {name: values.index(chosen[name]) for name, values in axes.items()},
    )


def _at_best_epochs(hits: NDArray[np.int64], selection: dict[str, Any]) -> NDArray[np.int64]:
    """Right predictions (n_settings, n_folds) of (n_settings, n_folds, E); older records do not
    say their runs' best epochs, which are those with the most."""
    if "run_epochs" not in selection:
        return np.asarray(hits.max(axis=-1))
    epochs = decode_counts(selection["run_epochs"]).astype(np.int64)
    # Both 0, without an epoch, and -1, without a run, come to an entry that is -1.
    padded = np.concatenate([hits, np.full_like(hits[..., :1], -1)], axis=-1)
    return np.take_along_axis(padded, np.maximum(epochs, 0)[..., None] - 1, axis=-1)[..., 0]


def _order(record: Record, selection: dict[str, Any]) -> list[str]:
    """The grid's parameters in the order of its settings, the last varying fastest."""
    if "axes" in selection:
        return list(selection["axes"])
    try:
        return sorted(record.protocol["grid"], key=_ORDER.index)
    except ValueError:
        raise _unordered(record) from None


def _check(record: Record, selection: dict[str, Any], axes: dict[str, list[Any]]) -> None:
    """The position of the chosen setting tells a wrong order."""
    positions = [values.index(selection["setting"][name]) for name, values in axes.items()]
    shape = [len(values) for values in axes.values()]
    if np.ravel_multi_index(positions, shape) != selection["setting_index"]:
        raise _unordered(record)


def _unordered(record: Record) -> InputError:
    return InputError(
        f"The record of {record.method} on {record.dataset} does not say in which order its grid "
        "was searched; run it again with --overwrite always."
    )
