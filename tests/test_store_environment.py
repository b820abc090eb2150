import json
import os
import platform
from pathlib import Path

import numpy as np

from rntk_bench.store.environment import environment


def test_it_names_versions_and_machine():
    found = environment()
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == np.__version__
    assert 1 <= found["cores"] <= os.cpu_count()
    assert found["cpu"] or not Path("/proc/cpuinfo").exists()


def test_it_is_json_and_names_neither_host_nor_folder():
    text = json.dumps(environment(), allow_nan=False)
    assert platform.node() not in text
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    monkeypatch.setattr("rntk_bench.store.environment._PACKAGES", ("no-such-package",))
    assert environment()["packages"] == {"no-such-package": None}
