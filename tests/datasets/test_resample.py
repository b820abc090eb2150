"""The reference is what sktime makes of the data that it loads itself."""

import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sktime import datasets as sktime_datasets
from sktime.utils.sampling import stratified_resample

from rntk_bench.datasets import Dataset, load_dataset, resample_dataset
from rntk_bench.errors import DataError

LOADERS = {
    "GunPoint": sktime_datasets.load_gunpoint,
    "BasicMotions": sktime_datasets.load_basic_motions,  # six dimensions
    "JapaneseVowels": sktime_datasets.load_japanese_vowels,  # and several lengths, nine classes
}


def made(y_train, y_test):
    """A dataset whose series are their positions in both sets together."""
    classes, codes = np.unique([*y_train, *y_test], return_inverse=True)
    order = np.argsort(classes.astype(float))  # as the archive's reader sorts them
    codes = np.argsort(order)[codes]
    X = np.arange(len(codes), dtype=float)[:, None]
    n = len(y_train)
    names = tuple(classes[order].tolist())
    return Dataset("Made", X[:n], codes[:n], X[n:], codes[n:], names, "folder")


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("seed", [1, 29])
def test_the_sets_are_those_that_sktime_makes(name, seed):
    ours = resample_dataset(load_dataset(name, download=False), seed)
    splits = [LOADERS[name](split, return_type="nested_univ") for split in ("train", "test")]
    X_train, y_train, X_test, y_test = stratified_resample(*splits[0], *splits[1], seed)
    for X, y, series, codes in (
        (X_train, y_train, ours.X_train, ours.y_train),
        (X_test, y_test, ours.X_test, ours.y_test),
    ):
        assert [ours.classes[code].lower() for code in codes] == y.tolist()
        for (_, row), x in zip(X.iterrows(), series, strict=True):
            expected = np.stack([column.to_numpy() for column in row], axis=1)
            np.testing.assert_array_equal(x.reshape(len(x), -1), expected)


@pytest.mark.parametrize("name", ["ArrowHead", "JapaneseVowels"])
def test_each_class_keeps_its_numbers_and_both_sets_together_their_series(name):
    before = load_dataset(name, download=False)
    after = resample_dataset(before, 3)
    assert after.equal_length == before.equal_length
    for split in ("y_train", "y_test"):
        assert Counter(getattr(after, split).tolist()) == Counter(getattr(before, split).tolist())

    def everything(data):
        return Counter(
            (x.tobytes(), code)
            for X, y in ((data.X_train, data.y_train), (data.X_test, data.y_test))
            for x, code in zip(X, y.tolist(), strict=True)
        )

    assert everything(after) == everything(before)
    assert after.fingerprint != before.fingerprint
    assert after.fingerprint == resample_dataset(before, 3).fingerprint
    assert after.fingerprint != resample_dataset(before, 4).fingerprint


def test_classes_are_taken_in_the_order_of_their_labels_as_texts():
    y_train, y_test = [str(k % 12) for k in range(24)], [str(k % 12) for k in range(36)]
    data = made(y_train, y_test)
    assert data.classes[:3] == ("0", "1", "2")
    resampled = resample_dataset(data, 5)
    labels = [data.classes[code] for code in resampled.y_train]
    assert list(dict.fromkeys(labels)) == sorted(set(labels))
    assert list(dict.fromkeys(labels))[:4] == ["0", "1", "10", "11"]
    everything = np.array(y_train + y_test)
    for X, y in ((resampled.X_train, resampled.y_train), (resampled.X_test, resampled.y_test)):
        assert everything[X[:, 0].astype(int)].tolist() == [data.classes[code] for code in y]


def test_upper_case_does_not_change_the_order():
    y_train, y_test = ["1", "2", "3", "1", "2", "3"], ["3", "2", "1", "1", "2", "3", "3"]
    data = made(y_train, y_test)
    sets = {}
    for classes in (("a", "b", "c"), ("a", "B", "c"), ("A", "b", "c"), ("a", "A", "c")):
        sets[classes] = resample_dataset(replace(data, classes=classes), 1).X_train.tolist()
    assert sets["a", "b", "c"] == sets["a", "B", "c"] == sets["A", "b", "c"]
    assert sets["a", "A", "c"] != sets["a", "b", "c"]  # two classes, "A" before "a"


def test_the_split_of_the_archive_needs_no_sktime(monkeypatch):
    monkeypatch.setitem(sys.modules, "sktime.utils.sampling", None)
    data = made(["1", "2"], ["2", "1"])
    assert resample_dataset(data, 0) is data
    with pytest.raises(ImportError):
        resample_dataset(data, 1)


def test_a_class_without_test_series_cannot_be_resampled():
    data = made(["1", "2", "3"], ["2", "1"])
    assert resample_dataset(data, 0) is data
    with pytest.raises(DataError, match="no test series has the class '3'; run it without --res"):
        resample_dataset(data, 1)
