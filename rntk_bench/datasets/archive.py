"""The 128 datasets of the UCR archive: names, sizes, lengths and class counts.

The table is the UCR Time Series Classification Archive's own summary (H. A. Dau et al., "The UCR
Time Series Archive", 2018). `length` is the width of the archive's file: in datasets of
unequal length, every series may be shorter.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True)
class ArchiveEntry:
    """One row of the archive's summary."""

    n_train: int
    n_test: int
    length: int
    n_classes: int
    type: str
    n_dimensions: int = 1


def _read_table() -> dict[str, ArchiveEntry]:
    text = files("rntk_bench.datasets").joinpath("archive.csv").read_text(encoding="utf-8")
    return {
        row["dataset"]: ArchiveEntry(
            n_train=int(row["n_train"]),
            n_test=int(row["n_test"]),
            length=int(row["length"]),
            n_classes=int(row["n_classes"]),
            type=row["type"],
        )
        for row in csv.DictReader(text.splitlines())
    }


ARCHIVE: Mapping[str, ArchiveEntry] = MappingProxyType(_read_table())

# Datasets that sktime includes and that are not in the archive's table.
MULTIVARIATE = ("BasicMotions", "JapaneseVowels")


def close_matches(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Return up to `n` of the known names that are most similar to `name`, ignoring case."""
    spellings = {candidate.casefold(): candidate for candidate in known}
    return [spellings[match] for match in get_close_matches(name.casefold(), spellings, n)]
