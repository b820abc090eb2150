"""Means of accuracies over the resamples of each dataset."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from rntk_bench.methods import display_name
from rntk_bench.report.results.names import abbreviate_list, format_ranges
from rntk_bench.report.results.results import Results


def average_resamples(results: Results) -> Results:
    """Replace each accuracy by its mean over the resamples that every method of its dataset has.

    A method without any result on a dataset does not count there. Published accuracies that are one
    number per dataset stay as they are.

    Parameters
    ----------
    results : Results
        With `by_resample`.

    Returns
    -------
    Results
        With `standard_error`, and notes on the resamples.
    """
    accuracy = {
        key: value for key, value in results.accuracy.items() if key not in results.by_resample
    }
    standard_error: dict[tuple[str, str], float | None] = {}
    records = dict(results.records)
    common: dict[str, tuple[int, ...]] = {}
    for dataset in results.datasets:
        found = {
            method: results.by_resample[dataset, method]
            for method in results.methods
            if (dataset, method) in results.by_resample
        }
        shared = set.intersection(*map(set, found.values())) if found else set()
        common[dataset] = tuple(sorted(shared))
        for method, scores in found.items():
            if not shared:
                continue
            key = dataset, method
            values = [scores[resample] for resample in common[dataset]]
            accuracy[key], standard_error[key] = mean_and_standard_error(values)
            if key in results.runs:
                records[key] = results.runs[key][common[dataset][0]]
    return replace(
        results,
        accuracy=accuracy,
        standard_error=standard_error,
        records=records,
        notes=[*results.notes, *_notes(results, common)],
    )


def mean_and_standard_error(values: Sequence[Fraction]) -> tuple[Fraction, float | None]:
    """The mean, and its standard error (with n - 1), which one value alone does not have."""
    if len(values) < 2:
        return statistics.mean(values), None
    return statistics.mean(values), float(statistics.stdev(values)) / math.sqrt(len(values))


def _notes(results: Results, common: dict[str, tuple[int, ...]]) -> list[str]:
    """Which resamples the means are over, and which were left out."""
    datasets: dict[str, list[str]] = defaultdict(list)
    left_out: dict[str, list[str]] = defaultdict(list)
    for dataset, shared in common.items():
        datasets[f"{format_ranges(shared)} ({len(shared)})" if shared else "none"].append(dataset)
        for method in results.methods:
            extra = results.by_resample.get((dataset, method), {}).keys() - set(shared)
            if extra:
                left_out[dataset].append(f"{display_name(method)} {format_ranges(extra)}")
    means = "; ".join(
        resamples if len(datasets) == 1 else f"{resamples} of {abbreviate_list(names)}"
        for resamples, names in datasets.items()
    )
    notes = [f"Means over the resamples that every method has, and their standard errors: {means}."]
    if left_out:
        listed = [f"{name} ({'; '.join(extra)})" for name, extra in left_out.items()]
        notes.append(f"Resamples that not every method has: {abbreviate_list(listed)}.")
    single = [
        display_name(method)
        for method in results.published
        if not any((dataset, method) in results.by_resample for dataset in results.datasets)
    ]
    if single:
        notes.append(f"One number per dataset, taken as it is: {', '.join(single)}.")
    return notes
