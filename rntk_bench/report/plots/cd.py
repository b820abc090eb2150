"""Critical-difference diagram (Demsar, 2006)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rntk_bench.errors import ExtraError
from rntk_bench.report.plots import figures
from rntk_bench.report.results.comparison import MethodComparison, compare_methods

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROW_HEIGHT, BAR_SPACING = 0.26, 0.15
"""Inches between two names, and between two bars."""
RANK_WIDTH, LETTER_WIDTH = 0.32, 0.085
"""Inches of one rank on the axis, and approximately of one letter of a name."""


def plot_cd(accuracies: pd.DataFrame, alpha: float = 0.05, nemenyi: bool = False) -> Figure:
    """Mean ranks on an axis, the best at the right, and bars that join indistinguishable methods.

    No two methods of a bar differ significantly by Wilcoxon's signed-rank test with Holm's
    correction over all pairs; the dots on a bar are its methods. With `nemenyi` the
    critical difference of Nemenyi's test, which compares mean ranks, is drawn above the axis.

    Parameters
    ----------
    accuracies : DataFrame (n_datasets, n_methods)
        In percent; datasets without a result of every method are left out.
    alpha : float
        Significance level.

    Raises
    ------
    InputError
        See `compare_methods`.
    """
    comparison = compare_methods(accuracies)
    groups = indistinguishable_groups(comparison, alpha)
    levels = _assign_lines(groups, comparison.ranks)
    names = list(comparison.ranks.index)
    shown = [figures.escape_text(name) for name in names]
    right = names[: math.ceil(len(names) / 2)]
    head = 0.75 if nemenyi else 0.4
    first = 0.2 + BAR_SPACING * (max(levels, default=0) + 1)
    height = head + first + ROW_HEIGHT * len(right)
    width = max(4.0, RANK_WIDTH * len(names)) + 2 * LETTER_WIDTH * (max(map(len, shown)) + 7)
    figure, panels = figures.create(1, 1, (width, height + 0.6))
    panel = panels[0, 0]
    panel.set_xlim(len(names), 1)
    panel.set_ylim(-height + head, head)
    panel.set_axis_off()
    _draw_axis(panel, len(names))
    for side, members in ((1, right), (len(names), names[len(right) :][::-1])):
        for row, name in enumerate(members):
            _draw_name(panel, name, comparison.ranks[name], side, -first - ROW_HEIGHT * row)
    for group, level in zip(groups, levels, strict=True):
        ranks = [comparison.ranks[name] for name in group]
        style = {"color": "black", "linewidth": 3, "solid_capstyle": "round", "zorder": 3}
        panel.plot(
            ranks, [-0.15 - BAR_SPACING * level] * len(ranks), marker="o", markersize=6, **style
        )
    if nemenyi:
        _draw_difference(panel, critical_difference(len(names), len(comparison.accuracies), alpha))
    figures.add_caption(figure, _caption(comparison, alpha))
    return figure


def indistinguishable_groups(comparison: MethodComparison, alpha: float) -> list[list[str]]:
    """The largest sets of at least two methods of which no two differ significantly, by rank."""
    try:
        from networkx import Graph, find_cliques
    except ImportError:
        raise ExtraError("A critical-difference diagram", "networkx", "figures") from None
    pairs = comparison.pairs[comparison.pairs["p_holm"] >= alpha]
    position = {name: k for k, name in enumerate(comparison.ranks.index)}
    cliques = find_cliques(Graph(list(zip(pairs["a"], pairs["b"], strict=True))))
    return sorted(
        (sorted(clique, key=position.__getitem__) for clique in cliques),
        key=lambda group: [position[name] for name in group],
    )


def critical_difference(n_methods: int, n_datasets: int, alpha: float) -> float:
    """Nemenyi's critical difference: mean ranks that differ by more differ significantly."""
    from scipy.stats import studentized_range

    q = float(studentized_range.isf(alpha, n_methods, math.inf)) / math.sqrt(2)
    return q * math.sqrt(n_methods * (n_methods + 1) / (6 * n_datasets))


def _assign_lines(groups: list[list[str]], ranks: pd.Series[float]) -> list[int]:
    """The line on which each bar is drawn, so that the bars of a line keep a distance."""
    ends: list[float] = []
    levels = []
    spacing = 0.04 * len(ranks)
    for group in groups:
        start, end = ranks[group[0]], ranks[group[-1]]
        free = (k for k, end_of_line in enumerate(ends) if end_of_line + spacing < start)
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
    """A line from the rank on the axis to one side, with the name and the rank at its end."""
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
    """The critical difference as a bar above the axis, from rank 1."""
    panel.plot([1, 1 + difference], [0.45, 0.45], color="black", marker="|", markersize=7)
    panel.text(1 + difference / 2, 0.5, f"CD = {difference:.2f}", ha="center", va="bottom")


def _caption(comparison: MethodComparison, alpha: float) -> str:
    caption = (
        f"Mean ranks of the test accuracy on {len(comparison.accuracies)} datasets, 1 the best. "
        "A bar joins methods (dots) of which Wilcoxon's signed-rank test with Holm's correction "
        f"tells no two apart at {100 * alpha:g} %."
    )
    if comparison.friedman is not None:
        shown = comparison.friedman.format_p().replace(" ", "\xa0")
        caption += f" Friedman's test: p\xa0{shown}."
    return caption
