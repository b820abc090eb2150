"""Confusion matrices of records, with labels from the datasets on this machine.

Records hold predictions but no true labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rntk_bench.datasets.dataset import Dataset
from rntk_bench.datasets.load import load_dataset
from rntk_bench.datasets.resample import resample_dataset
from rntk_bench.datasets.sources import user_dataset_names
from rntk_bench.errors import DataError
from rntk_bench.report.results.record_details import confusion_counts
from rntk_bench.storage.records import Record
from rntk_bench.types import IntArray


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """The confusion matrix of a record.

    Attributes
    ----------
    classes : tuple of str
    counts : ndarray of shape (n_classes, n_classes)
        Test series by true class (rows) and predicted class (columns).
    """

    classes: tuple[str, ...]
    counts: IntArray


class Labels:
    """The labels of the datasets on this machine; each is read once, and none is downloaded.

    Parameters
    ----------
    data_dir, cache_dir : Path, optional
        As in `load_dataset`.

    Raises
    ------
    DataError
        The folder `data_dir` does not exist.
    """

    def __init__(self, data_dir: Path | None = None, cache_dir: Path | None = None) -> None:
        if data_dir is not None:
            user_dataset_names(data_dir)
        self._data_dir, self._cache_dir = data_dir, cache_dir
        self._datasets: dict[str, Dataset | DataError] = {}

    def confusion(self, record: Record) -> ConfusionMatrix:
        """The confusion matrix of the test predictions of a record.

        Raises
        ------
        DataError
            The data of the record are not on this machine, or the record has no predictions
            for them.
        """
        dataset = self.dataset(record)
        return ConfusionMatrix(dataset.classes, confusion_counts(record, dataset))

    def dataset(self, record: Record) -> Dataset:
        """The dataset of a record, resampled as the record says.

        Raises
        ------
        DataError
            The dataset is not on this machine.
        """
        dataset = self._load(record.dataset)
        if isinstance(dataset, DataError):
            raise dataset
        return resample_dataset(dataset, record.resample)

    def _load(self, name: str) -> Dataset | DataError:
        if name not in self._datasets:
            try:
                self._datasets[name] = load_dataset(
                    name, data_dir=self._data_dir, cache_dir=self._cache_dir, download=False
                )
            except DataError as error:
                self._datasets[name] = error
        return self._datasets[name]
