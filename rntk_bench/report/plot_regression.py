"""Drawing the panels of Figure 4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rntk_bench.report import figures
from rntk_bench.report.results import display_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {
    "length": "$T_\\mathrm{var}$, steps added at most to a segment",
    "noise": "standard deviation $\\sigma_n$ of the noise",
    "train": "training segments $n_\\mathrm{train}$",
}


def plot_regression(curves: pd.DataFrame, vary: str, signal: str) -> Figure:
    """Average SNR with its standard error against what varies, a curve a method."""
    figure, panels = figures.new(1, 1, (5.5, 4.0))
    panel = panels[0, 0]
    for k, (method, rows) in enumerate(curves.groupby("method", sort=False)):
        panel.errorbar(
            rows["value"],
            rows["snr"],
            yerr=rows["standard_error"],
            color=f"C{k}",
            marker="osD^v<>*"[k % 8],
            markersize=4,
            capsize=2,
            label=display_name(str(method)),
        )
    if vary == "noise":
        panel.set_xscale("log")
    panel.set_xlabel(LABELS[vary])
    panel.set_ylabel("average SNR, dB")
    panel.set_title(signal)
    panel.legend(fontsize="small")
    figures.style([panel])
    return figure


def plot_forecast(table: pd.DataFrame, title: str) -> Figure:
    """Above: truth and predictions against the step. Below: prediction less truth."""
    figure, panels = figures.new(2, 1, (8.0, 5.0), sharex=True)
    above, below = panels[:, 0]
    above.plot(table["step"], table["truth"], color="black", linewidth=1.5, label="truth")
    for k, method in enumerate(table.columns[2:]):
        label = display_name(str(method))
        above.plot(table["step"], table[method], color=f"C{k}", linewidth=1, label=label)
        below.plot(table["step"], table[method] - table["truth"], color=f"C{k}", linewidth=1)
    above.set_ylabel(title)
    figure.legend(loc="outside upper center", ncols=6, fontsize="small")
    below.set_ylabel("prediction - truth")
    below.set_xlabel("step")
    figures.style((above, below))
    return figure
