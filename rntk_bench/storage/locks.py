"""Locks between processes.

A lock is a file that is locked with `flock`. The operating system releases it when the process
ends, in whatever way it ends. So no process waits for one that has died, and files that were left
behind can be recognised. If the system or the file system does not support such locks, every
process gets every lock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rntk_bench.errors import LockedError, StorageError

try:
    import fcntl
except ImportError:  # Windows, where an open file could not be renamed either
    fcntl = None  # type: ignore[assignment]


@contextmanager
def try_lock(path: Path, mode: int = 0o666) -> Iterator[bool]:
    """Lock a file for the block, and remove it afterwards; yields False if another process has it.

    The file contains the process's number, for users who wonder about the file, and so that a full
    disk is noticed at once.

    Parameters
    ----------
    path : Path
        File in an existing folder.
    mode : int
        Its permissions, before the umask is applied.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    descriptor = _open_locked(path, mode)
    if descriptor is None:
        yield False
        return
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        if fcntl is None:
            os.close(descriptor)
        yield True
    finally:
        with suppress(OSError):
            path.unlink()  # before the lock is released, so that waiting processes see it is gone
        if fcntl is not None:
            os.close(descriptor)


@contextmanager
def output_lock(path: Path) -> Iterator[None]:
    """Hold the lock of an output that is written in several steps, for the time of the block.

    Raises
    ------
    LockedError
        If another process holds it.
    StorageError
        If the lock cannot be written.
    """
    lock = path.with_name(f".{path.name}.lock")
    with ExitStack() as stack:
        try:
            acquired = stack.enter_context(try_lock(lock))
        except OSError as error:
            raise StorageError(
                f"Cannot write {path}: {error.strerror}; choose another folder."
            ) from error
        if not acquired:
            raise LockedError(
                f"{_holder(lock)} is writing {path}; wait until it has ended, or choose another "
                "output."
            )
        yield


def _holder(lock: Path) -> str:
    """The process that holds a lock, as the start of a sentence."""
    with suppress(OSError):
        if number := lock.read_text(encoding="ascii", errors="replace").strip():
            return f"Process {number}"
    return "Another process"


def is_locked(path: Path) -> bool:
    """Whether a running process has locked the file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return _flock(descriptor) is False
    finally:
        os.close(descriptor)


def remove_stale(folder: Path, pattern: str) -> None:
    """Remove the files that match a pattern and are not locked by a running process."""
    for path in folder.glob(pattern):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR)
            try:
                if _flock(descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)


def _open_locked(path: Path, mode: int) -> int | None:
    """Open and lock a file; None if another process has locked it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
        if _flock(descriptor) is False:
            os.close(descriptor)
            return None
        if _is_file_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # the file was removed after it was opened


def _flock(descriptor: int) -> bool | None:
    """Lock an open file; False if another process has locked it, None if locks do not exist."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_file_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
