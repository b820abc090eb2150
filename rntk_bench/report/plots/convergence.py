"""The paper's Figure 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rntk_bench.report.plots import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLOURS = {"tied": "C0", "untied": "C1"}


def plot_convergence(
    angles: pd.DataFrame, widths: pd.DataFrame, slopes: dict[str, tuple[float, float]], width: int
) -> Figure:
    """Left: kernels against the angle. Right: mean log-normalised error against the width."""
    figure, panels = figures.create(1, 2, (10.0, 4.0))
    left, right = panels[0]
    for name, limit, label in (
        ("tied", "limit", "RNTK, $n = \\infty$"),
        ("untied", "untied_limit", "untied weights, $n = \\infty$ (147)"),
    ):
        left.plot(angles["angle"], angles[limit], color=COLOURS[name], label=label)
        left.plot(
            angles["angle"],
            angles[name],
            color=COLOURS[name],
            linestyle="",
            marker="o",
            markersize=3,
            fillstyle="none",
            markevery=2,
            label=f"{name}, $n = {width}$",
        )
    left.set_xticks(np.arange(5) * np.pi / 2, ["0", "$\\pi/2$", "$\\pi$", "$3\\pi/2$", "$2\\pi$"])
    left.set_xlabel("$\\alpha$")
    left.set_ylabel("$\\Theta(x, x')$")
    left.set_title("$x = \\{1, -1, 1\\}$,  $x' = \\{\\cos\\alpha, \\sin\\alpha\\}$")
    left.set_ylim(top=1.35 * angles["limit"].max())
    left.legend(ncols=2, loc="upper center", fontsize="small")
    labels = {name: (name, COLOURS[name]) for name in slopes}
    draw_errors(right, widths, "weights", slopes, labels)
    right.set_ylabel("mean of $\\log_{10}|\\hat\\Theta / \\Theta - 1|$")
    right.set_title("equal lengths, $T = T' = 3$")
    figures.add_grid((left, right))
    return figure


def draw_errors(
    panel: Any,
    rows: pd.DataFrame,
    by: str,
    slopes: dict[str, tuple[float, float]],
    labels: dict[str, tuple[str, str]],
) -> None:
    """Mean and standard error of log_error against the width, one curve per value of `by`.

    `labels` holds the label of each curve, to which its slope is added, and its colour.
    """
    for name, (slope, error) in slopes.items():
        label, colour = labels[name]
        groups = rows[rows[by] == name].groupby("width")["log_error"]
        panel.errorbar(
            groups.mean().index,
            groups.mean(),
            yerr=groups.sem(),
            color=colour,
            marker="o",
            markersize=4,
            capsize=2,
            label=f"{label}: slope {slope:.2f} ± {error:.2f}",
        )
    panel.set_xscale("log", base=2)
    panel.set_xlabel("width $n$")
    panel.legend(fontsize="small")
