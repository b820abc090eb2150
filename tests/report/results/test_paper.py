import csv
from fractions import Fraction

import pytest

from rntk_bench.datasets import ARCHIVE
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.report.results import paper
from tests.paths import shared


def test_it_has_every_dataset_and_method():
    table = paper.printed_table2()
    assert len(table) == 53
    assert all(tuple(row) == paper.METHODS for row in table.values())
    assert all(0 < entry <= 100 for row in table.values() for entry in row.values())
    assert table["Coffee"]["rnn-identity"] == Fraction("42.85")


def test_it_is_what_was_printed():
    with shared("paper", "table2.csv").open(encoding="utf-8", newline="") as file:
        printed = {row.pop("dataset"): row for row in csv.DictReader(file)}
    assert paper.printed_table2() == {
        dataset: {method: Fraction(entry) for method, entry in row.items()}
        for dataset, row in printed.items()
    }


def test_its_datasets_are_spelled_as_in_the_archive():
    assert paper.printed_table2().keys() <= ARCHIVE.keys()


def test_an_entry_is_found_by_dataset_and_method():
    assert paper.paper_accuracy("Strawberry", "rntk") == Fraction("98.38")
    assert paper.paper_accuracy("Beef", "rntk") is None
    assert paper.paper_accuracy("Strawberry", "rocket") is None


def is_a_share_of(n_test, percent):
    """Whether some count of right answers gives this percentage, rounded or cut to two decimals."""
    nearest = round(float(percent) * n_test / 100)
    return abs(100 * Fraction(nearest, n_test) - percent) < Fraction(1, 100)


NETWORKS = [method for method in paper.METHODS if method not in paper.KERNELS]


@pytest.mark.parametrize(
    ("methods", "dataset", "n_test", "other", "other_n_test"),
    [
        (paper.KERNELS, "MiddlePhalanxOutlineAgeGroup", 154, "MiddlePhalanxOutlineCorrect", 291),
        (NETWORKS, "MiddlePhalanxOutlineCorrect", 291, "MiddlePhalanxOutlineAgeGroup", 154),
    ],
)
def test_the_row_of_two_datasets_is_split(methods, dataset, n_test, other, other_n_test):
    entries = [paper.paper_accuracy(dataset, method) for method in methods]
    assert all(is_a_share_of(n_test, entry) for entry in entries)
    assert not all(is_a_share_of(other_n_test, entry) for entry in entries)
    assert [paper.paper_accuracy(other, method) for method in methods] == [None] * len(methods)


def test_the_datasets_are_those_of_table_2_and_the_one_that_shares_a_row():
    assert (*paper.printed_table2(), paper.KERNELS_OF_SHARED_ROW) == PAPER_DATASETS
