"""Drawing Figure 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rntk_bench.report import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLOURS = {"tied": "C0", "untied": "C1"}


def plot_convergence(
    angles: pd.DataFrame, widths: pd.DataFrame, slopes: dict[str, tuple[float, float]], width: int
) -> Figure:
    """Left: kernels against the angle. Right: mean log-normalised error against the width."""
    figure, panels = figures.new(1, 2, (10.0, 4.0))
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
    for name, (slope, error) in slopes.items():
        groups = widths[widths["weights"] == name].groupby("width")["log_error"]
        right.errorbar(
            groups.mean().index,
            groups.mean(),
            yerr=groups.sem(),
            color=COLOURS[name],
            marker="o",
            markersize=4,
            capsize=2,
            label=f"{name}: slope {slope:.2f} ± {error:.2f}",
        )
    right.set_xscale("log", base=2)
    right.set_xlabel("width $n$")
    right.set_ylabel("mean of $\\log_{10}|\\hat\\Theta / \\Theta - 1|$")
    right.set_title("equal lengths, $T = T' = 3$")
    right.legend()
    figures.style((left, right))
    return figure
