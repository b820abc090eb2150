from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from rntk_bench import RBF
from rntk_bench.kernels import blas
from rntk_bench.kernels.blas import one_blas_thread


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture
def several():
    """How many threads BLAS has, more than one."""
    (threads,) = blas_threads()
    if threads == 1:
        pytest.skip("BLAS has one thread here")
    return threads


def test_the_last_who_leaves_restores_what_was_before(several):
    entered, left = Barrier(2), Barrier(2)

    def first():
        with one_blas_thread:
            entered.wait(10)
        left.wait(10)
        left.wait(10)  # lives on, so that another thread has to lift the limit

    def second():
        with one_blas_thread:
            entered.wait(10)
            left.wait(10)  # the first has left by now
            inside = blas_threads()
        outside = blas_threads()
        left.wait(10)
        return inside, outside

    with ThreadPoolExecutor(2) as pool:
        pool.submit(first)
        assert pool.submit(second).result() == ({1}, {several})
    assert blas_threads() == {several}


def test_it_may_be_nested(several):
    with one_blas_thread:
        with one_blas_thread:
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {several}


def test_a_product_sets_the_limit_once(monkeypatch):
    counted = []
    monkeypatch.setattr(
        blas, "threadpool_limits", lambda *a, **k: counted.append(a) or threadpool_limits(*a, **k)
    )
    RBF(1.0)(np.full((3, 6), 0.1))
    assert len(counted) == 1
