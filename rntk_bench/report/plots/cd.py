"""Drawing a critical-difference diagram (Demsar, 2006)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rntk_bench.errors import ExtraError
from rntk_bench.report.plots import figures
from rntk_bench.report.results.comparison import Comparison, compare

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROW, BAR = 0.26, 0.15
"""Inches between two names, and between two bars."""
UNIT, LETTER = 0.32, 0.085
"""Inches of a rank on the axis, and about those of a letter of a name."""


def plot_cd(accuracies: pd.DataFrame, alpha: float = 0.05, nemenyi: bool = False) -> Figure:
    """Mean ranks on a line, the best at the right, and bars that join methods not told apart.

    A bar joins methods of which no two differ by Wilcoxon's signed-rank test with Holm's
    correction over all pairs; its dots are the methods that belong to it. With `nemenyi` the
    critical difference of Nemenyi's test, which compares mean ranks, is drawn above the axis.

    Parameters
    ----------
    accuracies : DataFrame (n_datasets, n_methods)
        In percent; datasets that a method lacks are left out.
    alpha : float
        Level of the tests.

    Raises
    ------
    InputError
        See `compare`.
    """
    found = compare(accuracies)
    groups = joined(found, alpha)
    levels = _levels(groups, found.ranks)
    names = list(found.ranks.index)
    shown = [figures.escape_text(name) for name in names]
    right = names[: math.ceil(len(names) / 2)]
    head = 0.75 if nemenyi else 0.4
    first = 0.2 + BAR * (max(levels, default=0) + 1)
    height = head + first + ROW * len(right)
    width = max(4.0, UNIT * len(names)) + 2 * LETTER * (max(map(len, shown)) + 7)
    figure, panels = figures.create(1, 1, (width, height + 0.6))
    panel = panels[0, 0]
    panel.set_xlim(len(names), 1)
    panel.set_ylim(-height + head, head)
    panel.set_axis_off()
    _draw_axis(panel, len(names))
    for side, members in ((1, right), (len(names), names[len(right) :][::-1])):
        for row, name in enumerate(members):
            _draw_name(panel, name, found.ranks[name], side, -first - ROW * row)
    for group, level in zip(groups, levels, strict=True):
        ranks = [found.ranks[name] for name in group]
        style = {"color": "black", "linewidth": 3, "solid_capstyle": "round", "zorder": 3}
        panel.plot(ranks, [-0.15 - BAR * level] * len(ranks), marker="o", markersize=6, **style)
    if nemenyi:
        _draw_difference(panel, critical_difference(len(names), len(found.accuracies), alpha))
    figures.add_caption(figure, _caption(found, alpha))
    return figure


def joined(found: Comparison, alpha: float) -> list[list[str]]:
    """The largest sets of methods of which no two are told apart, each by rank, two at least."""
    try:
        from networkx import Graph, find_cliques
    except ImportError:
        raise ExtraError("A critical-difference diagram", "networkx", "figures") from None
    alike = found.pairs[found.pairs["p_holm"] >= alpha]
    place = {name: k for k, name in enumerate(found.ranks.index)}
    cliques = find_cliques(Graph(list(zip(alike["a"], alike["b"], strict=True))))
    return sorted(
        (sorted(clique, key=place.__getitem__) for clique in cliques),
        key=lambda group: [place[name] for name in group],
    )


def critical_difference(n_methods: int, n_datasets: int, alpha: float) -> float:
    """Nemenyi's: mean ranks that differ by more are told apart at the level alpha."""
    from scipy.stats import studentized_range

    q = float(studentized_range.isf(alpha, n_methods, math.inf)) / math.sqrt(2)
    return q * math.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets))


def _levels(groups: list[list[str]], ranks: pd.Series[float]) -> list[int]:
    """A line for each bar, so that bars on one line keep a distance."""
    ends: list[float] = []
    levels = []
    gap = 0.04 * len(ranks)
    for group in groups:
        start, end = ranks[group[0]], ranks[group[-1]]
        free = (k for k, taken in enumerate(ends) if taken + gap < start)
        level = next(free, len(ends))
        ends[level : level + 1] = [end]
        levels.append(level)
    return levels


def _draw_axis(panel: Any, n_methods: int) -> None:
    panel.plot([1, n_methods], [0, 0], color="black", linewidth=1, clip_on=False)
    for tick in range(1, n_methods + 1, math.ceil(n_methods / 24)):
        panel.plot([tick, tick], [0, 0.08], color="black", linewidth=1, clip_on=False)
        panel.text(tick, 0.12, str(tick), ha="center", va="bottom")


def _draw_name(panel: Any, name: str, rank: float, side: float, height: float) -> None:
    """The line from a rank down and to a side, and there the name and the rank."""
    panel.plot([rank, rank, side], [0, height, height], color="black", linewidth=0.8, clip_on=False)
    best = side == 1
    name = figures.escape_text(name)
    panel.annotate(
        f"{rank:.2f}  {name}" if best else f"{name}  {rank:.2f}",
        (side, height),
        xytext=(4 if best else -4, 0),
        textcoords="offset points",
        ha="left" if best else "right",
        va="center",
        annotation_clip=False,
    )


def _draw_difference(panel: Any, difference: float) -> None:
    """A scale of the critical difference above the axis, from rank 1."""
    panel.plot([1, 1 + difference], [0.45, 0.45], color="black", marker="|", markersize=7)
    panel.text(1 + difference / 2, 0.5, f"CD = {difference:.2f}", ha="center", va="bottom")


def _caption(found: Comparison, alpha: float) -> str:
    caption = (
        f"Mean ranks of the test accuracy on {len(found.accuracies)} datasets, 1 the best. A bar "
        "joins methods (dots) of which Wilcoxon's signed-rank test with Holm's correction tells "
        f"no two apart at {100 * alpha:g} %."
    )
    if found.friedman is not None:
        shown = found.friedman.show().replace(" ", "\xa0")
        caption += f" Friedman's test: p\xa0{shown}."
    return caption
