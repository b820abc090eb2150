"""Drawing the sensitivity s(t): Figure 3, and the curves of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rntk_bench.report.plots import style as figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PAIRS = {
    "all": "all pairs",
    "same class": "pairs of one class",
    "different classes": "pairs of two classes",
}
QUANTITY = "$s(t) / \\max_t s(t)$"
COLOURS = "viridis"
WIDEST, STEP = 2.8, 0.4
"""Widths of a panel's first line and how much each next one is narrower, so that lines which
coincide are all seen."""


def plot_figure_3(curves: pd.DataFrame) -> Figure:
    """Draw the curves of `figure_3_curves`: a row an activation, a column a parameter."""
    rows, columns = (list(curves[name].unique()) for name in ("activation", "parameter"))
    size = (3.3 * len(columns), 2.9 * len(rows))
    figure, panels = figures.new(len(rows), len(columns), size, sharex=True, sharey=True)
    for row, activation in enumerate(rows):
        for column, parameter in enumerate(columns):
            panel = panels[row, column]
            chosen = (curves["activation"] == activation) & (curves["parameter"] == parameter)
            _draw(panel, curves[chosen])
            _legend_above(panel, f"{figures.SYMBOLS[activation]}, {figures.SYMBOLS[parameter]}")
    _label(panels, "$t$", QUANTITY)
    return figure


def plot_dataset(curves: pd.DataFrame, title: str, parameter: str) -> Figure:
    """Draw the curves of `dataset_sensitivity`, which have a column `value` of the parameter.

    A panel for all pairs, and one for the pairs of the same and of different classes each.
    """
    kinds = list(curves["pairs"].unique())
    figure, panels = figures.new(1, len(kinds), (4.2 * len(kinds), 3.8), sharex=True, sharey=True)
    for panel, kind in zip(panels[0], kinds, strict=True):
        _draw(panel, curves[curves["pairs"] == kind])
        _legend_above(panel, f"{PAIRS[kind]}, {figures.SYMBOLS[parameter]}")
    figure.suptitle(figures.literal(title, longest=150))
    steps = "$t$" if curves["step"].max() > 0 else "$t - T$, back from the last step"
    _label(panels, steps, f"{QUANTITY} of all pairs")
    return figure


def _draw(panel: Any, curves: pd.DataFrame) -> None:
    from matplotlib import colormaps

    groups = curves.groupby("value")
    for i, (value, curve) in enumerate(groups):
        central = "centre" in curve and curve["centre"].any()
        panel.plot(
            curve["step"],
            curve["normalised"],
            color="black" if central else colormaps[COLOURS](i / max(len(groups) - 1, 1) * 0.9),
            linewidth=max(WIDEST - STEP * i, 1.0),
            label=f"{value:.4g}",
        )


def _legend_above(panel: Any, title: str) -> None:
    panel.legend(
        title=title,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=5,
        frameon=False,
        fontsize="small",
        title_fontsize="large",
        handlelength=0.9,
        handletextpad=0.4,
        columnspacing=0.9,
    )


def _label(panels: Any, steps: str, quantity: str) -> None:
    for panel in panels[-1]:
        panel.set_xlabel(steps)
    for panel in panels[:, 0]:
        panel.set_ylabel(quantity)
    figures.style(panels.flat)
