"""The paper's Figure 4: its panels one by one, together, and a forecast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rntk_bench.errors import InputError
from rntk_bench.methods import display_name
from rntk_bench.report.plots import figures

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LABELS = {
    "length": "$T_\\mathrm{var}$, steps added at most to a segment",
    "noise": "standard deviation $\\sigma_n$ of the noise",
    "train": "training segments $n_\\mathrm{train}$",
}
MARKERS = "osD^v<>*"
COLUMNS = {"value": float, "method": str, "snr": float, "standard_error": float, "repeats": int}
"""The columns of a file of curves: the parameter that varies, the method, and the SNR in dB."""


class Figure4Panel(NamedTuple):
    """One panel of Figure 4.

    Attributes
    ----------
    name : str
        The file of its curves, without the extension.
    vary : str
        The parameter that varies.
    title : str
    command : str
        The command that writes the file.
    """

    name: str
    vary: str
    title: str
    command: str


FIGURE_4 = (
    Figure4Panel(
        "sine-length",
        "length",
        "(a) sine against $T_\\mathrm{var}$",
        "rntk-bench regress sine --vary length",
    ),
    Figure4Panel(
        "sine-noise",
        "noise",
        "(b) sine against $\\sigma_n$",
        "rntk-bench regress sine --vary noise",
    ),
    Figure4Panel(
        "prices-length",
        "length",
        "(c) prices against $T_\\mathrm{var}$",
        "rntk-bench regress prices --prices FILE.csv --vary length",
    ),
    Figure4Panel(
        "prices-train",
        "train",
        "(d) prices against $n_\\mathrm{train}$",
        "rntk-bench regress prices --prices FILE.csv --vary train",
    ),
)


def plot_regression(curves: pd.DataFrame, vary: str, signal: str) -> Figure:
    """Average SNR and its standard error against what varies, one curve per method."""
    figure, panels = figures.create(1, 1, (5.5, 4.0))
    panel = panels[0, 0]
    _draw(panel, curves, vary, _styles([curves]))
    panel.set_title(figures.escape_text(signal))
    panel.legend(fontsize="small")
    return figure


def plot_figure_4(curves: Sequence[pd.DataFrame]) -> Figure:
    """The four panels of `FIGURE_4`, with curves in the same order, and one common legend."""
    figure, panels = figures.create(2, 2, (9.0, 7.0))
    styles = _styles(curves)
    handles: dict[str, Any] = {}
    for axes, panel, rows in zip(panels.flat, FIGURE_4, curves, strict=True):
        _draw(axes, rows, panel.vary, styles)
        axes.set_title(panel.title)
        handles.update(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    names = [_label(method) for method in styles]
    figure.legend(
        [handles[name] for name in names], names, loc="outside lower center", ncols=len(names)
    )
    return figure


def read_curves(folder: Path) -> list[pd.DataFrame]:
    """The curves of the panels of `FIGURE_4` from the folder of the files of `rntk-bench regress`.

    Raises
    ------
    InputError
        A file is missing or does not contain such curves.
    """
    return [_read(folder / f"{panel.name}.csv", panel.command) for panel in FIGURE_4]


def _read(path: Path, command: str) -> pd.DataFrame:
    import pandas as pd

    try:
        rows = pd.read_csv(path)
        if rows.empty or not set(COLUMNS) <= set(rows):
            raise ValueError
        return rows.astype(COLUMNS)
    except FileNotFoundError:
        raise InputError(f"There is no {path}; make it with '{command}'.") from None
    except OSError as error:
        raise InputError(
            f"Cannot read {path}: {error.strerror}; make it with '{command}'."
        ) from error
    except ValueError:  # includes the parsing errors of pandas
        raise InputError(
            f"{path} does not have the columns {', '.join(COLUMNS)}, one row per point; make it "
            f"with '{command}'."
        ) from None


def _styles(curves: Iterable[pd.DataFrame]) -> dict[str, dict[str, str]]:
    """Colour and marker of each method, in order of appearance."""
    methods = dict.fromkeys(method for rows in curves for method in rows["method"])
    return {
        str(method): {"color": f"C{k}", "marker": MARKERS[k % len(MARKERS)]}
        for k, method in enumerate(methods)
    }


def _draw(
    panel: Any, curves: pd.DataFrame, vary: str, styles: Mapping[str, Mapping[str, str]]
) -> None:
    for method, rows in curves.groupby("method", sort=False):
        panel.errorbar(
            rows["value"],
            rows["snr"],
            yerr=rows["standard_error"],
            markersize=4,
            capsize=2,
            label=_label(str(method)),
            **styles[str(method)],
        )
    if vary == "noise" and (curves["value"] > 0).all():
        panel.set_xscale("log")
    panel.set_xlabel(LABELS[vary])
    panel.set_ylabel("average SNR, dB")
    figures.add_grid([panel])


def _label(method: str) -> str:
    return figures.escape_text(display_name(method))


def plot_forecast(table: pd.DataFrame, title: str) -> Figure:
    """Above: truth and predictions against the step. Below: prediction minus truth."""
    figure, panels = figures.create(2, 1, (8.0, 5.0), sharex=True)
    above, below = panels[:, 0]
    above.plot(table["step"], table["truth"], color="black", linewidth=1.5, label="truth")
    for k, method in enumerate(table.columns[2:]):
        label = _label(str(method))
        above.plot(table["step"], table[method], color=f"C{k}", linewidth=1, label=label)
        below.plot(table["step"], table[method] - table["truth"], color=f"C{k}", linewidth=1)
    above.set_ylabel(figures.escape_text(title))
    figure.legend(loc="outside upper center", ncols=6, fontsize="small")
    below.set_ylabel("prediction - truth")
    below.set_xlabel("step")
    figures.add_grid((above, below))
    return figure
