from dataclasses import replace
from fractions import Fraction

import pytest

from rntk_bench.methods import display_name
from rntk_bench.report.results.results import collect_results
from rntk_bench.storage.records import protocol_id
from tests import factories as made


def record(dataset, method, correct=1, n=2, seed=0, day=1, fingerprint="f", grid=None):
    protocol = {"seed": seed} | ({"grid": grid} if grid else {})
    error = "it broke" if correct is None else None
    return replace(
        made.record(dataset, method, correct, n, error, protocol),
        data={"fingerprint": fingerprint},
        created=f"2024-01-{day:02d}T00:00:00+00:00",
    )


FIRST, SECOND = (protocol_id({"seed": seed}) for seed in (0, 1))


def test_methods_and_datasets_have_their_order():
    names = ["zebra", "gru", "poly", "ntk", "rnn-identity", "average", "rntk", "rnn-gaussian"]
    results = collect_results([record(name, name) for name in names])
    assert results.methods == [
        *("rntk", "ntk", "poly", "rnn-gaussian", "rnn-identity", "gru"),
        *("average", "zebra"),
    ]
    assert results.datasets == sorted(names)


def test_accuracies_are_exact():
    results = collect_results([record("Coffee", "rntk", 1, 3), record("Beef", "rntk", None)])
    assert results.accuracy == {("Coffee", "rntk"): Fraction(1, 3)}
    assert results.failed == {("Beef", "rntk")}


def test_a_preferred_protocol_comes_before_the_one_with_most_results():
    records = [
        record("Coffee", "rntk", 1, seed=0),
        record("Beef", "rntk", 1, seed=0),
        record("Coffee", "rntk", 2, seed=1),
        record("Coffee", "ntk", 1, seed=0),
    ]
    results = collect_results(records, preferred=[{"seed": 1}])
    assert results.accuracy == {
        ("Coffee", "rntk"): Fraction(1),
        ("Coffee", "ntk"): Fraction(1, 2),
    }
    assert results.records["Coffee", "rntk"].protocol == {"seed": 1}


def test_a_column_is_the_protocol_with_most_results():
    results = collect_results(
        [
            record("Coffee", "rntk", 1, seed=0, day=1),
            record("Beef", "rntk", 1, seed=0, day=1),
            record("Coffee", "rntk", 2, seed=1, day=9),
            record("Beef", "rntk", None, seed=1, day=9),
            record("Car", "rntk", None, seed=1, day=9),
        ]
    )
    assert results.datasets == ["Beef", "Coffee"]
    assert results.accuracy["Coffee", "rntk"] == Fraction(1, 2)
    assert results.records["Coffee", "rntk"].protocol == {"seed": 0}
    assert not results.failed
    assert results.notes == [
        f"Protocols: RNTK {FIRST}.",
        f"Other protocols, shown with --protocol: RNTK {SECOND} (datasets: 3).",
    ]


@pytest.mark.parametrize(("days", "winner"), [((1, 2), 1), ((2, 1), 0)])
def test_the_newer_protocol_wins_a_tie(days, winner):
    records = [record("Coffee", "rntk", seed, seed=seed, day=day) for seed, day in enumerate(days)]
    assert collect_results(records).accuracy["Coffee", "rntk"] == Fraction(winner, 2)


def test_each_method_has_its_own_protocol():
    results = collect_results([record("Coffee", "rntk", seed=0), record("Coffee", "ntk", seed=1)])
    assert len(results.accuracy) == 2
    assert results.notes == [f"Protocols: RNTK {FIRST}, NTK {SECOND}."]


def test_methods_that_saw_different_data_are_named():
    records = [
        record("Coffee", "rntk", fingerprint="a"),
        record("Coffee", "ntk", fingerprint="b"),
        record("Beef", "rntk", fingerprint="c"),
        record("Beef", "ntk", fingerprint="c"),
    ]
    assert (
        collect_results(records).notes[-1]
        == "The methods saw different copies of the data of Coffee."
    )


def test_other_methods_go_by_their_own_name():
    assert display_name("poly") == "Polynomial"
    assert display_name("rntk-avg") == "RNTK average"
    assert display_name("my-kernel") == "my-kernel"


WIDE, NARROW = {"width": [50, 100], "rate": [0.1, 0.2]}, {"width": [50], "rate": [0.1]}


def test_what_a_larger_grid_lacks_comes_from_a_smaller_one_and_is_marked():
    wide, narrow = (protocol_id({"seed": 0, "grid": grid}) for grid in (WIDE, NARROW))
    results = collect_results(
        [
            record("Coffee", "gru", 1, grid=WIDE, day=1),
            record("Coffee", "gru", 2, grid=NARROW, day=9),
            record("Ham", "gru", 2, grid=NARROW, day=9),
            record("Ham", "ntk", 0, grid=NARROW),
        ]
    )
    assert results.accuracy["Coffee", "gru"] == Fraction(1, 2)
    assert results.accuracy["Ham", "gru"] == 1
    assert results.smaller_grid == {("Ham", "gru")}
    assert results.notes == [
        f"Protocols: NTK {narrow}, GRU {wide}, GRU {narrow} (†: 1 of 4 settings).",
        f"Other protocols, shown with --protocol: GRU {narrow} (datasets: 1).",
    ]


def test_a_configuration_has_its_own_grid_and_others_where_it_lacks_one():
    records = [
        record("Coffee", "gru", 1, grid=WIDE, day=9),
        record("Coffee", "gru", 2, grid=NARROW, day=1),
        record("Ham", "gru", 1, grid=WIDE, day=9),
        record("Car", "gru", 1, grid=WIDE, day=1),
        record("Car", "gru", None, grid=NARROW, day=9),
    ]
    results = collect_results(records, preferred=[{"seed": 0, "grid": NARROW}])
    assert results.accuracy == {
        ("Coffee", "gru"): Fraction(1),
        ("Ham", "gru"): Fraction(1, 2),
        ("Car", "gru"): Fraction(1, 2),
    }
    assert results.smaller_grid == {("Coffee", "gru")}


def test_another_seed_is_never_filled_in_and_a_result_stands_before_a_failure():
    records = [
        record("Coffee", "gru", grid=WIDE),
        record("Ham", "gru", None, grid=WIDE),
        record("Ham", "gru", 2, grid=NARROW),
        record("Car", "gru", grid=NARROW, seed=1),
    ]
    results = collect_results(records)
    assert results.accuracy == {
        ("Coffee", "gru"): Fraction(1, 2),
        ("Ham", "gru"): Fraction(1),
    }
    assert not results.failed
    wide = [r for r in records if r.protocol == records[0].protocol]
    assert collect_results(wide).failed == {("Ham", "gru")}


def test_of_protocols_with_as_many_results_the_larger_grid_is_shown():
    records = [
        record("Coffee", "gru", 1, grid=WIDE, seed=0, day=1),
        record("Coffee", "gru", 2, grid=NARROW, seed=1, day=9),
    ]
    assert collect_results(records).accuracy["Coffee", "gru"] == Fraction(1, 2)
