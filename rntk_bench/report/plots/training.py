"""Training dynamics of finite networks (Theorem 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rntk_bench.report.plots import figures
from rntk_bench.report.plots.convergence import draw_errors

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {
    "kernel": "$\\sup_s \\|\\hat\\Theta_s - \\hat\\Theta_0\\| / \\|\\hat\\Theta_0\\|$",
    "outputs": "$\\sup_s \\|f_s - f_s^{\\mathrm{lin}}\\| / \\|y - f_0\\|$",
}


def plot_training(
    widths: pd.DataFrame, paths: pd.DataFrame, slopes: dict[str, tuple[float, float]]
) -> Figure:
    """Left: the loss of one network per width, and of the limit. Right: distances by width."""
    figure, panels = figures.create(1, 2, (10.0, 4.0))
    left, right = panels[0]
    shown = sorted(paths["width"].unique())[::2]
    for k, width in enumerate(shown):
        path = paths[paths["width"] == width]
        left.plot(path["step"], path["network"], color=f"C{k}", label=f"network, $n = {width}$")
        left.plot(path["step"], path["linear"], color=f"C{k}", linestyle="--")
    left.plot([], [], color="grey", linestyle="--", label="linear dynamics (5) of the RNTK")
    left.set_yscale("log")
    left.set_ylim(bottom=max(paths["linear"].min(), 1e-8))
    left.set_xlabel("step $s$ of gradient descent")
    left.set_ylabel("mean squared error on the training set")
    left.legend(fontsize="small")
    labels = {name: (LABELS[name], f"C{k}") for k, name in enumerate(slopes)}
    draw_errors(right, widths, "distance", slopes, labels)
    right.set_ylabel("mean of $\\log_{10}$ of the distance")
    figures.add_grid((left, right))
    return figure
