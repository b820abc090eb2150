"""Files that are a process's own while it lives.

A claim is a file with the kernel's lock on it, which ends with the process however that ends. So
nobody waits for the dead, and what they left behind is told from what the living write. Where the
system or the file system knows no such locks, every process gets what it asks for.
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
    """Whether the file is this process's until the end of the block; it is gone after it.

    It holds the process's number, for a person who wonders and so that a full disk shows at once.

    Parameters
    ----------
    path : Path
        File in an existing folder.
    mode : int
        Its permissions, before the user's mask.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    descriptor = _opened(path, mode)
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
            path.unlink()  # before the lock ends: whoever opened it meanwhile sees that it is gone
        if fcntl is not None:
            os.close(descriptor)


@contextmanager
def output_lock(path: Path) -> Iterator[None]:
    """Hold the lock of an output that is written bit by bit, for the time of the block.

    Raises
    ------
    LockedError
        If another process holds it.
    StorageError
        If there is no room for the lock, or no permission.
    """
    lock = path.with_name(f".{path.name}.lock")
    with ExitStack() as stack:
        try:
            mine = stack.enter_context(try_lock(lock))
        except OSError as error:
            raise StorageError(
                f"Cannot write {path}: {error.strerror}; choose another folder."
            ) from error
        if not mine:
            raise LockedError(
                f"{_holder(lock)} is writing {path}; wait until it has ended, or choose another "
                "output."
            )
        yield


def _holder(lock: Path) -> str:
    """Who holds a lock, for the beginning of a sentence."""
    with suppress(OSError):
        if number := lock.read_text(encoding="ascii", errors="replace").strip():
            return f"Process {number}"
    return "Another process"


def is_locked(path: Path) -> bool:
    """Whether a living process has claimed the file."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return _locked(descriptor) is False
    finally:
        os.close(descriptor)


def remove_stale(folder: Path, pattern: str) -> None:
    """Remove the files of these names whose processes have ended."""
    for path in folder.glob(pattern):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR)
            try:
                if _locked(descriptor):
                    path.unlink()
            finally:
                os.close(descriptor)


def _opened(path: Path, mode: int) -> int | None:
    """The file, open and locked; None if another process has it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
        if _locked(descriptor) is False:
            os.close(descriptor)
            return None
        if _is_at(descriptor, path):
            return descriptor
        os.close(descriptor)  # removed between the opening and the lock


def _locked(descriptor: int) -> bool | None:
    """Lock an open file; False if another process has it, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
