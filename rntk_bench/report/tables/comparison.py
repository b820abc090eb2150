"""Tables of a comparison of methods."""

from __future__ import annotations

from rntk_bench.report.results.comparison import TIE, MethodComparison
from rntk_bench.report.tables.table import Cell, Column, Table


def ranks_table(comparison: MethodComparison, alpha: float) -> Table:
    """Mean and median accuracy and mean rank of each method, the best first."""
    means, medians = comparison.accuracies.mean(), comparison.accuracies.median()
    rows = [
        [
            Cell(name),
            Cell(means[name], ".2f", bold=means[name] == means.max()),
            Cell(medians[name], ".2f", bold=medians[name] == medians.max()),
            Cell(
                comparison.ranks[name], ".2f", bold=comparison.ranks[name] == comparison.ranks.min()
            ),
        ]
        for name in map(str, comparison.ranks.index)
    ]
    if comparison.friedman is None:
        verdict = "Friedman's test needs three methods."
    else:
        differ = "Methods differ" if comparison.friedman.p < alpha else "No method differs"
        verdict = (
            f"{differ} at {100 * alpha:g} % by Friedman's test: chi-squared "
            f"{comparison.friedman.statistic:.4g} with {len(rows) - 1} degrees of freedom, "
            f"p {comparison.friedman.format_p()}."
        )
    return Table(
        "Ranks",
        f"Test accuracy in percent and mean rank, over {len(comparison.accuracies)} datasets",
        [Column(title) for title in ("method", "mean", "median", "rank")],
        rows,
        [verdict, "Methods that tie on a dataset share the mean of their ranks."],
    )


def pairs_table(comparison: MethodComparison, alpha: float) -> Table:
    """Each pair of methods: wins, differences, effect size and test."""
    from scipy.stats import t

    quantile = float(t.ppf(1.0 - alpha / 2.0, len(comparison.accuracies) - 1))
    rows = [
        [
            Cell(pair["a"]),
            Cell(pair["b"]),
            *(Cell(pair[name], ".0f") for name in ("wins", "ties", "losses")),
            Cell(pair["mean"], "+z.2f"),
            Cell(quantile * pair["standard_error"], ".2f"),
            *(Cell(pair[name], "+z.2f") for name in ("median", "effect")),
            Cell(pair["p"], ".2g"),
            Cell(pair["p_holm"], ".2g", mark="*" if pair["p_holm"] < alpha else ""),
        ]
        for pair in comparison.pairs.to_dict("records")
    ]
    columns = [
        Column("method"),
        Column("against", words=True),
        *map(Column, ("wins", "ties", "losses")),
        *(Column(title, "difference") for title in ("mean", "±", "median")),
        *map(Column, ("effect", "p", "p Holm")),
    ]
    notes = [
        "Differences are in percentage points; accuracies tie that differ by no more than "
        f"{TIE:.3f}. ±: half the {100 * (1 - alpha):g} % interval of the mean, by the datasets' "
        "standard error. Effect: matched-pairs rank-biserial correlation, from -1 (worse on every "
        "dataset) to 1 (better on every one).",
        f"p: two-sided Wilcoxon signed-rank test, and with Holm's correction over the {len(rows)} "
        f"pairs; * below {alpha:g}.",
    ]
    return Table(
        "Pairs",
        f"Methods against each other on {len(comparison.accuracies)} datasets",
        columns,
        rows,
        notes,
    )
