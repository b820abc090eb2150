import time
from pathlib import Path

import pytest

from rntk_bench import compiling
from rntk_bench.compiling import announce_compilation, instruction_set


def test_quick_work_says_nothing():
    said: list[str] = []
    announce_compilation(lambda: None, said.append, patience=5.0)
    assert said == []


def test_slow_work_is_announced_once():
    said: list[str] = []
    announce_compilation(lambda: time.sleep(0.1), said.append, patience=0.01)
    assert len(said) == 1
    assert "Compiling" in said[0]


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
