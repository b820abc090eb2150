import os
import subprocess
import sys

import pytest

from rntk_bench.errors import LockedError, StorageError
from rntk_bench.storage.locks import is_locked, output_lock, remove_stale, try_lock

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the locks are POSIX's")


def test_a_lock_belongs_to_one_process_and_is_gone_after_it(tmp_path):
    path = tmp_path / "cell.lock"
    with try_lock(path) as mine:
        assert mine
        assert path.read_text() == f"{os.getpid()}\n"
        assert is_locked(path)
        with try_lock(path) as second:
            assert not second
        assert is_locked(path)
    assert list(tmp_path.iterdir()) == []
    assert not is_locked(path)


def test_an_error_releases_the_lock(tmp_path):
    with pytest.raises(RuntimeError), try_lock(tmp_path / "cell.lock"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_holds_nothing(tmp_path):
    path = tmp_path / "cell.lock"
    code = (
        "import os, sys; from pathlib import Path; from rntk_bench.storage.locks import try_lock\n"
        "with try_lock(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    assert path.exists()
    assert not is_locked(path)
    with try_lock(path) as mine:
        assert mine


def test_stale_files_are_removed_but_not_those_of_a_running_process(tmp_path):
    (tmp_path / ".dead.tmp").write_text("half a record")
    (tmp_path / "kept.json").write_text("{}")
    with try_lock(tmp_path / ".alive.tmp"):
        remove_stale(tmp_path, ".*.tmp")
        assert sorted(path.name for path in tmp_path.iterdir()) == [".alive.tmp", "kept.json"]


def test_a_file_removed_between_opening_and_lock_is_made_again(tmp_path, monkeypatch):
    path = tmp_path / "cell.lock"
    opened = []

    def open_and_lose(*arguments, **options):
        opened.append(system_open(*arguments, **options))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    system_open = os.open
    monkeypatch.setattr(os, "open", open_and_lose)
    with try_lock(path) as mine:
        assert mine
        assert len(opened) == 2
        assert path.exists()


def test_where_there_are_no_locks_every_process_gets_it(tmp_path, monkeypatch):
    def unsupported(*arguments):
        raise OSError("no locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    path = tmp_path / "cell.lock"
    with try_lock(path) as mine, try_lock(path) as second:
        assert mine
        assert second
        remove_stale(tmp_path, "*.lock")
        assert path.exists()
    assert not path.exists()


def test_an_output_has_one_writer_and_the_second_learns_who(tmp_path):
    path = tmp_path / "curve.partial"
    with output_lock(path):
        said = f"^Process {os.getpid()} is writing {path}; wait until it has ended"
        with pytest.raises(LockedError, match=said), output_lock(path):
            pytest.fail("both hold the lock")
        with output_lock(tmp_path / "other.partial"):
            pass
    with output_lock(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(StorageError, match="Cannot write"),
        output_lock(tmp_path / "file" / "curve.partial"),
    ):
        pytest.fail("there is no place for the lock")


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path):
    path = tmp_path / "gram.npy"
    code = (
        "import os, sys; from pathlib import Path\n"
        "from rntk_bench.storage.locks import output_lock\n"
        "with output_lock(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert [file.name for file in tmp_path.iterdir()] == [".gram.npy.lock"]
    with output_lock(path):
        pass
    assert list(tmp_path.iterdir()) == []
