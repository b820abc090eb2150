import math
from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.datasets import load_dataset
from rntk_bench.errors import DataError
from rntk_bench.report.results.record_details import (
    confusion_counts,
    describe_fold_networks,
    predicted_classes,
    wilson_interval,
)
from rntk_bench.report.tables.confusion import confusion_table
from rntk_bench.storage.integers import pack_integers
from rntk_bench.storage.records import read_record
from tests.paths import REFERENCE


@pytest.fixture
def record():
    (path,) = REFERENCE.glob("ArrowHead/rbf-*.json")
    return read_record(path)


@pytest.mark.parametrize(("correct", "n"), [(0, 10), (27, 28), (28, 28), (145, 150)])
def test_the_interval_is_wilsons(correct, n):
    p, z = correct / n, 1.959963984540054
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    expected = [(centre + sign * spread) / (1 + z * z / n) for sign in (-1, 1)]
    assert wilson_interval(correct, n) == pytest.approx(expected, abs=1e-12)


def test_confusion_counts_every_test_series(record):
    dataset = load_dataset("ArrowHead")
    counts = confusion_counts(record, dataset)
    expected = np.zeros((3, 3), dtype=int)
    for true, predicted in zip(dataset.y_test, predicted_classes(record), strict=True):
        expected[true, predicted] += 1
    np.testing.assert_array_equal(counts, expected)
    assert counts.trace() == record.test["correct"]


def test_a_record_of_other_data_or_without_predictions_has_no_confusion_matrix(record):
    dataset = load_dataset("ArrowHead")
    other = replace(record, data=record.data | {"fingerprint": "0"})
    with pytest.raises(DataError, match="another copy"):
        confusion_counts(other, dataset)
    with pytest.raises(DataError, match="no predictions"):
        confusion_counts(replace(record, test={"correct": 1, "n": 2}), dataset)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"predictions": pack_integers(np.array([0, 1]))}, "not those of its test set"),
        ({"predictions": pack_integers(np.zeros((175, 2), int))}, "not those of its test set"),
        ({"predictions": [0, 1]}, "damaged"),
        ({"predictions": {"shape": [175], "dtype": "|u1"}}, "damaged"),
        ({"predictions": pack_integers(np.full(175, 99))}, "number of right answers"),
        ({"correct": 1}, "number of right answers"),
    ],
)
def test_predictions_that_do_not_belong_are_refused(record, change, says):
    with pytest.raises(DataError, match=says):
        confusion_counts(replace(record, test=record.test | change), load_dataset("ArrowHead"))


def test_the_matrix_says_what_share_of_each_class_was_found():
    counts = np.array([[3, 1, 0], [0, 0, 0], [0, 0, 2]])
    table = confusion_table(counts, ["a", "b", "c"])
    assert [str(column) for column in table.columns] == ["true", "a", "b", "c", "recall, %"]
    assert [[cell.unmarked_text() for cell in row] for row in table.rows] == [
        ["a", "3", "1", "0", "75.0"],
        ["b", "0", "0", "0", ""],
        ["c", "0", "0", "2", "100.0"],
    ]


@pytest.mark.parametrize(
    ("final", "tested"),
    [
        ("best-fold", "that of fold 2"),
        ("ensemble", "the mean of their probabilities"),
        ("retrain", "one trained on all series"),
    ],
)
def test_how_the_folds_networks_do(record, final, tested):
    assert describe_fold_networks(record) is None
    network = replace(
        record,
        protocol={"final": final},
        selection={"best_fold": 1},
        test={"n": 40, "fold_correct": [10, 30, None], "ensemble_correct": 29},
    )
    assert describe_fold_networks(network) == (
        "25.00, 75.00, none % by fold, 72.50 % by the mean of their probabilities; "
        f"tested: {tested}"
    )
