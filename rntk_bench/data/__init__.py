"""The archive's datasets: names and sizes, loading, downloading and preprocessing."""

from rntk_bench.data.archive import ARCHIVE, ArchiveEntry
from rntk_bench.data.dataset import Dataset, FloatArray, IntArray, Sequences
from rntk_bench.data.download import fetch_dataset
from rntk_bench.data.load import load_dataset
from rntk_bench.data.preprocess import unit_norm, zero_pad
from rntk_bench.data.sources import Location, dataset_names, locate

__all__ = [
    "ARCHIVE",
    "ArchiveEntry",
    "Dataset",
    "FloatArray",
    "IntArray",
    "Location",
    "Sequences",
    "dataset_names",
    "fetch_dataset",
    "load_dataset",
    "locate",
    "unit_norm",
    "zero_pad",
]
