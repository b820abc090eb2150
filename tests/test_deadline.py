import threading
import time

import numpy as np
import pytest

from rntk_bench import NTK, RNTK
from rntk_bench.deadline import Deadline, TimeLimitError, current_deadline
from rntk_bench.svm.folds import stratified_folds
from rntk_bench.svm.options import SVCOptions
from rntk_bench.svm.svc import CrossValidation


def expired():
    limit = Deadline(0.01)
    limit.stop[0] = True
    return limit


def test_without_a_limit_nothing_stops():
    with Deadline() as limit:
        assert current_deadline() is limit
        assert limit.remaining is None
        limit.check()
    assert current_deadline().seconds is None


def test_the_time_passes_and_the_message_names_it():
    with Deadline(0.05) as limit:
        assert limit.remaining <= 0.05
        while not limit.stop[0]:
            time.sleep(0.001)
        assert limit.remaining == 0.0
        with pytest.raises(TimeLimitError, match=r"0\.05 s.*--timeout"):
            limit.check()


def test_what_is_spent_already_counts():
    with Deadline(60.0, elapsed=50.0) as limit:
        assert 9.0 < limit.remaining <= 10.0
    with Deadline(60.0, elapsed=70.0) as limit:
        while not limit.stop[0]:
            time.sleep(0.001)
        with pytest.raises(TimeLimitError, match="60 s"):
            limit.check()


def test_an_inner_deadline_ends_with_its_block_and_others_are_not_touched():
    with Deadline(60.0) as outer:
        with Deadline(30.0) as inner:
            assert current_deadline() is inner
        assert current_deadline() is outer
        outer.check()


def test_an_error_stops_the_loops_of_other_threads():
    seen = []
    started = threading.Event()

    def work(limit):
        with limit.activate():
            started.set()
            while not current_deadline().stop[0]:
                time.sleep(0.001)
            seen.append(True)

    def fail():
        with Deadline() as limit:
            thread = threading.Thread(target=work, args=(limit,))
            thread.start()
            started.wait()
            threads.append(thread)
            raise KeyboardInterrupt

    threads = []
    with pytest.raises(KeyboardInterrupt):
        fail()
    threads[0].join(5.0)
    assert seen == [True]


@pytest.mark.parametrize(
    "kernel",
    [
        RNTK(),
        RNTK(n_layers=2),
        RNTK(activation="erf", pooling="average"),
        RNTK(activation="tanh"),
        NTK(n_layers=3),
    ],
)
def test_kernels_stop(kernel):
    X = np.random.default_rng(0).standard_normal((12, 9))
    with expired(), pytest.raises(TimeLimitError):
        kernel(X)


def test_the_solver_stops():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 20)
    X = rng.standard_normal((40, 3))
    validation = CrossValidation(y, stratified_folds(y, 5, 0), SVCOptions())
    with expired(), pytest.raises(TimeLimitError):
        validation.count_correct(X @ X.T, np.arange(5), 5)


def test_a_long_problem_of_the_solver_is_stopped_in_its_midst():
    # Labels at random on a nearly linear kernel: the solver would take its million steps.
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 400)
    X = rng.standard_normal((800, 2))
    options = SVCOptions(C=(1e6,), tolerance=1e-12)
    validation = CrossValidation(y, stratified_folds(y, 2, 0), options)
    validation.count_correct(np.eye(800), np.arange(2), 1)
    start = time.monotonic()
    with Deadline(0.2), pytest.raises(TimeLimitError):
        validation.count_correct(X @ X.T, np.arange(2), 1)
    assert time.monotonic() - start < 10.0


def test_a_limit_longer_than_any_timer_is_a_limit():
    with Deadline(1e10) as limit:
        assert limit.remaining > 9e9
        limit.check()
