import math

import pandas as pd
import pytest

from rntk_bench.errors import InputError
from rntk_bench.report.results.accuracies import accuracy_table, drop_incomplete, find_column
from rntk_bench.report.results.results import collect_results
from tests.factories import record

RESULTS = collect_results(
    [record("Coffee", "rntk", 27, 28), record("Ham", "rntk"), record("Coffee", "nngp", 1, 4)]
)


def test_accuracies_are_percent_under_the_tables_names():
    table = accuracy_table(RESULTS)
    assert list(table) == ["RNTK", "NNGP"]
    assert list(table.index) == ["Coffee", "Ham"]
    assert table["RNTK"].tolist() == [2700 / 28, 50.0]
    assert table.loc["Coffee", "NNGP"] == 25.0
    assert math.isnan(table.loc["Ham", "NNGP"])


def test_the_papers_numbers_are_further_columns():
    table = accuracy_table(RESULTS, with_paper=True)
    assert list(table) == ["RNTK", "RNTK (paper)", "NNGP"]
    assert table["RNTK (paper)"].tolist() == [100.0, 70.48]


def test_what_is_not_complete_is_left_out_and_named():
    gap = float("nan")
    table = pd.DataFrame({"A": [1, 2, 3], "B": [4, gap, 6], "C": [gap] * 3}, index=list("xyz"))
    whole, notes = drop_incomplete(table)
    assert whole.to_dict("list") == {"A": [1, 3], "B": [4, 6]}
    assert notes == [
        "Without any result: C.",
        "Left out, since not every method has a result: 1 of 3 datasets (y).",
    ]
    assert drop_incomplete(whole)[1] == []


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (pd.DataFrame({"A": [1, None, 3], "B": [None, 2, None]}), r"every method \(B has 1\);"),
        (pd.DataFrame({"A": [None]}, dtype=float), "every method; choose"),
    ],
)
def test_nothing_complete_is_one_sentence(table, told):
    with pytest.raises(InputError, match=told):
        drop_incomplete(table)


def test_a_column_goes_by_its_title_or_its_methods_name():
    table = accuracy_table(RESULTS)
    assert find_column(table, "rntk") == find_column(table, "RNTK") == "RNTK"
    with pytest.raises(InputError, match="no method 'gru' among the results; there are RNTK, NNGP"):
        find_column(table, "gru")
