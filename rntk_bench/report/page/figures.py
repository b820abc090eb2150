"""The report page's pictures: figures as inline SVG that follow the page's colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from rntk_bench.errors import ExtraError, InputError
from rntk_bench.report.plots import figures
from rntk_bench.report.plots.box import plot_box
from rntk_bench.report.plots.cd import plot_cd
from rntk_bench.report.plots.scatter import plot_scatter
from rntk_bench.report.results.accuracies import accuracies, complete
from rntk_bench.report.results.comparison import compare, compare_pair
from rntk_bench.report.results.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_IDENTIFIERS = re.compile(r'(\bid="|\bhref="#|\burl\(#)')
_COLOURS = {"#1f77b4": "var(--first)", "#ff7f0e": "var(--second)"}
"""Matplotlib's first two colours, and what the page has for them in light and in dark."""
_RANKS_NOTE = (
    "Methods that tie share the mean of their ranks here, as the tests ask; in Table 1 they all "
    "take the smallest, as in the paper."
)
_GREYS = re.compile(r"#([0-9a-f]{2})\1\1\b")


@dataclass(frozen=True)
class Picture:
    """A figure of the page: its picture, or why there is none, and what to know when reading it."""

    title: str
    svg: Markup | None
    problem: str = ""
    note: str = ""


def overview(results: Results) -> list[Picture]:
    """The critical-difference diagram and the box plot of all methods.

    Raises
    ------
    ExtraError
        If matplotlib is not installed.
    """
    table = _results(results)
    return [
        replace(_picture("Critical differences", plot_cd, _ranks, table), note=_RANKS_NOTE),
        _picture("Spread of the accuracies", plot_box, _medians, table),
    ]


def duels(results: Results) -> list[Picture]:
    """The first method against each other, as scatter plots.

    Raises
    ------
    ExtraError
        If matplotlib is not installed.
    """
    table = _results(results)
    names = list(map(str, table.columns))
    return [
        _picture(
            f"{names[0]} against {other}",
            partial(plot_scatter, a=names[0], b=other),
            partial(_wins, a=names[0], b=other),
            table,
        )
        for other in names[1:]
    ]


def inline_svg(figure: Figure, name: str, description: str) -> Markup:
    """A figure as an `svg` element in the page's colours: greys lie between its ink and paper.

    Parameters
    ----------
    figure : Figure
    name : str
        Begins the element's identifiers, which must be unique in a page.
    description : str
        What a reader who does not see the picture is told.
    """
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):
        text = figures.render(figure, "svg").decode()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = _IDENTIFIERS.sub(rf"\g<1>{name}-", text)
    text = _GREYS.sub(_mix, text)
    for colour, variable in _COLOURS.items():
        text = text.replace(colour, variable)
    return Markup(f'<svg role="img" aria-label="{escape(description)}"{text[len("<svg") :]}')


def _results(results: Results) -> pd.DataFrame:
    """Accuracies of the methods that have any."""
    return accuracies(results).dropna(axis="columns", how="all")


def _mix(grey: re.Match[str]) -> str:
    paper = int(grey[1], 16) / 255
    return f"color-mix(in srgb, currentColor, var(--paper) {paper:.1%})"


def _picture(
    title: str,
    plot: Callable[[pd.DataFrame], Figure],
    describe: Callable[[pd.DataFrame], str],
    table: pd.DataFrame,
) -> Picture:
    name = re.sub(r"\W+", "-", title).lower()
    try:
        return Picture(title, inline_svg(plot(table), name, f"{title}. {describe(table)}"))
    except ExtraError:
        raise
    except InputError as error:
        return Picture(title, None, str(error))


def _ranks(table: pd.DataFrame) -> str:
    found = compare(table)
    differing = [
        f"{a} and {b}" for a, b in found.pairs.query("p_holm < 0.05")[["a", "b"]].to_numpy()
    ]
    ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in found.ranks.items())
    return (
        f"Mean ranks over {len(found.accuracies)} datasets: {ranks}. "
        f"Told apart at 5 %: {', '.join(differing) or 'none'}."
    )


def _medians(table: pd.DataFrame) -> str:
    whole, _ = complete(table)
    medians = whole.median().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{name} {median:.2f}" for name, median in medians.items())
    return f"Median test accuracies in percent over {len(whole)} datasets: {listed}."


def _wins(table: pd.DataFrame, a: str, b: str) -> str:
    both, _ = complete(table[[a, b]])
    counts = compare_pair((both[a] - both[b]).to_numpy())
    return (
        f"Over {len(both)} datasets {a} is better on {counts['wins']} and worse on "
        f"{counts['losses']}; {counts['ties']} are equal."
    )
