"""Sensitivity s(t) of the RNTK: the paper's Figure 3, and the curves of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rntk_bench.report.plots import figures

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
MAX_LINE_WIDTH, LINE_WIDTH_STEP = 2.8, 0.4
"""Width of the first line of a panel, and how much narrower each following line is, so that lines
that coincide are all visible."""


def plot_figure_3(curves: pd.DataFrame) -> Figure:
    """The curves of `figure_3_curves`: one row per activation, one column per parameter."""
    rows, columns = (list(curves[name].unique()) for name in ("activation", "parameter"))
    size = (3.3 * len(columns), 2.9 * len(rows))
    figure, panels = figures.create(len(rows), len(columns), size, sharex=True, sharey=True)
    for row, activation in enumerate(rows):
        for column, parameter in enumerate(columns):
            panel = panels[row, column]
            chosen = (curves["activation"] == activation) & (curves["parameter"] == parameter)
            _draw(panel, curves[chosen])
            _legend_above(panel, f"{figures.SYMBOLS[activation]}, {figures.SYMBOLS[parameter]}")
    _label(panels, "$t$", QUANTITY)
    return figure


def plot_dataset(curves: pd.DataFrame, title: str, parameter: str) -> Figure:
    """The curves of `dataset_sensitivity`, with a column `value` of the parameter.

    One panel each for all pairs, the pairs of the same class and the pairs of different classes.
    """
    pairs = list(curves["pairs"].unique())
    figure, panels = figures.create(
        1, len(pairs), (4.2 * len(pairs), 3.8), sharex=True, sharey=True
    )
    for panel, each in zip(panels[0], pairs, strict=True):
        _draw(panel, curves[curves["pairs"] == each])
        _legend_above(panel, f"{PAIRS[each]}, {figures.SYMBOLS[parameter]}")
    figure.suptitle(figures.escape_text(title, max_length=150))
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
            linewidth=max(MAX_LINE_WIDTH - LINE_WIDTH_STEP * i, 1.0),
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
    figures.add_grid(panels.flat)
