"""The figures of the report page, as inline SVG in the colours of the page."""

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
from rntk_bench.report.results.accuracies import accuracy_table, drop_incomplete
from rntk_bench.report.results.comparison import compare_methods, compare_pair
from rntk_bench.report.results.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_IDENTIFIERS = re.compile(r'(\bid="|\bhref="#|\burl\(#)')
_COLOURS = {"#1f77b4": "var(--first)", "#ff7f0e": "var(--second)"}
"""The first two colours of matplotlib, and the variables that replace them on the page."""
_RANKS_NOTE = (
    "Methods that tie share the mean of their ranks here, as the tests ask; in Table 1 they all "
    "take the smallest, as in the paper."
)
_GREYS = re.compile(r"#([0-9a-f]{2})\1\1\b")


@dataclass(frozen=True)
class PageFigure:
    """A figure of the page: its SVG, or the reason why there is none, and a note for readers."""

    title: str
    svg: Markup | None
    problem: str = ""
    note: str = ""


def summary_figures(results: Results) -> list[PageFigure]:
    """The critical-difference diagram and the box plot of all methods.

    Raises
    ------
    ExtraError
        Matplotlib is not installed.
    """
    table = _methods_with_results(results)
    return [
        replace(
            _page_figure("Critical differences", plot_cd, _describe_ranks, table), note=_RANKS_NOTE
        ),
        _page_figure("Spread of the accuracies", plot_box, _describe_medians, table),
    ]


def pairwise_figures(results: Results) -> list[PageFigure]:
    """Scatter plots of the first method against every other method.

    Raises
    ------
    ExtraError
        Matplotlib is not installed.
    """
    table = _methods_with_results(results)
    names = list(map(str, table.columns))
    return [
        _page_figure(
            f"{names[0]} against {other}",
            partial(plot_scatter, a=names[0], b=other),
            partial(_describe_wins, a=names[0], b=other),
            table,
        )
        for other in names[1:]
    ]


def inline_svg(figure: Figure, name: str, description: str) -> Markup:
    """A figure as an `svg` element; its greys become mixtures of the page's text and background.

    Parameters
    ----------
    figure : Figure
    name : str
        Prefix of the identifiers of the element, which must be unique on the page.
    description : str
        Text for readers who cannot see the figure.
    """
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):
        text = figures.render(figure, "svg").decode()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = _IDENTIFIERS.sub(rf"\g<1>{name}-", text)
    text = _GREYS.sub(_mix_grey, text)
    for colour, variable in _COLOURS.items():
        text = text.replace(colour, variable)
    return Markup(f'<svg role="img" aria-label="{escape(description)}"{text[len("<svg") :]}')


def _methods_with_results(results: Results) -> pd.DataFrame:
    """The accuracy table of the methods that have results."""
    return accuracy_table(results).dropna(axis="columns", how="all")


def _mix_grey(grey: re.Match[str]) -> str:
    paper = int(grey[1], 16) / 255
    return f"color-mix(in srgb, currentColor, var(--paper) {paper:.1%})"


def _page_figure(
    title: str,
    plot: Callable[[pd.DataFrame], Figure],
    describe: Callable[[pd.DataFrame], str],
    table: pd.DataFrame,
) -> PageFigure:
    name = re.sub(r"\W+", "-", title).lower()
    try:
        return PageFigure(title, inline_svg(plot(table), name, f"{title}. {describe(table)}"))
    except ExtraError:
        raise
    except InputError as error:
        return PageFigure(title, None, str(error))


def _describe_ranks(table: pd.DataFrame) -> str:
    comparison = compare_methods(table)
    differing = [
        f"{a} and {b}" for a, b in comparison.pairs.query("p_holm < 0.05")[["a", "b"]].to_numpy()
    ]
    ranks = ", ".join(f"{name} {rank:.2f}" for name, rank in comparison.ranks.items())
    return (
        f"Mean ranks over {len(comparison.accuracies)} datasets: {ranks}. "
        f"Told apart at 5 %: {', '.join(differing) or 'none'}."
    )


def _describe_medians(table: pd.DataFrame) -> str:
    complete, _ = drop_incomplete(table)
    medians = complete.median().sort_values(ascending=False, kind="stable")
    listed = ", ".join(f"{name} {median:.2f}" for name, median in medians.items())
    return f"Median test accuracies in percent over {len(complete)} datasets: {listed}."


def _describe_wins(table: pd.DataFrame, a: str, b: str) -> str:
    both, _ = drop_incomplete(table[[a, b]])
    counts = compare_pair((both[a] - both[b]).to_numpy())
    return (
        f"Over {len(both)} datasets {a} is better on {counts['wins']} and worse on "
        f"{counts['losses']}; {counts['ties']} are equal."
    )
