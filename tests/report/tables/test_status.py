from dataclasses import replace

import pytest

from rntk_bench.config import Experiment
from rntk_bench.methods import METHODS
from rntk_bench.report.tables.status import STATES, count_states, evaluation_states, status_table
from rntk_bench.storage.checkpoint import Checkpoint
from rntk_bench.storage.records import protocol_id, read_records, record_path, write_record
from tests import factories as made

PROTOCOL = METHODS["rbf"].protocol(Experiment())


def record(dataset, protocol=PROTOCOL, error=None):
    return made.record(dataset, "rbf", protocol=protocol, error=error)


def state(folder, dataset="Ham", method="rbf", protocol=PROTOCOL):
    records, _ = read_records(folder)
    (cell,) = evaluation_states(folder, records, [dataset], {method: protocol})
    assert (cell.dataset, cell.method, cell.protocol) == (dataset, method, protocol_id(protocol))
    return cell.state, cell.reason


def test_nothing_is_missing_and_a_record_is_done(tmp_path):
    assert state(tmp_path) == ("missing", "")
    write_record(tmp_path, record("Ham"))
    assert state(tmp_path) == ("done", "")
    assert state(tmp_path, "Meat") == ("missing", "")


def test_a_failed_record_says_why(tmp_path):
    write_record(tmp_path, record("Ham", error="it broke"))
    assert state(tmp_path) == ("failed", "it broke")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 1}, "seed"),
        ({"seed": 1, "n_folds": 3}, "n_folds, seed"),
        ({"grid": {"alpha": [1.0]}}, "grid.alpha"),
        ({"tolerance": 1}, "tolerance"),
    ],
)
def test_a_record_of_another_protocol_is_stale_and_the_difference_is_named(tmp_path, changes, said):
    write_record(tmp_path, record("Ham", PROTOCOL | changes))
    assert state(tmp_path) == ("stale", f"differs in {said}")
    write_record(tmp_path, record("Ham"))
    assert state(tmp_path) == ("done", "")


def test_the_nearest_of_several_protocols_is_compared(tmp_path):
    write_record(tmp_path, record("Ham", PROTOCOL | {"seed": 1, "n_folds": 3}))
    write_record(tmp_path, record("Ham", PROTOCOL | {"n_folds": 3}))
    assert state(tmp_path) == ("stale", "differs in n_folds")


def test_numbers_that_are_equal_but_make_another_protocol_are_a_difference(tmp_path):
    whole = PROTOCOL | {"C": [0.01, 0.1, 1, 10.0, 100.0]}
    assert whole == PROTOCOL
    write_record(tmp_path, record("Ham", whole))
    assert state(tmp_path) == ("stale", "differs in C")


def test_a_record_that_cannot_be_read_is_stale(tmp_path):
    path = write_record(tmp_path, record("Ham"))
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 0'))
    assert state(tmp_path) == ("stale", "cannot be read")
    path.rename(path.with_name("rbf-0123abcd.json"))
    assert state(tmp_path) == ("stale", "cannot be read")


def test_a_record_of_a_method_whose_name_begins_the_same_is_not_taken_for_it(tmp_path):
    folder = tmp_path / "Ham"
    folder.mkdir()
    (folder / "rntk-avg-0123abcd.json").write_text("{}")
    assert state(tmp_path, method="rntk") == ("missing", "")


def test_a_checkpoint_is_an_interrupted_evaluation_unless_there_is_a_record(tmp_path):
    method = METHODS["gru"]
    protocol = method.protocol(Experiment())
    path = record_path(tmp_path, "Ham", "gru", protocol)
    journal = Checkpoint(path.with_suffix(".partial"), {})
    for fold in range(3):
        journal.append({"fold": fold})
    with path.with_suffix(".partial").open("ab") as file:
        file.write(b"half a li")
    reason = "3 of at most 160 runs are finished"
    assert state(tmp_path, method="gru", protocol=protocol) == ("interrupted", reason)
    write_record(tmp_path, replace(record("Ham", protocol), method="gru"))
    assert state(tmp_path, method="gru", protocol=protocol) == ("done", "")


def test_the_table_has_one_row_per_dataset_and_says_why(tmp_path):
    write_record(tmp_path, record("Ham"))
    write_record(tmp_path, record("Meat", error="it broke"))
    for dataset in ("Coffee", "UMD"):
        write_record(tmp_path, record(dataset, PROTOCOL | {"seed": 1}))
    records, _ = read_records(tmp_path)
    names = ["UMD", "Meat", "Ham", "Coffee", "Beef"]
    protocols = {"rbf": PROTOCOL, "ntk": METHODS["ntk"].protocol(Experiment())}
    states = evaluation_states(tmp_path, records, names, protocols)
    counts = count_states(states)
    assert list(counts) == list(STATES)
    assert counts == {"done": 1, "failed": 1, "interrupted": 0, "stale": 2, "missing": 6}
    table = status_table(states)
    assert table.caption == "1 of 10 evaluations are done, 1 failed, 2 stale, 6 missing"
    assert [str(column) for column in table.columns] == ["dataset", "rbf", "ntk"]
    assert [[cell.value for cell in row] for row in table.rows] == [
        ["UMD", "stale", "missing"],
        ["Meat", "failed", "missing"],
        ["Ham", "done", "missing"],
        ["Coffee", "stale", "missing"],
        ["Beef", "missing", "missing"],
    ]
    assert table.notes == [
        "failed: Meat rbf, it broke",
        "stale: rbf differs in seed (datasets: 2)",
    ]


def of_resample(resample):
    return PROTOCOL | {"resample": resample}


def test_each_resample_has_its_own_state(tmp_path):
    write_record(tmp_path, record("Ham", of_resample(1)))
    write_record(tmp_path, record("Ham", of_resample(2), error="it broke"))
    write_record(tmp_path, record("Ham", of_resample(3) | {"seed": 1}))
    path = write_record(tmp_path, record("Ham", of_resample(4)))
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 0'))
    records, _ = read_records(tmp_path)
    states = evaluation_states(tmp_path, records, ["Ham"], {"rbf": PROTOCOL}, range(6))
    assert [(each.resample, each.state, each.reason) for each in states] == [
        (0, "missing", ""),
        (1, "done", ""),
        (2, "failed", "it broke"),
        (3, "stale", "differs in seed"),
        (4, "stale", "cannot be read"),
        (5, "missing", ""),
    ]
    table = status_table(states)
    assert [cell.text() for cell in table.rows[0]] == ["Ham", "1 of 6 done"]
    assert table.notes == [
        "failed: Ham rbf resample 2, it broke",
        "stale: rbf differs in seed (datasets: 1)",
        "stale: rbf cannot be read (datasets: 1)",
    ]
