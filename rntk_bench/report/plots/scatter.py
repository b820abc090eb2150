"""Scatter plot of the accuracies of two methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rntk_bench.errors import InputError
from rntk_bench.report.plots import figures
from rntk_bench.report.results.comparison import TIE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def plot_scatter(accuracies: pd.DataFrame, a: str, b: str) -> Figure:
    """One point per dataset, `a` vertical and `b` horizontal, with wins, ties and losses.

    Parameters
    ----------
    accuracies : DataFrame (n_datasets, n_methods)
        In percent; datasets without results of both are left out.
    a, b : str
        Two of its columns.

    Raises
    ------
    InputError
        No dataset has results of both.
    """
    both = accuracies[[a, b]].dropna()
    if both.empty:
        raise InputError(f"{a} and {b} have no dataset in common; run both on the same ones.")
    differences = both[a] - both[b]
    figure, panels = figures.create(1, 1, (4.6, 5.2))
    panel = panels[0, 0]
    low = both.min().min()
    margin = 0.04 * (100 - low) + 0.5
    limits = low - margin, 100 + margin
    panel.plot(limits, limits, color="black", linewidth=0.8, zorder=1)
    a_label, b_label = figures.escape_text(a), figures.escape_text(b)
    tied = differences.abs() <= TIE
    for chosen, verdict, style in (
        (~tied & (differences > 0), f"{a_label} better", {"marker": "o", "color": "C0"}),
        (~tied & (differences < 0), f"{b_label} better", {"marker": "s", "edgecolor": "C1"}),
        (tied, "equal", {"marker": "x", "color": "black"}),
    ):
        if "edgecolor" in style:
            style["facecolor"] = "none"
        points = both[chosen]
        label = f"{verdict}: {len(points)}"
        panel.scatter(points[b], points[a], s=28, label=label, zorder=2, **style)
    panel.set_xlim(limits)
    panel.set_ylim(limits)
    panel.set_aspect("equal")
    panel.set_xlabel(f"{b_label}\ntest accuracy in %")
    panel.set_ylabel(f"{a_label}\ntest accuracy in %")
    figures.add_caption(figure, f"{len(both)} datasets")
    figure.legend(loc="outside lower center", fontsize="small")
    figures.add_grid([panel])
    return figure
