"""Heat map of the validation accuracy over two parameters of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from rntk_bench.config import Value
from rntk_bench.errors import InputError
from rntk_bench.formatting import format_value
from rntk_bench.methods import display_name
from rntk_bench.report.plots import figures
from rntk_bench.report.results.validation import ValidationGrid, validation_grid
from rntk_bench.storage.records import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREFERRED = (
    *(("sigma_w", "sigma_b"), ("memory", "bandwidth"), ("degree", "r")),
    *(("learning_rate", "width"), ("alpha", "C")),
)
"""Horizontal and vertical axis; the first pair in which both have several values is used."""

NOT_EVALUATED = "0.85"
"""Grey of parameters without a complete cross-validation: pruned, or not usable."""


def plot_grid(record: Record, x: str | None = None, y: str | None = None) -> Figure:
    """Heat map of the mean validation accuracy, the best over all other parameters.

    Dots mark the settings that tie for the best accuracy, a star the chosen setting.

    Parameters
    ----------
    record : Record
    x, y : str, optional
        Parameters of the grid, C included; by default the first pair of `PREFERRED` that
        the method has.

    Raises
    ------
    InputError
        The record has no cross-validation, or its grid does not have the two parameters.
    """
    grid = validation_grid(record)
    x, y = choose_axes(grid, x, y)
    columns, rows = grid.axes[x], grid.axes[y]
    accuracy = grid.best_over_others(x, y)
    size = (2.4 + 0.36 * max(len(columns), 9), 2.0 + 0.3 * max(len(rows), 6))
    figure, panels = figures.create(1, 1, size)
    panel = panels[0, 0]
    panel.set_facecolor(NOT_EVALUATED)
    edges = np.arange(len(columns) + 1) - 0.5, np.arange(len(rows) + 1) - 0.5
    best = np.nanmax(accuracy)  # the end of the colour scale, even if all are equal
    lowest = min(np.nanmin(accuracy), best - 1)
    values = np.ma.masked_invalid(accuracy)
    mesh = panel.pcolormesh(*edges, values, cmap="viridis", vmin=lowest, vmax=best)
    others = grid.other_parameters(x, y)
    best_over = f",\nbest over {', '.join(map(_symbol, others))}" if others else ""
    figure.colorbar(mesh, ax=panel, label=f"validation accuracy in %{best_over}")
    _draw_marks(panel, grid, x, y, others)
    panel.set_xticks(
        range(len(columns)),
        list(map(_format_value, columns)),
        rotation=90 if len(columns) > 9 else 0,
    )
    panel.set_yticks(range(len(rows)), list(map(_format_value, rows)))
    panel.set_xlabel(_symbol(x))
    panel.set_ylabel(_symbol(y))
    resample = f", resample {record.resample}" if record.resample else ""
    title = f"{display_name(record.method)} on {record.dataset}{resample}"
    panel.set_title(figures.escape_text(title))
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    return figure


def choose_axes(grid: ValidationGrid, x: str | None, y: str | None) -> tuple[str, str]:
    """The horizontal and the vertical axis; see `plot_grid`."""
    for name in (x, y):
        if name is not None and name not in grid.axes:
            raise InputError(f"The grid has no axis {name!r}; it has {', '.join(grid.axes)}.")
    varied = {name for name, values in grid.axes.items() if len(values) > 1}
    pairs = [pair for pair in PREFERRED if varied.issuperset(pair)]
    pairs += permutations(sorted(grid.axes, key=lambda name: name not in varied), 2)
    for horizontal, vertical in pairs:
        if x in (None, horizontal) and y in (None, vertical):
            return horizontal, vertical
    raise InputError(
        "A heat map needs two different parameters of the grid; name them with --x and --y."
    )


def _draw_marks(panel: Any, grid: ValidationGrid, x: str, y: str, others: Sequence[str]) -> None:
    """Draw dots on the best settings and a star on the chosen one, with a legend."""
    accuracy = grid.best_over_others(x, y)
    rows, columns = np.nonzero(accuracy == np.nanmax(accuracy))
    style = {"linestyle": "", "color": "white", "markeredgecolor": "black"}
    n_best = int(grid.best.sum())
    label = f"best: {n_best} settings tie" if n_best > 1 else "best"
    panel.plot(columns, rows, marker="o", markersize=4, label=label, **style)
    values = ", ".join(
        f"{_symbol(name)} = {_format_value(grid.axes[name][grid.chosen[name]])}" for name in others
    )
    label = f"chosen ({values})" if values else "chosen"
    panel.plot(grid.chosen[x], grid.chosen[y], marker="*", markersize=14, label=label, **style)
    if np.isnan(accuracy).any():
        panel.plot([], [], "s", color=NOT_EVALUATED, label="not evaluated")


def _format_value(value: Value) -> str:
    return figures.escape_text(format_value(value))


def _symbol(name: str) -> str:
    return figures.SYMBOLS.get(name, figures.escape_text(name))
