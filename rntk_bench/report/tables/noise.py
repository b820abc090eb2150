"""A table of how much of the methods' mean accuracies is chance."""

from __future__ import annotations

from fractions import Fraction

from rntk_bench.methods import display_name
from rntk_bench.report.results.noise import measure_noise
from rntk_bench.report.results.results import Results
from rntk_bench.report.tables.table import Cell, Column, Table

_SEEDS = "mean under the folds' seed"


def noise_table(results: Results, *, digits: int = 2) -> Table:
    """Mean accuracy of each method, its standard errors, and its value under each of the seeds."""
    noise, datasets = measure_noise(results)
    seeds = sorted({seed for of_method in noise.values() for seed in of_method.seeds})
    if len(seeds) == 1:  # its mean is the first column
        seeds = []
    first = display_name(next(iter(noise)))
    percent = f".{digits}f"

    def cell(value: Fraction | float | None, specification: str = percent) -> Cell:
        return Cell(None if value is None else 100 * value, specification)

    rows = []
    for method, of_method in noise.items():
        difference, error = of_method.difference or (None, None)
        rows.append(
            [
                Cell(display_name(method)),
                cell(of_method.mean),
                cell(of_method.test_error),
                cell(difference, f"+z.{digits}f"),
                cell(error),
                *(cell(of_method.seeds.get(seed)) for seed in seeds),
                *([cell(of_method.seed_std)] if seeds else []),
            ]
        )
    columns = [
        Column("method"),
        *(Column(title, "test sets") for title in ("mean", "se")),
        *(Column(title, f"against {first}") for title in ("mean", "se")),
        *(Column(str(seed), _SEEDS) for seed in seeds),
        *([Column("std", _SEEDS)] if seeds else []),
    ]
    notes = [
        "Test sets: the standard error that the mean has because the test sets are finite. Against "
        f"{first}: the mean difference on the same test series, and its standard error, which is "
        "at most this.",
    ]
    if seeds:
        notes.append(
            "Folds: the seed decides which series form a fold, and so which setting is chosen; std "
            "is between seeds."
        )
    caption = f"Chance in the mean test accuracy in percent, over {len(datasets)} datasets"
    return Table("Noise", caption, columns, rows, notes)
