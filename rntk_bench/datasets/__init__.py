"""The archive's datasets: names and sizes, loading, downloading and preprocessing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rntk_bench.datasets.archive import ARCHIVE, ArchiveEntry
    from rntk_bench.datasets.dataset import Dataset, Sequences
    from rntk_bench.datasets.download import fetch_dataset, needs_download
    from rntk_bench.datasets.load import load_dataset
    from rntk_bench.datasets.preprocess import InputScaling, zero_pad
    from rntk_bench.datasets.resample import resample_dataset
    from rntk_bench.datasets.sources import Location, dataset_names, locate

__all__ = [
    "ARCHIVE",
    "ArchiveEntry",
    "Dataset",
    "InputScaling",
    "Location",
    "Sequences",
    "dataset_names",
    "fetch_dataset",
    "load_dataset",
    "locate",
    "needs_download",
    "resample_dataset",
    "zero_pad",
]

_MODULES = {
    **dict.fromkeys(("ARCHIVE", "ArchiveEntry"), "archive"),
    **dict.fromkeys(("Dataset", "Sequences"), "dataset"),
    **dict.fromkeys(("fetch_dataset", "needs_download"), "download"),
    "load_dataset": "load",
    **dict.fromkeys(("InputScaling", "zero_pad"), "preprocess"),
    "resample_dataset": "resample",
    **dict.fromkeys(("Location", "dataset_names", "locate"), "sources"),
}


def __getattr__(name: str) -> Any:
    # On first use: a shell that completes a dataset's name must not wait for NumPy.
    if name in _MODULES:
        return getattr(import_module(f"rntk_bench.datasets.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
