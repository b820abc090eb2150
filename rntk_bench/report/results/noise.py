"""How much of a mean accuracy is chance: the size of the test sets, and the seed of the folds."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from rntk_bench.errors import InputError
from rntk_bench.report.results.record_details import predicted_classes
from rntk_bench.report.results.results import Results, id_without
from rntk_bench.storage.records import Record


@dataclass(frozen=True)
class Noise:
    """The mean accuracy of one method over the datasets that all methods have, and its errors.

    Attributes
    ----------
    mean : Fraction
        Of the protocol that the results show.
    test_error : float
        Standard error of the mean from the finite test sets.
    difference : pair of float or None
        Mean difference from the first method, and its standard error from the finite test sets,
        which the two methods share; None for the first method and for published accuracies.
    seeds : dict of int to Fraction
        The mean under each seed that has results on all these datasets.
    """

    mean: Fraction
    test_error: float
    difference: tuple[float, float] | None = None
    seeds: dict[int, Fraction] = field(default_factory=dict)

    @property
    def seed_std(self) -> float | None:
        """Sample standard deviation (ddof = 1) of the mean between seeds; None for one seed."""
        return float(statistics.stdev(self.seeds.values())) if len(self.seeds) > 1 else None


def measure_noise(results: Results) -> tuple[dict[str, Noise], list[str]]:
    """The noise of each method's mean over the archive's splits.

    Returns
    -------
    noise : dict of method to Noise
    datasets : list of str
        Those with a result of every method.

    Raises
    ------
    InputError
        No dataset has a result of every method.
    """
    methods, datasets = results.complete()
    if not datasets:
        raise InputError("No dataset has a result of every method; choose methods that share some.")
    noise = {}
    reference = _records_of(results, methods[0], datasets)
    for method in methods:
        accuracies = [results.accuracy[dataset, method] for dataset in datasets]
        own = _records_of(results, method, datasets)
        paired = bool(own and reference) and method != methods[0]
        noise[method] = Noise(
            statistics.mean(accuracies),
            binomial_error(accuracies, [results.n_test[dataset] for dataset in datasets]),
            paired_difference(own, reference) if paired else None,
            _means_by_seed(own, results.selected),
        )
    return noise, datasets


def binomial_error(accuracies: Sequence[Fraction], sizes: Sequence[int]) -> float:
    """Standard error of a mean of D accuracies p on test sets of n series: sqrt(sum p(1-p)/n) / D.

    The test series of a dataset are taken as independent draws.
    """
    variance = sum(p * (1 - p) / n for p, n in zip(accuracies, sizes, strict=True))
    return math.sqrt(variance) / len(accuracies)


def paired_difference(
    records: Sequence[Record], others: Sequence[Record]
) -> tuple[float, float] | None:
    """Mean difference of two methods' accuracies over D datasets, and its standard error.

    On a test set of n series, of which one method alone has b right and the other alone c, the
    difference is (b - c) / n with the variance (b + c - (b - c)^2 / n) / n^2, as in McNemar's test.
    Records hold no true classes: b + c is taken to be the number of series that the two methods
    predict differently, which it is for two classes and at most is for more. None if a record has
    no predictions.
    """
    total, variance = 0.0, 0.0
    for record, other in zip(records, others, strict=True):
        assert record.test is not None
        assert other.test is not None
        ours, theirs = predicted_classes(record), predicted_classes(other)
        if ours is None or theirs is None:
            return None
        n, b_minus_c = record.test["n"], record.test["correct"] - other.test["correct"]
        n_differing = int((ours != theirs).sum())
        total += b_minus_c / n
        variance += (n_differing - b_minus_c**2 / n) / n**2
    return total / len(records), math.sqrt(variance) / len(records)


def _records_of(results: Results, method: str, datasets: Sequence[str]) -> list[Record]:
    """The records of a method on these datasets; none for a published method."""
    keys = [(dataset, method) for dataset in datasets]
    return [results.records[key] for key in keys if key in results.records]


def _means_by_seed(chosen: Sequence[Record], records: Sequence[Record]) -> dict[int, Fraction]:
    """The mean over the chosen records' datasets for each seed with results on all of them.

    A protocol of one's own may have no seed; its records are not counted.
    """
    wanted = set(map(_without_seed, chosen))
    found: dict[int, dict[str, Fraction]] = defaultdict(dict)
    for record in records:
        seed = record.protocol.get("seed")
        if seed is None or record.resample or record.test is None:
            continue
        if _without_seed(record) in wanted:
            score = Fraction(record.test["correct"], record.test["n"])
            found[seed][record.dataset] = score
    return {
        seed: statistics.mean(scores.values())
        for seed, scores in sorted(found.items())
        if len(scores) == len(chosen)
    }


def _without_seed(record: Record) -> tuple[str, str, str]:
    return record.dataset, record.method, id_without("seed", record.protocol)
