"""Joining splits, and the checks that need both."""

import numpy as np
import pytest

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.datasets.assemble import assemble
from rntk_bench.datasets.readers import Split
from rntk_bench.errors import DataError


def split(tmp_path, name, series, labels):
    return Split(
        tmp_path / name, list(map(np.array, series)), labels, list(range(1, 1 + len(labels)))
    )


def test_codes_are_shared_by_the_splits(tmp_path):
    train = split(tmp_path, "train", [[1.0, 2], [3, 4], [5, 6]], ["b", "a", "c"])
    test = split(tmp_path, "test", [[7.0, 8]], ["c"])
    dataset = assemble("Own", train, test, "folder")
    assert (dataset.y_train.tolist(), dataset.y_test.tolist()) == ([1, 0, 2], [2])
    np.testing.assert_array_equal(dataset.X_train, [[1, 2], [3, 4], [5, 6]])
    assert dataset.equal_length


def test_one_longer_series_makes_both_splits_lists(tmp_path):
    train = split(tmp_path, "train", [[1.0, 2], [3, 4]], ["a", "b"])
    test = split(tmp_path, "test", [[7.0, 8, 9]], ["a"])
    dataset = assemble("Own", train, test, "folder")
    assert isinstance(dataset.X_train, list)
    assert isinstance(dataset.X_test, list)
    assert dataset.length == 3


@pytest.mark.parametrize(
    ("labels", "test_series", "test_label", "sentence"),
    [
        (["a", "b"], [1.0, 2], "c", "test, row 1: no series of .*train has the label 'c'"),
        (["a", "a"], [1.0, 2], "a", "train has the single class 'a'"),
        (
            ["a", "b"],
            [[1.0, 2]],
            "a",
            r"test, row 1: the series has dimension 2, but .* 1",
        ),
    ],
)
def test_splits_that_do_not_belong_together(tmp_path, labels, test_series, test_label, sentence):
    train = split(tmp_path, "train", [[1.0, 2], [3, 4]], labels)
    test = split(tmp_path, "test", [test_series], [test_label])
    with pytest.raises(DataError, match=sentence):
        assemble("Own", train, test, "folder")


def archive_copy(tmp_path, name, *, n_train=0, n_test=0, n_classes=0, length=0):
    """Make a copy of an archive's dataset whose sizes are off by the numbers given."""
    entry = ARCHIVE[name]
    splits = [
        split(
            tmp_path,
            part,
            [np.ones(entry.length + length)] * n,
            [str(i % (entry.n_classes + n_classes)) for i in range(n)],
        )
        for part, n in (("train", entry.n_train + n_train), ("test", entry.n_test + n_test))
    ]
    return assemble(name, *splits, "folder")


def test_the_archives_sizes_pass(tmp_path):
    assert archive_copy(tmp_path, "ArrowHead").n_test == 175


@pytest.mark.parametrize(
    ("off", "sentence"),
    [
        ({"n_train": -1}, "has 36 training series, but this copy has 35"),
        ({"n_test": 2}, "has 175 test series, but this copy has 177"),
        ({"n_classes": 1}, "has 3 classes, but this copy has 4"),
        ({"length": -1}, "has 251 steps per series, but this copy has 250"),
    ],
)
def test_other_sizes_than_the_archives_are_refused(tmp_path, off, sentence):
    with pytest.raises(DataError, match=sentence):
        archive_copy(tmp_path, "ArrowHead", **off)
