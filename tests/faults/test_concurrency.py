"""Several processes that run one plan into the same folders share its cells."""

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


def test_every_process_gets_a_share(plan, tmp_path):
    """Nobody waits while there is a cell that nobody computes."""
    logs = [tmp_path / f"log-{number}" for number in range(2)]
    more = ("-j", "1", "--no-cache", "--no-prune")
    processes = [process_harness.start(plan.arguments(tmp_path, *more), log) for log in logs]
    for process in processes:
        process.join(300)
    shares = [
        sum(
            ": test " in line and not line.endswith("[kept]")
            for line in log.read_text().splitlines()
        )
        for log in logs
    ]
    assert sum(shares) == len(plan.undisturbed)
    assert min(shares) >= 2


def test_an_evaluation_whose_process_is_killed_is_taken_over(plan, tmp_path):
    first = process_harness.start(plan.arguments(tmp_path), tmp_path / "first")
    results = tmp_path / "results"

    def locked():
        """Evaluations that are locked and have no record yet."""
        return [
            lock
            for lock in results.glob("*/.*.lock")
            if not lock.with_name(lock.stem.removeprefix(".") + ".json").exists()
        ]

    while True:
        assert first.is_alive()
        if locked():
            process_harness.signal(first, process_harness.STOP)
            time.sleep(0.05)  # until it has stopped
            if locked():
                break  # it holds an evaluation and does nothing
            process_harness.signal(first, process_harness.CONTINUE)
    second = process_harness.start(plan.arguments(tmp_path), tmp_path / "second")
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("results/*/*.json"))) < len(plan.undisturbed) - 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
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
