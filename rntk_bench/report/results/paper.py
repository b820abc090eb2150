"""The numbers of the paper.

S. Alemohammad, Z. Wang, R. Balestriero, R. Baraniuk, "The Recurrent Neural Tangent Kernel",
ICLR 2021, https://arxiv.org/abs/2006.10246. `paper_table2.csv` holds its Table 2 as printed, in
percent, under the archive's spelling of the datasets.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from rntk_bench.methods import KERNEL_METHODS

# In this row of Table 2 the kernels' entries are multiples of 1/154 and the networks' of 1/291:
# two datasets' test sets share it.
SHARED_ROW = "MiddlePhalanxOutlineCorrect"
KERNELS_OF_SHARED_ROW = "MiddlePhalanxOutlineAgeGroup"


class PrintedSummary(NamedTuple):
    """A method's column of Table 1 as printed: percent, percent, mean rank of seven methods."""

    mean: str
    std: str
    rank: str


PRINTED_TABLE1 = {
    "rntk": PrintedSummary("80.44", "16.08", "2.35"),
    "ntk": PrintedSummary("78.29", "16.82", "2.96"),
    "rbf": PrintedSummary("78.46", "16.76", "2.90"),
    "poly": PrintedSummary("78.68", "16.58", "3.60"),
    "rnn-gaussian": PrintedSummary("57.34", "26.29", "5.81"),
    "rnn-identity": PrintedSummary("64.68", "18.11", "5.16"),
    "gru": PrintedSummary("70.58", "22.70", "4.15"),
}
METHODS = tuple(PRINTED_TABLE1)
KERNELS = tuple(method for method in METHODS if method in KERNEL_METHODS)


@cache
def printed_table2() -> dict[str, dict[str, Fraction]]:
    """Table 2 as printed: dataset, then method, to accuracy in percent."""
    source = files("rntk_bench.report.results").joinpath("paper_table2.csv")
    text = source.read_text(encoding="utf-8")
    return {
        row["dataset"]: {method: Fraction(row[method]) for method in METHODS}
        for row in csv.DictReader(text.splitlines())
    }


def paper_accuracy(dataset: str, method: str) -> Fraction | None:
    """Accuracy in percent that the paper reports, or None where it reports none."""
    if method in KERNELS and dataset == SHARED_ROW:
        return None
    if method in KERNELS and dataset == KERNELS_OF_SHARED_ROW:
        dataset = SHARED_ROW
    return printed_table2().get(dataset, {}).get(method)
