"""Box plot of the accuracies of the methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rntk_bench.report.plots import figures
from rntk_bench.report.results.accuracies import drop_incomplete

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def plot_box(accuracies: pd.DataFrame) -> Figure:
    """One box per method, the highest median at the top, and its accuracies as points.

    Boxes extend from the first to the third quartile, whiskers to the last point within 1.5 times
    that range; the line is the median and the diamond the mean.

    Parameters
    ----------
    accuracies : DataFrame (n_datasets, n_methods)
        In percent; datasets without a result of every method are left out.

    Raises
    ------
    InputError
        No dataset is left.
    """
    complete, _ = drop_incomplete(accuracies)
    order = complete.agg(["median", "mean"]).T.sort_values(["median", "mean"]).index
    columns = [complete[name].to_numpy() for name in order]
    names = [figures.escape_text(name) for name in order]
    width = 5.0 + 0.085 * max(map(len, names))
    figure, panels = figures.create(1, 1, (width, 1.1 + 0.34 * len(order)))
    panel = panels[0, 0]
    panel.boxplot(
        columns,
        orientation="horizontal",
        tick_labels=names,
        widths=0.6,
        patch_artist=True,
        showmeans=True,
        showfliers=False,
        boxprops={"facecolor": "0.9", "edgecolor": "black"},
        medianprops={"color": "black", "linewidth": 2},
        meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": "black"},
    )
    # Offsets by the golden ratio separate neighbours and are the same in every run.
    offsets = 0.4 * ((np.arange(len(complete)) * 0.618034) % 1 - 0.5)
    for k, values in enumerate(columns, start=1):
        panel.scatter(values, k + offsets, s=9, color="C0", alpha=0.7, linewidth=0, zorder=3)
    panel.set_xlabel("test accuracy in %")
    figures.add_caption(figure, f"{len(complete)} datasets; line: median, diamond: mean")
    figures.add_grid([panel])
    return figure
