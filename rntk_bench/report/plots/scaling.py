"""Time of a Gram matrix against the length of the series and the number of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rntk_bench.report.plots import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {
    "length": ("length $T$", "{n_series} series"),
    "pairs": ("pairs of series", "series of length {length}"),
}


def plot_scaling(rows: pd.DataFrame, lines: Mapping[str, tuple[float, float, float]]) -> Figure:
    """One panel per curve: measured seconds, and the fitted line fixed + each * x."""
    figure, panels = figures.create(1, len(lines), (10.0, 4.0))
    for panel, (varied, (fixed, each, max_deviation)) in zip(panels[0], lines.items(), strict=True):
        points = rows[rows["varied"] == varied]
        x = points[varied]
        label, title = LABELS[varied]
        fitted = f"a line, at most {100 * max_deviation:.0f} % off"
        panel.plot(x, fixed + each * x, color="grey", linestyle="--", label=fitted)
        panel.plot(x, points["seconds"], "o", color="C0", markersize=5, label="measured")
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel(label)
        panel.set_ylabel("seconds of a Gram, one thread")
        first = points.iloc[0]
        panel.set_title(title.format(n_series=int(first["n_series"]), length=int(first["length"])))
        panel.legend(fontsize="small")
    figures.add_grid(panels[0])
    return figure
