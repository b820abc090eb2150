"""Drawing the time of a Gram against the length of the series and against the pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rntk_bench.report import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {
    "length": ("length $T$", "{n_series} series"),
    "pairs": ("pairs of series", "series of length {length}"),
}


def plot_scaling(rows: pd.DataFrame, slopes: dict[str, float]) -> Figure:
    """A panel a curve: measured seconds, and a line of slope 1 through the last point."""
    figure, panels = figures.new(1, len(slopes), (10.0, 4.0))
    for panel, (varied, slope) in zip(panels[0], slopes.items(), strict=True):
        points = rows[rows["varied"] == varied]
        last = points.iloc[-1]
        label, title = LABELS[varied]
        linear = last["seconds"] * points[varied] / last[varied]
        panel.plot(points[varied], linear, color="grey", linestyle="--", label="proportional")
        panel.plot(
            points[varied],
            points["seconds"],
            "o-",
            color="C0",
            markersize=4,
            label=f"measured, slope {slope:.3f}",
        )
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.set_xlabel(label)
        panel.set_ylabel("seconds of a Gram, one thread")
        panel.set_title(title.format(n_series=int(last["n_series"]), length=int(last["length"])))
        panel.legend(fontsize="small")
    figures.style(panels[0])
    return figure
