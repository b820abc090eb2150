"""Against the worked examples of J. Demsar, "Statistical Comparisons of Classifiers over Multiple
Data Sets", JMLR 7, 2006, and against the definitions."""

import math
from fractions import Fraction
from io import StringIO
from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.stats import sem, t

from rntk_bench.errors import InputError
from rntk_bench.report.plots.cd import critical_difference, indistinguishable_groups
from rntk_bench.report.results.comparison import compare_methods, compare_pair
from rntk_bench.report.tables.comparison import pairs_table, ranks_table

# Its two 0.975 of the last dataset but one have different ranks, so that they differ by less than
# is printed.
TABLE_6 = """C4.5,C4.5+m,C4.5+cf,C4.5+m+cf
0.763,0.768,0.771,0.798
0.599,0.591,0.590,0.569
0.954,0.971,0.968,0.967
0.628,0.661,0.654,0.657
0.882,0.888,0.886,0.898
0.936,0.931,0.916,0.931
0.661,0.668,0.609,0.685
0.583,0.583,0.563,0.625
0.775,0.838,0.866,0.875
1.000,1.000,1.000,1.000
0.940,0.962,0.965,0.962
0.619,0.666,0.614,0.669
0.972,0.981,0.9752,0.975
0.957,0.978,0.946,0.970
"""


@pytest.fixture
def demsar():
    return 100 * pd.read_csv(StringIO(TABLE_6))


def test_demsars_mean_ranks_and_critical_difference(demsar):
    found = compare_methods(demsar)
    assert found.ranks.round(3).to_dict() == {
        "C4.5+m+cf": 1.964,
        "C4.5+m": 2.0,
        "C4.5+cf": 2.893,
        "C4.5": 3.143,
    }
    # The paper's 9.28 has no correction for ties, which divides it.
    tied = [4 * 15, 2 * 3, 2 * 3, 2 * 3]
    assert found.friedman.statistic == pytest.approx(
        9.28 / (1 - sum(tied) / (14 * 4 * 15)), abs=0.02
    )
    assert round(critical_difference(4, 14, 0.05), 2) == 1.25


def test_demsars_signed_ranks(demsar):
    pair = compare_pair((demsar["C4.5+m"] - demsar["C4.5"]).to_numpy())
    assert (pair["wins"], pair["ties"], pair["losses"]) == (10, 2, 2)
    # R+ = 93 and R- = 12, in which each zero counts 1.5.
    assert pair["effect"] == pytest.approx((91.5 - 10.5) / (91.5 + 10.5))
    assert pair["p"] < 0.05


def test_the_interval_of_the_mean_is_students(demsar):
    d = (demsar["C4.5+m"] - demsar["C4.5"]).to_numpy()
    table = pairs_table(compare_methods(demsar[["C4.5", "C4.5+m"]]), 0.1)
    (row,) = table.rows
    shown = dict(zip((column.title for column in table.columns), row, strict=True))
    low, high = t.interval(0.9, len(d) - 1, d.mean(), sem(d))
    assert shown["mean"].value == pytest.approx((high + low) / 2)
    assert shown["±"].value == pytest.approx((high - low) / 2)
    assert "half the 90 % interval" in table.notes[0]
    assert math.isnan(compare_pair(np.ones(1))["standard_error"])


def test_the_signed_rank_test_by_all_signs():
    d = np.array([3, -1, 2, 2, 0, 5, -1, 4])
    ranks = pd.Series(np.abs(d)).rank().to_numpy()
    signs = np.array(list(product((-1, 1), repeat=len(d))))
    sums = (signs * np.where(d == 0, 0, ranks)).sum(axis=1)
    observed = (np.sign(d) * ranks).sum()
    assert compare_pair(d / 7)["p"] == pytest.approx(np.mean(np.abs(sums) >= abs(observed)))
    assert compare_pair(d / 7)["effect"] == pytest.approx(observed / ranks[d != 0].sum())
    assert compare_pair(-d / 7)["effect"] == -compare_pair(d / 7)["effect"]


def test_holms_correction_by_its_definition():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(60 + rng.normal(scale=5, size=(20, 5)) + np.arange(5) ** 2)
    pairs = compare_methods(table.set_axis(list("ABCDE"), axis=1)).pairs.sort_values("p")
    expected, worst = [], 0.0
    for k, p in enumerate(pairs["p"]):
        worst = max(worst, min(1.0, (len(pairs) - k) * p))
        expected.append(worst)
    assert pairs["p_holm"].tolist() == pytest.approx(expected)
    assert (pairs["p_holm"] < 0.05).sum() not in (0, len(pairs))


def test_equal_shares_tie_however_they_were_rounded():
    exact = [float(100 * Fraction(k, 28)) for k in range(20, 28)]
    printed = [round(x, 2) for x in exact]
    found = compare_methods(pd.DataFrame({"ours": exact, "theirs": printed}))
    assert found.pairs[["wins", "ties", "losses"]].to_numpy().tolist() == [[0, 8, 0]]
    assert found.pairs.loc[0, ["effect", "p", "p_holm"]].tolist() == [0, 1, 1]
    assert found.ranks.tolist() == [1.5, 1.5]
    assert found.friedman is None


def test_methods_that_are_all_equal_do_not_differ():
    found = compare_methods(pd.DataFrame({name: np.arange(10.0) for name in "ABC"}))
    assert found.friedman == (0.0, 1.0)
    assert indistinguishable_groups(found, 0.05) == [["A", "B", "C"]]


def test_a_group_holds_no_two_methods_that_differ_significantly():
    rng = np.random.default_rng(3)
    accuracies = pd.DataFrame(
        70 + rng.normal(scale=3, size=(25, 8)) + 0.8 * np.arange(8), columns=list("ABCDEFGH")
    )
    found = compare_methods(accuracies)
    groups = indistinguishable_groups(found, 0.05)
    alike = {
        frozenset(pair) for *pair, p in found.pairs[["a", "b", "p_holm"]].to_numpy() if p >= 0.05
    }
    inside = {frozenset((a, b)) for group in groups for a in group for b in group if a != b}
    assert inside == alike
    assert len(groups) > 1
    assert not any(set(a) < set(b) for a in groups for b in groups)


@pytest.mark.parametrize(
    ("n_datasets", "names", "told"),
    [(5, "AB", "5 of 5 datasets; a comparison needs 6"), (9, "A", "at least two methods")],
)
def test_too_few_are_one_sentence(n_datasets, names, told):
    table = pd.DataFrame({name: np.arange(float(n_datasets)) for name in names})
    with pytest.raises(InputError, match=told):
        compare_methods(table)


def test_the_tables_show_the_comparison(demsar):
    found = compare_methods(demsar)
    ranks = ranks_table(found, 0.05)
    assert [row[0].value for row in ranks.rows] == list(found.ranks.index)
    assert [cell.bold for cell in ranks.rows[0]] == [False, True, True, True]
    assert "Methods differ at 5 % by Friedman's test" in ranks.notes[0]
    assert "No method differs at 1 %" in ranks_table(found, 0.01).notes[0]
    pairs = pairs_table(found, 0.2)
    assert len(pairs.rows) == 6
    marked = [row[-1].mark == "*" for row in pairs.rows]
    assert marked == (found.pairs["p_holm"] < 0.2).tolist()
    assert len(set(marked)) == 2


@pytest.mark.parametrize(("n_methods", "n_datasets"), [(3, 12), (6, 40), (9, 25)])
def test_tests_and_diagrams_are_those_of_scikit_posthocs(n_methods, n_datasets):
    posthocs = pytest.importorskip("scikit_posthocs")
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((n_datasets, n_methods)) + 0.4 * np.arange(n_methods)
    # Multiples of 1/8, whose differences are exact: scikit-posthocs does not round them.
    accuracies = pd.DataFrame(70 + np.round(16 * noise) / 8, columns=list("ABCDEFGHI")[:n_methods])
    found = compare_methods(accuracies)
    p = posthocs.posthoc_wilcoxon(
        accuracies.melt(), "value", "variable", zero_method="pratt", p_adjust="holm"
    )
    for pair in found.pairs.itertuples():
        assert pair.p_holm == pytest.approx(p.loc[pair.a, pair.b], rel=1e-12)

    axes = Figure().subplots()
    bars = posthocs.critical_difference_diagram(found.ranks, p, ax=axes)["crossbars"]
    ends = {(min(line.get_xdata()), max(line.get_xdata())) for (line,) in bars}
    groups = indistinguishable_groups(found, 0.05)
    assert {(found.ranks[group[0]], found.ranks[group[-1]]) for group in groups} == ends

    nemenyi = posthocs.posthoc_nemenyi_friedman(accuracies)
    distances = np.subtract.outer(*2 * [found.ranks[accuracies.columns].to_numpy()])
    differ = np.abs(distances) > critical_difference(n_methods, n_datasets, 0.05)
    np.testing.assert_array_equal(differ, nemenyi < 0.05)
