import json
import os
import platform
from pathlib import Path

import numpy as np

from rntk_bench.storage.environment import environment, source_digest
from rntk_bench.version import __version__
from tests.paths import ROOT


def test_it_names_versions_and_machine():
    found = environment()
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == np.__version__
    assert found["code"] == source_digest(ROOT / "rntk_bench")[:12]
    assert 1 <= found["cores"] <= os.cpu_count()
    assert found["cpu"] or not Path("/proc/cpuinfo").exists()


def test_it_is_json_and_names_neither_host_nor_folder():
    text = json.dumps(environment(), allow_nan=False)
    assert platform.node() not in text
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr("rntk_bench.storage.environment._PACKAGES", ("no-such-package",))
    packages = {"rntk-bench": __version__, "no-such-package": None}
    assert environment()["packages"] == packages


def test_a_package_of_other_source_has_another_digest(tmp_path):
    source = tmp_path / "inner" / "part.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    (tmp_path / "data.txt").write_text("not code")
    before = source_digest(tmp_path)
    (tmp_path / "data.txt").write_text("still not")
    assert source_digest(tmp_path) == before
    source.write_text("x = 2\n")
    assert source_digest(tmp_path) != before
