from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from rntk_bench.report.results import paper
from rntk_bench.report.results.statistics import (
    competition_ranks,
    mean_ranks,
    relative_metrics,
    summarize,
)

# What Table 2 gives where Table 1 differs by a digit; decimals are cut off, as all over Table 1.
TABLE1_MISPRINTS = {
    ("poly", "mean"): "77.68",
    ("rbf", "std"): "16.86",
    ("rnn-identity", "mean"): "64.58",
}


def cut(number):
    """The paper's way to two decimals: the rest is cut off."""
    hundredths = int(100 * number)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


@pytest.fixture(scope="module")
def recomputed():
    table = [list(row.values()) for row in paper.printed_table2().values()]
    return dict(zip(paper.METHODS, summarize(table), strict=True))


@pytest.mark.parametrize("statistic", ["mean", "std", "rank"])
@pytest.mark.parametrize("method", paper.METHODS)
def test_the_paper_s_table_1_follows_from_its_table_2(recomputed, method, statistic):
    printed = getattr(paper.PRINTED_TABLE1[method], statistic)
    expected = TABLE1_MISPRINTS.get((method, statistic), printed)
    assert cut(getattr(recomputed[method], statistic)) == expected


@pytest.mark.parametrize(("method", "statistic"), TABLE1_MISPRINTS)
def test_a_misprint_is_one_digit_off(method, statistic):
    printed = getattr(paper.PRINTED_TABLE1[method], statistic)
    right = TABLE1_MISPRINTS[method, statistic]
    assert sum(a != b for a, b in zip(printed, right, strict=True)) == 1


def test_the_polynomial_mean_rounds_to_what_the_errata_say(recomputed):
    assert round(float(recomputed["poly"].mean), 2) == 77.69


@pytest.mark.parametrize(
    ("accuracies", "ranks"),
    [
        ([3, 2, 1], [1, 2, 3]),
        ([1, 3, 3], [3, 1, 1]),
        ([2, 2, 2, 2], [1, 1, 1, 1]),
        ([5, 4, 4, 1], [1, 2, 2, 4]),
    ],
)
def test_ties_take_the_smallest_rank(accuracies, ranks):
    assert competition_ranks([Fraction(accuracy) for accuracy in accuracies]) == ranks


def test_ranks_differ_where_only_the_rounded_numbers_are_equal():
    close = [Fraction(8999, 9000), Fraction(9000, 9001)]
    assert f"{float(close[0]):.2%}" == f"{float(close[1]):.2%}"
    assert competition_ranks(close) == [2, 1]


def test_equal_fractions_tie_however_they_are_written():
    assert competition_ranks([Fraction(1, 3), Fraction(100, 300)]) == [1, 1]


def test_one_dataset_has_no_deviation():
    best, worst = summarize([[Fraction(3, 4), Fraction(1, 2)]])
    assert (best.mean, best.std, best.rank) == (Fraction(3, 4), None, 1)
    assert (worst.mean, worst.std, worst.rank) == (Fraction(1, 2), None, 2)


def test_a_gap_is_refused():
    with pytest.raises(ValueError, match="zip"):
        summarize([[Fraction(1), Fraction(1)], [Fraction(1)]])


def test_mean_ranks_share_the_ranks_of_ties():
    table = pd.DataFrame({"a": [3, 1], "b": [2, 1], "c": [2, 0]}, index=["x", "y"])
    assert mean_ranks(table).to_dict() == {"a": 1.25, "b": 2.0, "c": 2.75}


def test_mean_ranks_are_those_of_scipy():
    accuracies = np.random.default_rng(0).integers(0, 9, (40, 6)) / 9
    ranks = rankdata(-accuracies, axis=1).mean(axis=0)
    np.testing.assert_allclose(mean_ranks(pd.DataFrame(accuracies)), ranks, rtol=1e-15)


def test_mean_ranks_refuse_a_gap():
    with pytest.raises(ValueError, match="every method"):
        mean_ranks(pd.DataFrame({"a": [1.0, None], "b": [0.5, 0.5]}))


def test_metrics_by_hand():
    table = [
        [Fraction(100), Fraction(95), Fraction(90)],
        [Fraction(50), Fraction(50), Fraction(44)],
        [Fraction(10), Fraction(80), Fraction(72)],
        [Fraction(60), Fraction(54), Fraction(57)],
    ]
    first, second, third = relative_metrics(table)
    assert first.friedman_rank == (1 + 1.5 + 3 + 1) / 4
    assert second.friedman_rank == (2 + 1.5 + 1 + 3) / 4
    assert (first.p90, first.p95) == (Fraction(3, 4), Fraction(3, 4))
    assert (second.p90, second.p95) == (1, Fraction(3, 4))
    assert (third.p90, third.p95) == (Fraction(3, 4), Fraction(1, 4))
    assert (
        third.pma
        == (Fraction(90, 100) + Fraction(44, 50) + Fraction(72, 80) + Fraction(57, 60)) / 4
    )


def test_where_nobody_is_right_everybody_reaches_the_best():
    metrics = relative_metrics([[Fraction(0), Fraction(0)]])
    assert [(m.friedman_rank, m.p95, m.pma) for m in metrics] == [(1.5, 1, 1)] * 2
