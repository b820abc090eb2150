import itertools
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rntk_bench.errors import InputError
from rntk_bench.report.results.noise import binomial_error, measure_noise, paired_difference
from rntk_bench.report.results.results import collect_results
from rntk_bench.report.tables.noise import noise_table
from rntk_bench.storage.integers import pack_integers
from tests import factories as made


def record(dataset, method, right, seed=0):
    """A record of two classes whose test series are all of class 1."""
    right = list(map(int, right))
    entry = made.record(dataset, method, sum(right), len(right), protocol={"seed": seed})
    return replace(
        entry,
        test={**entry.test, "predictions": pack_integers(np.array(right))},
        data={"fingerprint": "f"},
    )


def test_the_binomial_error_is_that_of_all_possible_test_sets():
    p, sizes = [Fraction(2, 3), Fraction(1, 4)], [3, 2]
    mean = square = 0.0
    for outcome in itertools.product([0, 1], repeat=sum(sizes)):
        first, second = outcome[:3], outcome[3:]
        chance = math.prod(float(p[0] if x else 1 - p[0]) for x in first)
        chance *= math.prod(float(p[1] if x else 1 - p[1]) for x in second)
        value = (sum(first) / 3 + sum(second) / 2) / 2
        mean, square = mean + chance * value, square + chance * value**2
    assert binomial_error(p, sizes) == pytest.approx(math.sqrt(square - mean**2), rel=1e-12)


def test_a_paired_error_is_that_of_the_mean_of_the_series_differences():
    rng = np.random.default_rng(0)
    ours, theirs = rng.integers(0, 2, (2, 40)), rng.integers(0, 2, (2, 40))
    pairs = [("Coffee", ours[0], theirs[0]), ("Ham", ours[1], theirs[1])]
    difference, error = paired_difference(
        [record(name, "ntk", a) for name, a, _ in pairs],
        [record(name, "rntk", b) for name, _, b in pairs],
    )
    of_series = [(a - b) for _, a, b in pairs]
    assert difference == pytest.approx(np.mean([d.mean() for d in of_series]))
    variance = sum(d.var() / len(d) for d in of_series) / 2**2
    assert error == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_seeds_count_where_every_dataset_has_them():
    results = collect_results(
        [
            record("Coffee", "rntk", "1100"),
            record("Ham", "rntk", "11"),
            record("Coffee", "rntk", "1110", seed=1),
            record("Ham", "rntk", "10", seed=1),
            record("Coffee", "rntk", "1111", seed=2),
            record("Coffee", "ntk", "1000"),
            record("Ham", "ntk", "11"),
        ],
        preferred=[{"seed": 0}],
    )
    noise, datasets = measure_noise(results)
    assert datasets == ["Coffee", "Ham"]
    assert noise["rntk"].seeds == {0: Fraction(3, 4), 1: Fraction(5, 8)}
    assert noise["rntk"].seed_std == pytest.approx(math.sqrt(2) / 16)
    assert noise["rntk"].difference is None
    assert noise["ntk"].seed_std is None
    assert noise["ntk"].difference == pytest.approx((-0.125, math.sqrt((1 - 0.25) / 16) / 2))


def test_the_table_has_a_column_for_each_seed():
    entries = [record("Coffee", "rntk", "1110", seed=seed) for seed in (0, 3)]
    table = noise_table(collect_results(entries))
    assert [str(column) for column in table.columns][5:] == [
        "mean under the folds' seed 0",
        "mean under the folds' seed 3",
        "mean under the folds' seed std",
    ]
    shown = [cell.text() for cell in table.rows[0]]
    assert shown == ["RNTK", "75.00", "21.65", "–", "–", "75.00", "75.00", "0.00"]


def test_one_seed_has_no_column_and_no_note():
    table = noise_table(collect_results([record("Coffee", "rntk", "1110")]))
    assert [str(column) for column in table.columns][-1] == "against RNTK se"
    assert not any("seed" in note for note in table.notes)


def test_without_a_common_dataset_there_is_nothing_to_measure():
    results = collect_results([record("Coffee", "rntk", "10"), record("Ham", "ntk", "10")])
    with pytest.raises(InputError, match="No dataset has a result of every method"):
        measure_noise(results)


def test_without_predictions_there_is_no_paired_difference():
    entries = [made.record("Coffee", name, 1, 2, protocol={"seed": 0}) for name in ("rntk", "ntk")]
    noise, _ = measure_noise(collect_results(entries))
    assert noise["ntk"].difference is None


def test_a_protocol_without_a_seed_has_no_means_under_seeds():
    noise, _ = measure_noise(collect_results([made.record("Coffee", "own", 1, 2)]))
    assert noise["own"].mean == Fraction(1, 2)
    assert noise["own"].seeds == {}
