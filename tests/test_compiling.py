import os
import pickle
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from rntk_bench import compiling
from rntk_bench.compiling import announce_compilation, compiled, instruction_set


def test_slow_work_that_compiles_nothing_says_nothing():
    said: list[str] = []
    announce_compilation(lambda: time.sleep(1.2), said.append)
    assert said == []


def test_compiling_is_announced_once_and_before_it_begins(monkeypatch):
    monkeypatch.setattr(compiling, "_CACHE_IS_PRIVATE", False)
    first, second = compiled(lambda x: 3.0 * x), compiled(lambda x: 5.0 * x)
    said: list[int] = []

    def count(message):
        assert "Compiling" in message
        said.append(len(first.signatures))

    announce_compilation(lambda: (first(1.5), second(1.5)), count)
    assert said == [0]
    announce_compilation(lambda: (first(1.5), second(1.5)), count)
    assert said == [0]


def test_the_instruction_set_is_that_of_the_processor():
    found = instruction_set()
    assert found["processor"]
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    names = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "sse2": "SSE2"}
    if "sse2" in flags:
        assert found["vectors"] == next(name for flag, name in names.items() if flag in flags)


@pytest.mark.parametrize(
    ("name", "features", "vectors"),
    [("generic", None, None), ("generic", "+avx2,-avx512f", "AVX2"), (None, "+neon", "NEON")],
)
def test_the_environment_may_ask_numba_for_other_instructions(monkeypatch, name, features, vectors):
    for setting, value in (("CPU_NAME", name), ("CPU_FEATURES", features)):
        monkeypatch.setitem(compiling._settings, setting, value)
    assert instruction_set()["vectors"] == vectors
    assert instruction_set()["processor"] == "generic" or name is None


SOURCE = """
from rntk_bench.compiling import compiled

@compiled
def double(x):
    return 2.0 * x

print(double(1.5), sum(double.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """A folder with a module that has a compiled function."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "module.py").write_text(SOURCE)
    return folder


def import_module(folder, cache, before=""):
    """Import the module in another process, which prints an answer and how often it was cached."""
    path = os.pathsep.join([str(folder), *sys.path])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{before}\nimport module"],
        env={**os.environ, "PYTHONPATH": path, "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def doubled(module, tmp_path):
    """Import the module with a cache of the test's own."""
    return partial(import_module, module, tmp_path / "compiled")


@pytest.fixture(scope="module")
def cached(module):
    """A cache from which the compiled function is read."""
    cache = module / "compiled"
    assert import_module(module, cache).stdout == "3.0 0\n"
    assert import_module(module, cache).stdout == "3.0 1\n"
    return cache


@pytest.mark.parametrize(
    ("kind", "damage"),
    [("nbi", b""), ("nbi", b"\0" * 500), ("nbi", pickle.dumps(3) * 2), ("nbc", b"half")],
)
def test_damaged_compiled_code_is_compiled_again(doubled, cached, tmp_path, kind, damage):
    shutil.copytree(cached, tmp_path / "compiled")
    (path,) = (tmp_path / "compiled").rglob(f"*.{kind}")
    path.write_bytes(damage)
    again = doubled()
    assert (again.stdout, again.stderr) == ("3.0 0\n", "")
    assert doubled().stdout == "3.0 1\n"


def test_a_full_disk_only_means_compiling_again(doubled):
    bound = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    found = doubled(bound)
    assert (found.stdout, found.stderr) == ("3.0 0\n", "")
    assert doubled().stdout == "3.0 0\n"
    assert doubled().stdout == "3.0 1\n"


def test_where_nothing_can_be_kept_it_compiles(monkeypatch):
    def nowhere(*arguments):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr("rntk_bench.compiling._Cache", nowhere)
    assert compiled(lambda x: 2.0 * x)(1.5) == 3.0


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_compiled_code_is_not_kept_where_others_may_write(doubled, tmp_path):
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled").chmod(0o777)
    found = doubled("import warnings; warnings.simplefilter('default')")
    assert found.stdout == "3.0 0\n"
    assert "Other users may write to" in found.stderr
    assert list((tmp_path / "compiled").iterdir()) == []


def test_a_change_in_another_file_of_the_package_compiles_again(doubled):
    change = "from rntk_bench import compiling; compiling._source_stamp = lambda: {}"
    printed = [doubled(change.format(stamp)).stdout for stamp in ((1.0, 2), (1.0, 2), (1.0, 3))]
    assert printed == ["3.0 0\n", "3.0 1\n", "3.0 0\n"]
