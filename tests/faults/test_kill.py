"""Runs that are ended at random moments and started again lose nothing and leave nothing."""

import json
import signal
import time

import numpy as np
import pytest

from rntk_bench.storage.locks import is_locked
from tests.faults import process_harness
from tests.faults.conftest import SEED, scaled, write_dataset

KILLS = scaled(50)
SIGNALS = scaled(10)


def snapshot(results):
    """Which file each record is."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in results.glob("*/*.json")
    }


def assert_as_undisturbed(plan, folder):
    assert process_harness.records(folder / "results") == plan.undisturbed
    assert process_harness.files(folder / "results") == set(plan.undisturbed)
    grams = process_harness.files(folder / "cache")
    assert grams
    assert all(name.endswith(".gram") for name in grams)


def test_killed_at_random_moments(plan, tmp_path):
    rng = np.random.default_rng(SEED)
    kills = rounds = 0
    while kills < KILLS:
        folder = tmp_path / str(rounds)
        stored = {}
        while True:
            life = process_harness.start(plan.arguments(folder), tmp_path / "log")
            life.join(rng.exponential(plan.seconds / 3) if kills < KILLS else None)
            life.kill()
            life.join()
            seen = snapshot(folder / "results")
            assert stored.items() <= seen.items()  # none lost, none computed again
            stored = seen
            if life.exitcode != -signal.SIGKILL:
                break
            kills += 1
        assert life.exitcode == 0
        assert_as_undisturbed(plan, folder)
        rounds += 1
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
def test_stopped_at_random_moments(plan, tmp_path, number, code):
    rng = np.random.default_rng([SEED, number])
    stops = rounds = 0
    while stops < SIGNALS:
        folder = tmp_path / str(rounds)
        stored = {}
        while True:
            log = tmp_path / f"{rounds}-{stops}.log"
            life = process_harness.start(plan.arguments(folder), log)
            while not log.with_suffix(".begun").exists() and life.is_alive():
                time.sleep(0.001)
            life.join(rng.exponential(plan.seconds / 3) if stops < SIGNALS else None)
            if life.is_alive():
                process_harness.signal(life, number)
            life.join(60)
            seen = snapshot(folder / "results")
            assert stored.items() <= seen.items()
            stored = seen
            said = log.read_text()
            # An interrupt just after a file was made may leave it, for the next run to sweep.
            left = [
                name for name in process_harness.files(folder) if name.endswith((".tmp", ".lock"))
            ]
            assert not any(is_locked(folder / name) for name in left)
            if len(seen) == len(plan.undisturbed):  # done, or stopped while it ended
                break
            assert "Traceback" not in said
            assert life.exitcode == code, said
            told = said.splitlines()[-1]
            assert told.startswith("Interrupted: ")
            assert (
                f"of 12 evaluations are finished and kept in {folder / 'results'}; the same" in told
            )
            assert int(told.split()[1]) == len(seen)
            stops += 1
        assert process_harness.whole(plan.arguments(folder), tmp_path / "last")[0] == 0
        assert_as_undisturbed(plan, folder)
        rounds += 1


NETWORKS = """
[network]
max_epochs = 200
patience = 200
n_folds = 3
[grid.gru]
n_layers = [1]
width = [16]
learning_rate = [0.1, 0.01, 0.001, 0.0001]
"""


def test_a_network_goes_on_with_the_runs_that_are_missing(tmp_path):
    write_dataset(tmp_path / "data", "A", n=60, length=60)  # so that a run takes a while
    config = tmp_path / "networks.toml"
    config.write_text(NETWORKS)

    def begin(folder):
        arguments = (
            *("run", "-d", "A", "-m", "gru", "-c", config, "--data-dir", tmp_path / "data"),
            *("--results", folder, "-j", "1", "--no-prune"),
        )
        return process_harness.start(arguments, log)

    def journal():
        """The runs that are kept."""
        lines = [line for path in disturbed.glob("A/*.partial") for line in _lines(path)]
        return [json.loads(line.partition(b" ")[2]) for line in lines[1:]]

    log, disturbed = tmp_path / "log", tmp_path / "disturbed"
    undisturbed = begin(tmp_path / "undisturbed")
    undisturbed.join(120)
    assert undisturbed.exitcode == 0
    finished = []
    for number, code in ((signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        enough = len(finished) + 3
        life = begin(disturbed)
        while len(journal()) < enough:
            assert life.is_alive()
            time.sleep(0.002)
        process_harness.signal(life, number)
        life.join(60)
        assert life.exitcode == code
        assert journal()[: len(finished)] == finished
        finished = journal()
        assert enough <= len(finished) < 12
    life = begin(disturbed)
    kept = finished
    while life.is_alive():
        kept = journal() or kept
        time.sleep(0.002)
    assert life.exitcode == 0
    assert kept[: len(finished)] == finished
    said = log.read_text()
    assert "Traceback" not in said
    assert said.count("0 of 1 evaluations are finished") == 1  # by the one that could still speak
    assert process_harness.records(disturbed) == process_harness.records(tmp_path / "undisturbed")
    assert process_harness.files(disturbed) == process_harness.files(tmp_path / "undisturbed")


def _lines(path):
    """Whole lines of a file that may be written to, or be gone."""
    try:
        return path.read_bytes().splitlines(keepends=True)[:-1] or []
    except FileNotFoundError:
        return []


def test_curves_go_on_with_the_repeats_that_are_missing(tmp_path):
    rng = np.random.default_rng([SEED, 2])

    def arguments(folder):
        return (
            *("regress", "sine", "--repeats", 40, "--value", 0, "--value", 20, "-q"),
            *("-m", "rbf", "-m", "poly", "-j", 1, "--out", folder),
        )

    started = time.monotonic()
    assert process_harness.whole(arguments(tmp_path / "undisturbed"), tmp_path / "log") == (0, "")
    seconds = time.monotonic() - started
    kills, most = 0, 0
    out = tmp_path / "disturbed"
    while True:
        life = process_harness.start(arguments(out), tmp_path / "log")
        life.join(rng.exponential(seconds / 3) if kills < 6 else None)
        life.kill()
        life.join()
        if life.exitcode != -signal.SIGKILL:
            break
        kills += 1
        for partial in out.glob("sine-length-*.partial"):
            done = partial.read_bytes().count(b"\n")
            assert done >= most
            most = done
    assert life.exitcode == 0
    assert kills
    assert process_harness.files(out) == process_harness.files(tmp_path / "undisturbed")
    for name in process_harness.files(out):
        assert (out / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
