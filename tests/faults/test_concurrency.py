"""Several processes that run one plan into the same folders share its cells."""

import fcntl
import json
import time

from tests.faults import process_harness

PROCESSES = 4


def test_four_processes_compute_each_evaluation_once(plan, tmp_path):
    logs = [tmp_path / f"log-{number}" for number in range(PROCESSES)]
    processes = [process_harness.start(plan.arguments(tmp_path, "-j", "1"), log) for log in logs]
    for process in processes:
        process.join(300)
    said = [log.read_text() for log in logs]
    assert [process.exitcode for process in processes] == [0] * PROCESSES, said
    lines = [line for text in said for line in text.splitlines() if ": test " in line]
    assert len(lines) == PROCESSES * len(plan.undisturbed)  # all saw all cells
    computed = [line.split(":")[0] for line in lines if not line.endswith("[kept]")]
    assert len(computed) == len(set(computed)) == len(plan.undisturbed)
    assert process_harness.records(tmp_path / "results") == plan.undisturbed
    assert process_harness.files(tmp_path / "results") == set(plan.undisturbed)
    assert all(name.endswith(".gram") for name in process_harness.files(tmp_path / "cache"))


def start_and_stop_within_an_evaluation(plan, folder):
    """A process that holds an evaluation which has no record yet, and does nothing."""
    process = process_harness.start(plan.arguments(folder), folder / "first")

    def begun():
        """Lock files of evaluations without a record."""
        return [
            lock
            for lock in folder.glob("results/*/.*.lock")
            if not lock.with_name(lock.stem.removeprefix(".") + ".json").exists()
        ]

    while True:
        assert process.is_alive()
        if begun():
            process_harness.signal(process, process_harness.STOP)
            time.sleep(0.05)  # until it has stopped
            if any(map(is_locked, begun())):
                return process
            process_harness.signal(process, process_harness.CONTINUE)


def is_locked(path):
    """Whether a process has locked a file, which it makes a moment before."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def wait_for_records(folder, number):
    deadline = time.monotonic() + 120
    while len(list(folder.glob("results/*/*.json"))) < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def computed(log):
    """How many evaluations a process computed itself."""
    lines = [line for line in log.read_text().splitlines() if ": test " in line]
    return sum(not line.endswith("[kept]") for line in lines)


def test_nobody_waits_while_there_is_an_evaluation_that_nobody_computes(plan, tmp_path):
    first = start_and_stop_within_an_evaluation(plan, tmp_path)
    begun = len(list(tmp_path.glob("results/*/*.json")))
    second = process_harness.start(plan.arguments(tmp_path), tmp_path / "second")
    wait_for_records(tmp_path, len(plan.undisturbed) - 1)
    process_harness.signal(first, process_harness.CONTINUE)
    for process in (first, second):
        process.join(120)
        assert process.exitcode == 0
    assert computed(tmp_path / "first") == begun + 1
    assert computed(tmp_path / "second") == len(plan.undisturbed) - begun - 1
    assert process_harness.records(tmp_path / "results") == plan.undisturbed


def test_an_evaluation_whose_process_is_killed_is_taken_over(plan, tmp_path):
    first = start_and_stop_within_an_evaluation(plan, tmp_path)
    second = process_harness.start(plan.arguments(tmp_path), tmp_path / "second")
    wait_for_records(tmp_path, len(plan.undisturbed) - 1)
    second.join(0.3)
    assert second.is_alive()  # it waits for the last
    first.kill()
    second.join(120)
    assert second.exitcode == 0
    assert process_harness.records(tmp_path / "results") == plan.undisturbed
    assert process_harness.files(tmp_path / "results") == set(plan.undisturbed)


def test_what_two_processes_recompute_agrees(plan, tmp_path):
    logs = [tmp_path / f"log-{number}" for number in range(2)]
    more = ("--overwrite", "always")
    for process in [process_harness.start(plan.arguments(tmp_path, *more), log) for log in logs]:
        process.join(300)
        assert process.exitcode == 0
    assert process_harness.records(tmp_path / "results") == plan.undisturbed
    for path in tmp_path.glob("results/*/*.json"):
        json.loads(path.read_text())
