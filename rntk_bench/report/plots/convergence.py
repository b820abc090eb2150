"""The paper's Figure 2, with a third panel for networks that are read at all steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rntk_bench.report.plots import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLOURS = {"tied": "C0", "untied": "C1"}
READOUTS = {
    "mean": ("mean state", "C2"),
    "banded": ("banded", "C3"),
    "step": ("step units", "C4"),
}


def plot_convergence(
    angles: pd.DataFrame,
    widths: pd.DataFrame,
    readouts: pd.DataFrame,
    slopes: dict[str, tuple[float, float]],
    width: int,
) -> Figure:
    """Left: kernels against the angle. Others: mean log-normalised error against the width.

    The middle panel has networks that are read at the last step, and the right one those that are
    read at all steps.
    """
    figure, panels = figures.create(1, 3, (14.5, 4.0))
    left, middle, right = panels[0]
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
    labels = {name: (name, colour) for name, colour in COLOURS.items()}
    draw_errors(middle, widths, "weights", slopes, labels)
    middle.set_ylabel("mean of $\\log_{10}|\\hat\\Theta / \\Theta - 1|$")
    middle.set_title("last step read, $T = T' = 3$")
    right.sharey(middle)
    draw_errors(right, readouts, "readout", slopes, READOUTS)
    right.set_title("all steps read, $T = 6$, $T' = 4$")
    figures.add_grid(panels[0])
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
    for name, (label, colour) in labels.items():
        slope, error = slopes[name]
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
