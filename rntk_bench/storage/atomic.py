"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from rntk_bench.storage.locks import remove_stale, try_lock


def write_atomically(
    path: Path,
    *chunks: bytes | memoryview,
    mode: int = 0o666,
    durable: bool = True,
    through: Path | None = None,
) -> None:
    """Replace `path` by the chunks in one step: a reader sees the old file or the new one.

    A pipe or a device is written to as it is.

    Parameters
    ----------
    path : Path
        File in an existing folder.
    *chunks : bytes or contiguous memoryview
        What the file will hold, in order.
    mode : int
        Permissions of the new file, before the user's mask.
    durable : bool
        Wait until the bytes have reached the disk.
    through : Path, optional
        Folder on the same file system in which the file is begun; its own by default.

    Raises
    ------
    OSError
        The file cannot be written; nothing is left behind.
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
            if written:  # else somebody is sweeping, and has just met it
                with temporary.open("wb") as file:
                    for chunk in chunks:
                        file.write(chunk)
                    if durable:
                        file.flush()
                        os.fsync(file.fileno())
                temporary.replace(path)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left in a folder."""
    remove_stale(folder, ".*.tmp")


def check_writable(folder: Path) -> None:
    """Make the folder and write to it, so that no long computation ends without a place for its
    result; and remove what killed processes have left there.

    Raises
    ------
    OSError
        That is not possible.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    with try_lock(folder / f".{secrets.token_hex(6)}.tmp"):
        pass
