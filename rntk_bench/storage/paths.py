"""Paths that users give, and the folder of this package's cache."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from rntk_bench.errors import InputError


def expand_home(path: str | Path) -> Path:
    """A path with the home folder in place of a leading `~` or `~user`.

    Shells only replace it at the start of a word, and it is not replaced in the environment
    variables of containers and services.

    Raises
    ------
    InputError
        If there is no such user, and no file of that name.
    """
    expanded = os.path.expanduser(path)  # noqa: PTH111 - pathlib cannot leave it as it is
    if expanded.startswith("~") and not os.path.lexists(expanded):
        raise InputError(
            f"{str(path)!r} begins with '~', and the home folder that this stands for is not "
            f"known; write the whole path, or './{path}' for a file of that name."
        )
    return Path(expanded)


def user_cache_folder(cache_dir: Path | None = None) -> Path:
    """`cache_dir`, or the folder of this package in the user's cache folder.

    A process without a home folder, as in a container whose user has only a number, gets a folder
    among the temporary files.
    """
    if cache_dir is not None:
        return cache_dir
    try:
        return expand_home(user_cache_path("rntk-bench", appauthor=False))
    except (InputError, RuntimeError):  # platformdirs raises RuntimeError or leaves the ~
        user = os.getuid() if hasattr(os, "getuid") else "user"
        return Path(tempfile.gettempdir(), f"rntk-bench-{user}")
