import os
import time
from threading import Event

import numpy as np
import pandas as pd
import pytest

from rntk_bench import NTK, RBF, RNTK
from rntk_bench.deadline import Deadline, TimeLimitError
from rntk_bench.errors import InputError, KernelError, LockedError, RntkBenchError
from rntk_bench.kernels.series import read_set
from rntk_bench.user_data import large_gram
from rntk_bench.user_data.large_gram import Tiling, _identity, gram_to_file

KERNEL = RNTK(1.4, sigma_b=0.1)


@pytest.fixture(autouse=True)
def _small_tiles(monkeypatch):
    monkeypatch.setattr(large_gram, "TILE", 16)


def series(n, T=12, seed=0):
    return np.random.default_rng(seed).standard_normal((n, T)) / np.sqrt(T)


def unequal(n, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(T) for T in rng.integers(3, 12, n)]


@pytest.mark.parametrize("kernel", [KERNEL, RNTK(n_layers=2), NTK(n_layers=3), RBF(0.7)])
@pytest.mark.parametrize("make", [series, unequal])
def test_the_file_holds_the_gram(kernel, make, tmp_path):
    X, Y = make(37), make(21, seed=1)
    path = tmp_path / "gram.npy"
    gram = gram_to_file(kernel, X, path)
    np.testing.assert_allclose(gram, kernel(X), rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(gram, gram.T)
    across = gram_to_file(kernel, X, tmp_path / "across.npy", Y)
    np.testing.assert_allclose(across, kernel(X, Y), rtol=1e-13, atol=1e-15)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["across.npy", "gram.npy"]


def test_the_numbers_do_not_depend_on_jobs_or_memory(tmp_path):
    X = series(50)
    one = gram_to_file(KERNEL, X, tmp_path / "a.npy")
    two = gram_to_file(KERNEL, X, tmp_path / "b.npy", n_jobs=2, memory_limit=1 << 20)
    np.testing.assert_array_equal(one, two)


class StopHereError(Exception):
    pass


def test_an_interrupted_gram_goes_on_with_the_missing_tiles(tmp_path, monkeypatch):
    X, path = series(60), tmp_path / "gram.npy"
    whole = np.array(gram_to_file(KERNEL, X, tmp_path / "whole.npy"))

    def stop(done, total):
        if done == 4:
            raise StopHereError

    with pytest.raises(StopHereError):
        gram_to_file(KERNEL, X, path, progress=stop)
    assert not path.exists()
    seen = []
    np.testing.assert_array_equal(
        gram_to_file(KERNEL, X, path, progress=lambda *args: seen.append(args)), whole
    )
    assert seen == [(done, 10) for done in range(4, 11)]


@pytest.mark.parametrize("change", ["kernel", "series", "file", "damage"])
def test_tiles_of_something_else_are_not_taken(change, tmp_path):
    X, path = series(40), tmp_path / "gram.npy"

    def stop(done, total):
        if done == 3:
            raise StopHereError

    with pytest.raises(StopHereError):
        gram_to_file(KERNEL, X, path, progress=stop)
    kernel = RNTK(1.41) if change == "kernel" else KERNEL
    if change == "series":
        X = series(40, seed=2)
    if change == "file":
        (tmp_path / "gram.npy.unfinished").unlink()
    if change == "damage":
        (tmp_path / "gram.npy.unfinished").write_bytes(b"not an array")
    np.testing.assert_allclose(gram_to_file(kernel, X, path), kernel(X), rtol=1e-13, atol=1e-15)


def test_memory_that_does_not_suffice_is_refused_with_the_numbers(tmp_path):
    with pytest.raises(InputError, match=r"take \d+.* KiB, but the memory limit is 1000 B"):
        gram_to_file(KERNEL, series(30), tmp_path / "gram.npy", memory_limit=1000)
    assert not list(tmp_path.iterdir())


def test_as_many_tiles_at_once_as_fit():
    tiling = Tiling((100, 100), 10, symmetric=True)
    assert tiling.max_jobs(100 + 3 * tiling.tile_memory, 100, 8) == 3
    assert tiling.max_jobs(100 + 3 * tiling.tile_memory, 100, 2) == 2
    assert len(tiling.tiles) == 28
    assert len(Tiling((100, 40), 10, symmetric=False).tiles) == 21


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr(large_gram.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"takes 7\.0 KiB, but .* has only 100 B free"):
        gram_to_file(KERNEL, series(30), tmp_path / "gram.npy")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(RntkBenchError, match="Cannot write"):
        gram_to_file(KERNEL, series(30), tmp_path / "none" / "gram.npy")


def test_a_deadline_and_an_overflow_end_it(tmp_path):
    with Deadline() as limit:
        limit.stop[0] = True
        with pytest.raises(TimeLimitError):
            gram_to_file(KERNEL, series(30), tmp_path / "gram.npy")
    with pytest.raises(KernelError, match="float64"):
        gram_to_file(RNTK(1e200), series(30), tmp_path / "gram.npy", n_jobs=2)
    assert not list(tmp_path.iterdir())


def test_a_refused_gram_leaves_no_file_of_an_earlier_attempt(tmp_path):
    X, path = series(60), tmp_path / "gram.npy"
    path.write_text("an earlier result")
    X[-1] *= 1e200
    with pytest.raises(KernelError, match="float64"):
        gram_to_file(KERNEL, X, path)
    assert [file.name for file in tmp_path.iterdir()] == ["gram.npy"]
    assert path.read_text() == "an earlier result"


def test_a_second_writer_is_refused_and_the_first_is_not_disturbed(tmp_path):
    X, path = series(40), tmp_path / "gram.npy"

    def try_again(done, total):
        with pytest.raises(LockedError, match="is writing"):
            gram_to_file(RNTK(1.41), X, path)

    np.testing.assert_allclose(
        gram_to_file(KERNEL, X, path, progress=try_again), KERNEL(X), rtol=1e-13, atol=1e-15
    )
    assert list(tmp_path.iterdir()) == [path]


def test_a_thread_that_is_still_at_work_writes_nothing_into_the_next_file(tmp_path, monkeypatch):
    X, path = series(20), tmp_path / "gram.npy"
    blocked, late = Event(), []

    class Slow(RNTK):
        """Fails on the first tile while the second waits."""

        def __call__(self, X, Y=None):
            if Y is None and not late:
                late.append(True)
                raise KernelError("It overflows.")
            blocked.wait(20)
            return np.full((len(X), len(X if Y is None else Y)), 7.0)

    with pytest.raises(KernelError, match="overflows"):
        gram_to_file(Slow(1.4), X, path, n_jobs=2)

    def let_it_go(done, total):
        if done == total:
            blocked.set()
            time.sleep(0.2)

    gram = gram_to_file(KERNEL, X, path, progress=let_it_go)
    np.testing.assert_allclose(gram, KERNEL(X), rtol=1e-13, atol=1e-15)


def test_only_a_regular_file_is_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(InputError, match="not a regular file"):
        gram_to_file(KERNEL, series(30), path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_gram_that_overflows_leaves_no_file(tmp_path):
    X = [*series(20), *series(20, T=400, seed=1)]  # the first tile is done before one overflows
    with pytest.raises(KernelError, match="range of float64"):
        gram_to_file(RNTK(40.0), X, tmp_path / "gram.npy")
    assert list(tmp_path.iterdir()) == []


def test_one_object_is_one_set(tmp_path):
    X, kernel = series(20), RNTK(1.4, sigma_h=2.0)
    gram = gram_to_file(kernel, X, tmp_path / "gram.npy", X)
    np.testing.assert_allclose(gram, kernel(X), rtol=1e-13)


def test_a_data_frame_is_read_by_its_values(tmp_path, monkeypatch):
    frame = pd.DataFrame(series(20), columns=[str(t) for t in range(12)])
    np.testing.assert_array_equal(gram_to_file(KERNEL, frame, tmp_path / "a.npy"), KERNEL(frame))
    identities = [
        _identity(KERNEL, [read_set(X)], Tiling((20, 20), 12, True)) for X in (frame, 2 * frame)
    ]
    assert identities[0]["series"] != identities[1]["series"]
