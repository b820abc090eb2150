from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rntk_bench.report.results.join import join_published
from rntk_bench.report.results.published import PublishedColumn
from rntk_bench.report.results.resamples import average_resamples, mean_and_standard_error
from rntk_bench.report.results.results import collect_results
from rntk_bench.storage.records import protocol_id
from tests import factories as made

N = 40


def record(dataset, method, resample=0, correct=20, error=None, seed=0):
    protocol = {"seed": seed} | ({"resample": resample} if resample else {})
    return made.record(dataset, method, correct, N, error, protocol)


def averaged(*records):
    return average_resamples(collect_results(records))


def test_means_are_over_the_resamples_that_every_method_has():
    """Against NumPy, with numbers of right answers drawn at random."""
    rng = np.random.default_rng(0)
    correct = {
        (dataset, method, resample): int(rng.integers(0, N + 1))
        for dataset, of_dataset in (("Coffee", range(6)), ("Ham", range(3, 9)))
        for method, left_out in (("rntk", {1}), ("rbf", {4}), ("gru", set()))
        for resample in set(of_dataset) - left_out
    }
    results = averaged(*(record(*key, count) for key, count in correct.items()))
    for dataset, common in (("Coffee", (0, 2, 3, 5)), ("Ham", (3, 5, 6, 7, 8))):
        for method in ("rntk", "rbf", "gru"):
            values = np.array([correct[dataset, method, k] / N for k in common])
            key = dataset, method
            assert float(results.accuracy[key]) == pytest.approx(values.mean())
            expected = values.std(ddof=1) / np.sqrt(len(common))
            assert results.standard_error[key] == pytest.approx(expected)
            assert results.records[key].resample == common[0]
    assert results.notes[1:] == [
        "Means over the resamples that every method has, and their standard errors: 0, 2-3, 5 (4) "
        "of Coffee; 3, 5-8 (5) of Ham.",
        "Resamples that not every method has: Coffee (RNTK 4; RBF 1; GRU 1, 4), "
        "Ham (RNTK 4; GRU 4).",
    ]


def test_a_mean_is_exact_and_one_value_has_no_standard_error():
    third = Fraction(1, 3)
    assert mean_and_standard_error([third]) == (third, None)
    assert mean_and_standard_error([third] * 3) == (third, 0.0)
    results = averaged(record("Coffee", "rntk", 2), record("Coffee", "rbf", 2))
    assert results.accuracy == {
        ("Coffee", "rntk"): Fraction(1, 2),
        ("Coffee", "rbf"): Fraction(1, 2),
    }
    assert set(results.standard_error.values()) == {None}


def test_a_method_without_a_result_on_a_dataset_does_not_count_there():
    results = averaged(
        *(record("Coffee", "rntk", k) for k in (0, 1)),
        *(record("Ham", method, 1) for method in ("rntk", "rbf")),
    )
    assert results.accuracy.keys() == {("Coffee", "rntk"), ("Ham", "rntk"), ("Ham", "rbf")}
    assert results.standard_error["Coffee", "rntk"] == 0.0


def test_without_a_resample_in_common_there_is_no_result():
    results = averaged(record("Coffee", "rntk", 1), record("Coffee", "rbf", 2))
    assert results.accuracy == {}
    assert "standard errors: none." in results.notes[1]


def test_a_failed_resample_is_one_that_the_method_lacks():
    results = averaged(
        *(record("Coffee", "rntk", k) for k in (0, 1)),
        record("Coffee", "rbf", 0, 30),
        record("Coffee", "rbf", 1, error="it broke"),
    )
    assert results.accuracy["Coffee", "rbf"] == Fraction(3, 4)
    assert not results.failed
    assert averaged(record("Coffee", "rbf", 1, error="it broke")).failed == {("Coffee", "rbf")}


def test_resamples_share_one_column_and_another_seed_is_another_protocol():
    records = [
        *(record("Coffee", "rntk", k) for k in range(4)),
        *(record("Ham", "rntk", k) for k in (0, 2)),
        *(record("Coffee", "rntk", k, seed=1) for k in range(5)),
    ]
    results = collect_results(records)
    assert results.methods == ["rntk"]
    assert list(results.runs["Coffee", "rntk"]) == [0, 1, 2, 3]
    first, second = (protocol_id({"seed": seed}) for seed in (0, 1))
    assert results.notes == [
        f"Protocols: RNTK {first}.",
        f"Other protocols, shown with --protocol: RNTK {second} (datasets: 1).",
    ]


def test_two_resamples_are_not_different_copies_of_the_data():
    def of_data(fingerprint, *key):
        entry = record(*key)
        entry.data["fingerprint"] = fingerprint
        return entry

    same = [of_data(str(k), "Coffee", method, k) for k in (0, 1) for method in ("rntk", "rbf")]
    assert len(collect_results(same).notes) == 1
    other = of_data("2", "Coffee", "poly", 1)
    assert "different copies" in collect_results([*same, other]).notes[-1]


def test_published_resamples_count_like_one_s_own_and_single_numbers_stay():
    own = collect_results([record("Coffee", "rntk", k, 10 + k) for k in range(3)])
    quarter = Fraction(1, 4)
    with_resamples = PublishedColumn(
        "HC2",
        Path("HC2.csv"),
        False,
        Fraction(1, 10**12),
        {"Coffee": quarter},
        {"coffee": {0: quarter, 2: Fraction(1, 2), 5: Fraction(1)}},
    )
    single = PublishedColumn(
        "DTW", Path("some.csv"), False, Fraction(1, 10**12), {"Coffee": Fraction(3, 8)}
    )
    results = average_resamples(join_published(own, [with_resamples, single])[0])
    assert results.accuracy == {
        ("Coffee", "rntk"): Fraction(11, N),
        ("Coffee", "HC2"): Fraction(3, 8),
        ("Coffee", "DTW"): Fraction(3, 8),
    }
    assert results.standard_error["Coffee", "HC2"] == pytest.approx(0.125)
    assert ("Coffee", "DTW") not in results.standard_error
    assert results.notes[-1] == "One number per dataset, taken as it is: DTW."
