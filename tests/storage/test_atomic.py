import errno
import os
import stat

import pytest

from rntk_bench.storage.atomic import remove_unfinished, through_links, write_atomically


def test_chunks_are_joined_and_replace_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"an older and longer text")
    write_atomically(path, b"new", memoryview(b" text"))
    assert path.read_bytes() == b"new text"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_file_has_the_mode_asked_for(tmp_path):
    write_atomically(tmp_path / "file", b"", mode=0o600)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are POSIX's")
def test_a_pipe_is_written_to_and_stays(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(path, b"new", b" text")
    assert os.read(reader, 100) == b"new text"
    os.close(reader)
    assert path.is_fifo()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_replaced_but_through_links_it_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link", tmp_path / "there" / "file"
    link.symlink_to(target)
    for content in (b"first", b"second"):
        write_atomically(through_links(link), content)
        assert link.is_symlink()
        assert target.read_bytes() == content
    assert list(target.parent.iterdir()) == [target]
    write_atomically(link, b"third")
    assert not link.is_symlink()
    assert target.read_bytes() == b"second"


def test_a_loop_of_links_is_replaced(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    write_atomically(through_links(loop), b"new")
    assert loop.read_bytes() == b"new"


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    for name in (".file.json.0123456789ab.tmp", ".0123456789ab.tmp", ".draft.tmp", "draft.tmp"):
        (tmp_path / name).write_text("x")
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".draft.tmp", "draft.tmp"]
