import time

from rntk_bench.compiling import announce_compilation


def test_quick_work_says_nothing():
    said: list[str] = []
    announce_compilation(lambda: None, said.append, patience=5.0)
    assert said == []


def test_slow_work_is_announced_once():
    said: list[str] = []
    announce_compilation(lambda: time.sleep(0.1), said.append, patience=0.01)
    assert len(said) == 1
    assert "Compiling" in said[0]
