from fractions import Fraction

import pytest

from rntk_bench.report import paper
from rntk_bench.report.statistics import competition_ranks, summarize


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
    expected = paper.TABLE1_MISPRINTS.get((method, statistic), printed)
    assert cut(getattr(recomputed[method], statistic)) == expected


@pytest.mark.parametrize(("method", "statistic"), paper.TABLE1_MISPRINTS)
def test_a_misprint_is_one_digit_off(method, statistic):
    printed = getattr(paper.PRINTED_TABLE1[method], statistic)
    right = paper.TABLE1_MISPRINTS[method, statistic]
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


def test_ranks_tell_apart_what_rounds_alike():
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
