"""The labels of test sets, which records do not hold, from the datasets on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rntk_bench.datasets.dataset import Dataset
from rntk_bench.datasets.load import load_dataset
from rntk_bench.datasets.sources import user_dataset_names
from rntk_bench.errors import DataError
from rntk_bench.report.tables.one_record import confusion
from rntk_bench.storage.records import Record
from rntk_bench.types import IntArray


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often each class was taken for each.

    Attributes
    ----------
    classes : tuple of str
    counts : ndarray of shape (n_classes, n_classes)
        Test series by their class, a row each, and by the class predicted, a column each.
    """

    classes: tuple[str, ...]
    counts: IntArray


class Labels:
    """Reads each dataset once, if it is on this machine; nothing is downloaded.

    Parameters
    ----------
    data_dir, cache_dir : Path, optional
        As in `load_dataset`.

    Raises
    ------
    DataError
        If there is no folder `data_dir`.
    """

    def __init__(self, data_dir: Path | None = None, cache_dir: Path | None = None) -> None:
        if data_dir is not None:
            user_dataset_names(data_dir)
        self._data_dir, self._cache_dir = data_dir, cache_dir
        self._known: dict[str, Dataset | DataError] = {}

    def confusion(self, record: Record) -> Confusion:
        """Count a finished record's test predictions by class.

        Raises
        ------
        DataError
            If the data that the record was made on is not here, or the record holds no
            predictions of it.
        """
        dataset = self._load(record.dataset)
        if isinstance(dataset, DataError):
            raise dataset
        return Confusion(dataset.classes, confusion(record, dataset))

    def _load(self, name: str) -> Dataset | DataError:
        if name not in self._known:
            try:
                self._known[name] = load_dataset(
                    name, data_dir=self._data_dir, cache_dir=self._cache_dir, download=False
                )
            except DataError as error:
                self._known[name] = error
        return self._known[name]
