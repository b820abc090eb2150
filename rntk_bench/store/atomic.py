"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(
    path: Path,
    *chunks: bytes | memoryview,
    mode: int = 0o666,
    durable: bool = True,
) -> None:
    """Replace `path` by the chunks in one step: a reader sees the old file or the new one.

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

    Raises
    ------
    OSError
        The file cannot be written; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            for chunk in chunks:
                file.write(chunk)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
