from dataclasses import replace

import pytest

from rntk_bench.datasets.load import load_dataset
from rntk_bench.datasets.resample import resample_dataset
from rntk_bench.errors import DataError
from rntk_bench.report.page import labels
from rntk_bench.report.page.labels import Labels
from rntk_bench.report.results.record_details import confusion_counts
from rntk_bench.storage.records import read_records
from tests.factories import predicted
from tests.paths import REFERENCE

DATASET = "ArrowHead"  # one of those that sktime carries


@pytest.fixture(scope="module")
def records():
    return [record for record in read_records(REFERENCE)[0] if record.dataset == DATASET]


def test_a_dataset_is_read_once_for_all_of_its_records(records, monkeypatch):
    dataset, reads = load_dataset(DATASET, download=False), []
    monkeypatch.setattr(labels, "load_dataset", lambda name, **_: reads.append(name) or dataset)
    found = Labels()
    for record in records:
        matrix = found.confusion(record)
        assert matrix.classes == dataset.classes
        assert (matrix.counts == confusion_counts(record, dataset)).all()
    assert reads == [DATASET]


def test_without_the_data_it_says_how_to_get_them(records):
    found = Labels()
    for _ in range(2):
        with pytest.raises(DataError, match="rntk-bench fetch Ham"):
            found.confusion(replace(records[0], dataset="Ham"))


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        Labels(tmp_path / "no")


def test_another_copy_of_the_data_does_not_count(records, write_dataset):
    with pytest.raises(DataError, match="another copy"):
        Labels(write_dataset("Own")).confusion(replace(records[0], dataset="Own"))


def test_the_labels_of_a_resample_are_those_of_its_test_set():
    official = load_dataset(DATASET, download=False)
    resampled = resample_dataset(official, 4)
    record = predicted(resampled, "rbf", {"resample": 4})
    matrix = Labels().confusion(record)
    assert matrix.counts.sum() == official.n_test
    assert matrix.counts.trace() == official.n_test - 1
    with pytest.raises(DataError, match="another copy"):
        Labels().confusion(replace(record, protocol={}))
