from fractions import Fraction
from math import floor

import pytest

from rntk_bench.report.results.rounding import nearest_count, possible_counts, rounds_to

PERCENT = Fraction(1, 10_000)  # percent with two decimals


def by_trial(printed, n, unit):
    """Counts that print as `printed` when rounded, halves either way, or cut."""
    found = []
    for count in range(n + 1):
        share = Fraction(count, n) / unit
        prints = {floor(share), floor(share + Fraction(1, 2)), -floor(Fraction(1, 2) - share)}
        if printed / unit in prints:
            found.append(count)
    return found


@pytest.mark.parametrize("unit", [PERCENT, Fraction(1, 100), Fraction(1, 3)])
@pytest.mark.parametrize("n", [1, 7, 64, 105, 200])
def test_possible_counts_are_those_of_trial(n, unit):
    for step in range(0, int(1 / unit) + 1, 97 if unit == PERCENT else 1):
        printed = step * unit
        assert list(possible_counts(printed, n, unit)) == by_trial(printed, n, unit)


def test_cut_and_rounded_are_both_possible():
    cut, rounded, neither = Fraction("0.6026"), Fraction("0.6027"), Fraction("0.6022")
    assert list(possible_counts(cut, 375, PERCENT)) == [226]
    assert list(possible_counts(rounded, 375, PERCENT)) == [226]
    assert not possible_counts(neither, 375, PERCENT)
    assert nearest_count(neither, 375) == 226


def test_the_nearest_count_stays_within_the_test_set():
    assert nearest_count(Fraction(0), 60) == 0
    assert nearest_count(Fraction(101, 100), 60) == 60


@pytest.mark.parametrize(
    ("value", "possible"), [(16.8672, True), (16.855, True), (16.8549, False), (16.87, False)]
)
def test_what_could_print(value, possible):
    assert rounds_to(value, Fraction("16.86"), Fraction(1, 100)) == possible
