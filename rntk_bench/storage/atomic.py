"""Writes files in one step: readers see the old content or the new one, never a part."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rntk_bench.storage.locks import remove_stale, try_lock

TEMPORARY = f".*{12 * '[0-9a-f]'}.tmp"
"""A pattern for the names of temporary files, which no other program's files have."""


def write_atomically(
    path: Path,
    *chunks: bytes | memoryview,
    mode: int = 0o666,
    durable: bool = True,
    through: Path | None = None,
) -> None:
    """Replace the content of `path` in one step.

    A pipe or a device is written to directly.

    Parameters
    ----------
    path : Path
        File in an existing folder.
    *chunks : bytes or contiguous memoryview
        The new content, in order.
    mode : int
        Permissions of the new file, before the umask is applied.
    durable : bool
        Wait until the bytes have reached the disk.
    through : Path, optional
        Folder on the same file system for the temporary file; the folder of `path` by default.

    Raises
    ------
    OSError
        If the file cannot be written; no temporary file is left then.
    """
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            stream.writelines(chunks)
        return
    written = False
    while not written:
        name = f".{path.name}.{secrets.token_hex(6)}.tmp"
        temporary = (through or path.parent) / name
        with try_lock(temporary, mode) as written:
            if written:  # else another process is just removing it as stale
                with temporary.open("wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                    if durable:
                        file.flush()
                        os.fsync(file.fileno())
                temporary.replace(path)


def through_links(path: Path) -> Path:
    """Where a path that a user names leads, so that a symbolic link stays one.

    A pipe, a device and a loop of links are left as they are.
    """
    try:
        return path if path.exists() and not path.is_file() else path.resolve()
    except (OSError, RuntimeError):
        return path


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote to a folder."""
    remove_stale(folder, TEMPORARY)


def check_writable(folder: Path) -> None:
    """Create a folder and check that files can be written to it.

    This is done before a long computation. Temporary files of killed processes are removed.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    with try_lock(folder / f".{secrets.token_hex(6)}.tmp"):
        pass
