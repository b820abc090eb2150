import json
import os
import platform
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.environment import environment
from rntk_bench.storage.installation import extras
from tests.paths import ROOT


def env(*arguments):
    outcome = CliRunner().invoke(main, ["env", *map(str, arguments)], catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.stdout


def test_text_names_versions_machine_extras_and_folders(tmp_path, write_dataset):
    data = write_dataset("Mine")
    (data / "Mine" / "Mine_TRAIN.ts").touch()
    write_dataset("Other")
    text = re.sub(r"\n +", " ", env("--data-dir", data, "--results", tmp_path / "runs"))
    lines = {line[:17].strip(): line[17:] for line in text.splitlines()}
    assert lines["python"].startswith(platform.python_version())
    assert f"{environment()['cores']} cores" in lines["processor"]
    assert f"numpy {np.__version__}" in text
    assert set(extras()) <= set(lines)
    assert lines["data"] == f"{data}, 2 datasets"
    assert lines["results"] == f"{tmp_path / 'runs'}, does not exist yet"
    assert lines["BLAS"]
    assert lines["networks"] == "trained by numba on cpu"


def test_json_begins_with_what_records_hold(tmp_path):
    found = json.loads(env("--json", "--cache-dir", tmp_path))
    assert found.items() >= environment().items()
    assert found["folders"]["data"] is None
    downloads = {"path": str(tmp_path / "datasets"), "files": None}
    assert found["folders"]["downloads"] == downloads
    assert found["extras"] == extras()
    assert found["loops"]["folder"].endswith("__pycache__")
    assert found["networks"] == {"device": "cpu", "trainer": "numba"}
    assert all(pool["threads"] >= 1 for pool in found["blas"])
    assert not list(tmp_path.iterdir())


def test_what_lacks_is_said_with_how_to_install_it(monkeypatch):
    lacking = {"figures": {"matplotlib": None}, "finite": {"jax": "1", "optax": "2"}}
    monkeypatch.setattr("rntk_bench.storage.installation.extras", lambda: lacking)
    text = env()
    assert "extra, lacks matplotlib; pip install 'rntk-bench[figures]'" in text
    assert "extra, jax 1, optax 2" in text


def test_variables_that_bear_on_speed_are_named(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert "OMP_NUM_THREADS=1" in env()


def test_the_home_folder_is_not_named_in_text(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    arguments = ("--cache-dir", tmp_path / "cache", "--results", tmp_path / "runs")
    text = env(*arguments)
    assert str(tmp_path) not in text
    assert "~/cache/datasets" in text
    assert str(tmp_path) in env("--json", *arguments)


@pytest.mark.parametrize(
    ("variables", "problem", "loops"),
    [
        ({"NUMBA_DISABLE_JIT": "1", "HOME": "file"}, "NUMBA_DISABLE_JIT is set", "not cached"),
        ({"NUMBA_CACHE_DIR": "open"}, "Other users may write to NUMBA_CACHE_DIR", "not cached"),
        ({"NUMBA_NUM_THREADS": "0", "LC_ALL": "xx"}, "loops: ValueError", "not known"),
        ({"LOKY_MAX_CPU_COUNT": "many", "HOME": ""}, "threads: ValueError", "cached in"),
    ],
    ids=lambda value: next(iter(value), None) if isinstance(value, dict) else None,
)
def test_under_odd_conditions_it_says_what_is_odd(tmp_path, variables, problem, loops):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "file").touch()
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "-m", "rntk_bench", "env", "--results", "runs"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")
    text = re.sub(r"\n +", " ", outcome.stdout)
    lines = [(line[:17].strip(), line[17:]) for line in text.splitlines()]
    assert loops in dict(lines)["loops"]
    assert problem in dict(reversed(lines))["problem"]  # the first
    assert dict(lines)["results"] == "runs, does not exist yet"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "open"]


def test_foreign_files_are_not_counted(tmp_path):
    for name in ("Coffee/rbf-01234567.json", "Coffee/._rbf-01234567.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert f"{tmp_path}, 1 records" in env("--results", tmp_path)
