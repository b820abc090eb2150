"""Runs that are ended at random moments and started again lose nothing and leave nothing."""

import signal
import time

import lives
import numpy as np
import pytest

KILLS = 50
SIGNALS = 10


def snapshot(results):
    """Which file each record is."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in results.glob("*/*.json")}


def assert_as_undisturbed(plan, folder):
    assert lives.records(folder / "results") == plan.undisturbed
    assert lives.files(folder / "results") == set(plan.undisturbed)
    grams = lives.files(folder / "cache")
    assert grams
    assert all(name.endswith(".gram") for name in grams)


def test_killed_at_random_moments(plan, tmp_path):
    rng = np.random.default_rng(0)
    kills = rounds = 0
    while kills < KILLS:
        folder = tmp_path / str(rounds)
        stored = {}
        while True:
            life = lives.start(plan.arguments(folder), tmp_path / "log")
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
