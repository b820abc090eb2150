"""A dataset's derived properties, above all its fingerprint."""

from dataclasses import replace

import numpy as np
import pytest

from rntk_bench.datasets import Dataset


@pytest.fixture
def dataset():
    return Dataset(
        name="Toy",
        X_train=np.arange(12.0).reshape(3, 4),
        y_train=np.array([0, 1, 0]),
        X_test=np.arange(8.0).reshape(2, 4),
        y_test=np.array([1, 0]),
        classes=("a", "b"),
        source="folder",
    )


def test_sizes(dataset):
    sizes = (dataset.n_train, dataset.n_test, dataset.length, dataset.n_classes)
    assert sizes == (3, 2, 4, 2)
    assert dataset.equal_length


def test_unequal_lengths(dataset):
    ragged = replace(dataset, X_train=[np.ones(2)] * 3, X_test=[np.ones(5), np.ones(1)])
    assert ragged.length == 5
    assert not ragged.equal_length


def test_fingerprint_ignores_name_source_container_and_sign_of_zero(dataset):
    same = replace(
        dataset, name="Other", source="cache", X_train=list(dataset.X_train), X_test=dataset.X_test
    )
    assert same.fingerprint == dataset.fingerprint
    same.X_train[0] = np.array([-0.0, 1, 2, 3])
    assert replace(same).fingerprint == dataset.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"X_train": np.nextafter(np.arange(12.0).reshape(3, 4), 99)},
        {"X_train": np.arange(12.0).reshape(3, 2, 2)},
        {"y_test": np.array([0, 1])},
        {"classes": ("a", "c")},
    ],
)
def test_fingerprint_sees_every_number_and_label(dataset, change):
    assert replace(dataset, **change).fingerprint != dataset.fingerprint
