"""Paths as users write them, and where this package keeps what it can make again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from rntk_bench.errors import InputError


def expand_home(path: str | Path) -> Path:
    """A path with the home folder for its leading `~` or `~user`, as a shell writes it.

    Shells do so only at the start of a word, and nobody does it in an environment variable of a
    container or a service.

    Raises
    ------
    InputError
        There is no such user, and no file of that name.
    """
    expanded = os.path.expanduser(path)  # noqa: PTH111 - pathlib cannot leave it as it is
    if expanded.startswith("~") and not os.path.lexists(expanded):
        raise InputError(
            f"{str(path)!r} begins with '~', and the home folder that this stands for is not "
            f"known; write the whole path, or './{path}' for a file of that name."
        )
    return Path(expanded)


def user_cache_folder(cache_dir: Path | None = None) -> Path:
    """`cache_dir`, or without one this package's folder among the user's caches.

    A process that has no home folder, as in a container with a numbered user, gets one of its own
    among the temporary files.
    """
    if cache_dir is not None:
        return cache_dir
    try:
        return expand_home(user_cache_path("rntk-bench", appauthor=False))
    except (InputError, RuntimeError):  # platformdirs says the one or leaves the ~
        user = os.getuid() if hasattr(os, "getuid") else "user"
        return Path(tempfile.gettempdir(), f"rntk-bench-{user}")
