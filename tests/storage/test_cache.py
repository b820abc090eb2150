import errno
import os
import stat
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from rntk_bench.errors import InputError, RntkBenchError
from rntk_bench.storage import cache as module
from rntk_bench.storage.cache import GramCache, cache_folder

N = 7
ENTRY = 8 * N * N  # bytes of a full matrix, without its header


def key(number):
    return f"{number % 256:02x}{number:062x}"


def full(number=0):
    return np.random.default_rng(number).standard_normal((N, N))


def symmetric(number=0):
    gram = full(number)
    return gram + gram.T


def path_of(cache, name):
    return cache.folder / name[:2] / f"{name}.gram"


@pytest.fixture
def told():
    return []


@pytest.fixture
def cache(tmp_path, told):
    return GramCache(tmp_path / "grams", limit=1 << 20, on_warning=told.append)


@pytest.mark.parametrize("shape", [(1, 1), (3, 8), (8, 3), (0, 4)])
def test_a_full_matrix_comes_back_bit_for_bit(cache, shape):
    gram = np.random.default_rng(1).standard_normal(shape)
    gram.flat[:3] = [-0.0, np.nan, 5e-324][: gram.size]
    cache.put(key(1), gram, symmetric=False)
    found = cache.get(key(1), shape, symmetric=False)
    assert found.tobytes() == gram.tobytes()
    assert found.shape == shape
    assert found.flags.writeable


@pytest.mark.parametrize("n", [1, 2, 50])
def test_a_symmetric_matrix_comes_back_bit_for_bit(cache, n):
    gram = np.random.default_rng(2).standard_normal((n, n))
    gram = gram + gram.T
    cache.put(key(1), gram, symmetric=True)
    assert cache.get(key(1), (n, n), symmetric=True).tobytes() == gram.tobytes()


def test_a_symmetric_matrix_takes_half_the_bytes(cache):
    cache.put(key(1), symmetric(), symmetric=True)
    half = cache.info().bytes
    cache.put(key(2), symmetric(), symmetric=False)
    assert half < 0.7 * (cache.info().bytes - half)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda gram: np.repeat(gram, 2, 1)[:, ::2]])
def test_the_layout_in_memory_does_not_matter(cache, layout):
    cache.put(key(1), layout(full()), symmetric=False)
    np.testing.assert_array_equal(cache.get(key(1), (N, N), symmetric=False), full())


def test_an_unknown_key_is_a_miss(cache, told):
    assert cache.get(key(1), (N, N), symmetric=True) is None
    assert not told


def test_a_key_is_a_digest(cache):
    with pytest.raises(ValueError, match="hexadecimal"):
        cache.get("../../elsewhere/and/away", (N, N), symmetric=True)


def test_a_symmetric_matrix_is_square(cache):
    with pytest.raises(ValueError, match="square"):
        cache.put(key(1), np.ones((2, 3)), symmetric=True)


def flip(position):
    def damage(content):
        changed = bytearray(content)
        changed[position] ^= 1
        return bytes(changed)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        *map(flip, [0, 8, 9, 17, 25, 28, 29, 100, -1]),
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: content[:10],
        lambda content: b"",
        lambda content: b"something else" * 20,
    ],
)
def test_a_damaged_entry_is_a_miss_reported_once_and_removed(cache, told, damage):
    for name in (key(1), key(2)):
        cache.put(name, symmetric(), symmetric=True)
        path = path_of(cache, name)
        path.write_bytes(damage(path.read_bytes()))
        assert cache.get(name, (N, N), symmetric=True) is None
        assert not path.exists()
    assert len(told) == 1
    assert key(1) in told[0]


def test_an_entry_under_another_name_is_damaged(cache, told):
    cache.put(key(1), full(), symmetric=False)
    path_of(cache, key(2)).parent.mkdir()
    path_of(cache, key(1)).rename(path_of(cache, key(2)))
    assert cache.get(key(2), (N, N), symmetric=False) is None
    assert len(told) == 1


@pytest.mark.parametrize(("shape", "as_symmetric"), [((N, N + 1), False), ((N, N), True)])
def test_an_entry_of_another_shape_is_damaged(cache, told, shape, as_symmetric):
    cache.put(key(1), full(), symmetric=False)
    assert cache.get(key(1), shape, symmetric=as_symmetric) is None
    assert len(told) == 1


def test_the_longest_unused_go_first(tmp_path):
    cache = GramCache(tmp_path / "grams", limit=5 * (ENTRY + 29))
    for number in range(5):
        cache.put(key(number), full(number), symmetric=False)
        os.utime(path_of(cache, key(number)), ns=(number, number))
    assert cache.get(key(0), (N, N), symmetric=False) is not None
    cache.put(key(5), full(5), symmetric=False)
    left = [number for number in range(6) if path_of(cache, key(number)).exists()]
    assert left == [0, 3, 4, 5]


def test_caches_that_share_a_folder_keep_it_bounded(tmp_path):
    limit = 40 * ENTRY
    caches = [GramCache(tmp_path / "grams", limit) for _ in range(3)]
    for number in range(300):
        caches[number % 3].put(key(number), full(), symmetric=False)
    assert 20 * ENTRY < caches[0].info().bytes <= limit * (1 + 3 / 16)


def test_a_put_seldom_scans_the_folder(cache, monkeypatch):
    scans = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: scans.append(path) or scandir(path))
    for number in range(100):
        cache.put(key(number), full(), symmetric=False)
    assert len(scans) == 256


def test_a_matrix_larger_than_the_limit_is_not_stored(tmp_path):
    cache = GramCache(tmp_path / "grams", limit=ENTRY)
    cache.put(key(1), full(), symmetric=False)
    assert cache.info().entries == 0


def test_clearing_counts_what_it_frees_and_leaves_a_working_cache(cache):
    cache.put(key(1), full(), symmetric=False)
    held = cache.info()
    assert (held.entries, held.folder) == (1, cache.folder)
    assert cache.clear() == held
    assert cache.info().entries == cache.info().bytes == 0
    cache.put(key(1), full(), symmetric=False)
    assert cache.get(key(1), (N, N), symmetric=False) is not None


def test_an_entry_that_cannot_be_removed_is_one_sentence(cache):
    cache.put(key(1), full(), symmetric=False)
    path = path_of(cache, key(1))
    path.unlink()
    path.mkdir()
    with pytest.raises(RntkBenchError, match="Cannot remove"):
        cache.clear()


def test_a_folder_removed_meanwhile_is_made_again(cache, told):
    cache.folder.rmdir()
    cache.put(key(1), full(), symmetric=False)
    assert cache.get(key(1), (N, N), symmetric=False) is not None
    assert not told


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_only_the_user_may_look_in(cache):
    cache.put(key(1), full(), symmetric=False)
    path = path_of(cache, key(1))
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (cache.folder, path.parent, path)]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_a_folder_others_may_write_to_is_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.raises(InputError, match="Other users may write"):
        GramCache(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="owners are POSIX's")
def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(InputError, match="belongs to another user"):
        GramCache(tmp_path)


def test_a_full_disk_ends_the_storing_and_is_reported_once(cache, told, monkeypatch):
    cache.put(key(0), full(), symmetric=False)

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "write_atomically", fail)
    for number in (1, 2):
        cache.put(key(number), full(), symmetric=False)
    assert len(told) == 1
    assert os.strerror(errno.ENOSPC) in told[0]
    assert cache.get(key(0), (N, N), symmetric=False) is not None


def test_a_folder_that_cannot_be_made_leaves_a_cache_that_holds_nothing(tmp_path, told):
    (tmp_path / "file").write_text("in the way")
    cache = GramCache(tmp_path / "file" / "grams", on_warning=told.append)
    cache.put(key(1), full(), symmetric=False)
    assert cache.get(key(1), (N, N), symmetric=False) is None
    assert cache.info().entries == 0
    assert len(told) == 1


def test_by_default_it_warns(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.warns(RuntimeWarning, match="no longer stored"):
        GramCache(tmp_path / "file" / "grams")


def put_and_get(folder: Path, limit: int, first: int) -> int:
    """Count wrong answers while others write, evict and clear the same entries."""
    cache = GramCache(folder, limit)
    wrong = 0
    for number in range(first, first + 200):
        name = number % 20
        cache.put(key(name), symmetric(name), symmetric=True)
        found = cache.get(key(name), (N, N), symmetric=True)
        wrong += found is not None and not np.array_equal(found, symmetric(name))
        if number % 50 == 0:
            cache.clear()
    return wrong


@pytest.mark.parametrize(
    "pool",
    [
        lambda: ThreadPoolExecutor(4),
        lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
    ],
    ids=["threads", "processes"],
)
def test_several_may_share_a_folder(tmp_path, pool):
    with pool() as workers:
        tasks = [
            workers.submit(put_and_get, tmp_path / "grams", 4000, first) for first in (0, 7, 13)
        ]
        assert [task.result() for task in tasks] == [0, 0, 0]


def test_the_folder_is_below_the_one_given_or_the_user_s(tmp_path):
    assert cache_folder(tmp_path) == tmp_path / "grams"
    assert cache_folder().name == "grams"
    assert "rntk-bench" in cache_folder().parts
