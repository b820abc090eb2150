"""Drawing the validation accuracy over two parameters of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from rntk_bench.config import Value, format_value
from rntk_bench.errors import InputError
from rntk_bench.methods import display_name
from rntk_bench.report.plots import style as figures
from rntk_bench.report.results.validation import ValidationGrid, validation_grid
from rntk_bench.storage.records import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PREFERRED = (("sigma_w", "sigma_b"), ("degree", "r"), ("learning_rate", "width"), ("alpha", "C"))
"""Horizontal and vertical axis; the first pair of which both have several values is drawn."""

UNKNOWN = "0.85"
"""Grey of cells without any complete cross-validation: left out by pruning, or unusable."""


def plot_grid(record: Record, x: str | None = None, y: str | None = None) -> Figure:
    """Heat map of the mean validation accuracy, the best over all parameters but two.

    Dots mark where some setting ties for the best accuracy, a star the chosen one.

    Parameters
    ----------
    record : Record
    x, y : str, optional
        Parameters of the grid, C included; without them (sigma_w, sigma_b), or what the method
        has in their place.

    Raises
    ------
    InputError
        The record holds no cross-validation, or its grid has no such two parameters.
    """
    grid = validation_grid(record)
    x, y = axes_of(grid, x, y)
    columns, rows = grid.axes[x], grid.axes[y]
    plane = grid.plane(x, y)
    size = (2.4 + 0.36 * max(len(columns), 9), 2.0 + 0.3 * max(len(rows), 6))
    figure, panels = figures.new(1, 1, size)
    panel = panels[0, 0]
    panel.set_facecolor(UNKNOWN)
    edges = np.arange(len(columns) + 1) - 0.5, np.arange(len(rows) + 1) - 0.5
    best = np.nanmax(plane)  # at the scale's end, also where all are equal
    lowest = min(np.nanmin(plane), best - 1)
    values = np.ma.masked_invalid(plane)
    mesh = panel.pcolormesh(*edges, values, cmap="viridis", vmin=lowest, vmax=best)
    others = grid.others(x, y)
    best_over = f",\nbest over {', '.join(map(_symbol, others))}" if others else ""
    figure.colorbar(mesh, ax=panel, label=f"validation accuracy in %{best_over}")
    _mark(panel, grid, x, y, others)
    panel.set_xticks(
        range(len(columns)), list(map(_shown, columns)), rotation=90 if len(columns) > 9 else 0
    )
    panel.set_yticks(range(len(rows)), list(map(_shown, rows)))
    panel.set_xlabel(_symbol(x))
    panel.set_ylabel(_symbol(y))
    panel.set_title(figures.literal(f"{display_name(record.method)} on {record.dataset}"))
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    return figure


def axes_of(grid: ValidationGrid, x: str | None, y: str | None) -> tuple[str, str]:
    """The two axes to draw; see `plot_grid`."""
    for name in (x, y):
        if name is not None and name not in grid.axes:
            raise InputError(f"The grid has no axis {name!r}; it has {', '.join(grid.axes)}.")
    several = {name for name, values in grid.axes.items() if len(values) > 1}
    pairs = [pair for pair in PREFERRED if several.issuperset(pair)]
    pairs += permutations(sorted(grid.axes, key=lambda name: name not in several), 2)
    for across, up in pairs:
        if x in (None, across) and y in (None, up):
            return across, up
    raise InputError("A heat map needs two different parameters of the grid.")


def _mark(panel: Any, grid: ValidationGrid, x: str, y: str, others: Sequence[str]) -> None:
    """Dots on the best cells, a star on the chosen one, and what they mean."""
    plane = grid.plane(x, y)
    rows, columns = np.nonzero(plane == np.nanmax(plane))
    style = {"linestyle": "", "color": "white", "markeredgecolor": "black"}
    n_best = int(grid.best.sum())
    label = f"best: {n_best} settings tie" if n_best > 1 else "best"
    panel.plot(columns, rows, marker="o", markersize=4, label=label, **style)
    values = ", ".join(
        f"{_symbol(name)} = {_shown(grid.axes[name][grid.chosen[name]])}" for name in others
    )
    label = f"chosen ({values})" if values else "chosen"
    panel.plot(grid.chosen[x], grid.chosen[y], marker="*", markersize=14, label=label, **style)
    if np.isnan(plane).any():
        panel.plot([], [], "s", color=UNKNOWN, label="not evaluated")


def _shown(value: Value) -> str:
    return figures.literal(format_value(value))


def _symbol(name: str) -> str:
    return figures.SYMBOLS.get(name, figures.literal(name))
