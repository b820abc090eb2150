"""The cache of XLA's compilations on disk, so that each network is compiled once per machine."""

from __future__ import annotations

import hashlib
import os
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jax
import llvmlite.binding as llvm
import platformdirs

from rntk_bench.compiling import is_private

MAX_BYTES = 512 << 20
"""The largest size of the cache; a process that starts removes the oldest files above it.

A network takes about 0.1 MiB."""


def compilation_cache_folder() -> Path:
    """The folder of the cache, which may not exist yet.

    It is JAX_COMPILATION_CACHE_DIR or, by default, a folder of the user for each kind of processor:
    machines may share a home folder, and JAX does not distinguish between processors.
    """
    if named := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return Path(named)
    processor = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    digest = hashlib.sha256(processor.encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("rntk-bench", appauthor=False) / "xla" / digest


@cache
def compilation_cache_settings() -> dict[str, Any]:
    """JAX's settings for the cache.

    The files in the cache are executed, so it must be a folder to which only this user can write.
    If others can, there is a warning and the cache is not used.
    """
    try:
        folder = compilation_cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # there is no home folder, or it is not writable
        return {"jax_enable_compilation_cache": False}
    if not is_private(str(folder)):
        warnings.warn(
            f"Other users may write to {folder}, so it is not used as the cache of XLA's "
            "compilations.",
            RuntimeWarning,
            stacklevel=2,
        )
        return {"jax_enable_compilation_cache": False}
    _remove_oldest(folder)
    return {
        "jax_enable_compilation_cache": True,
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.1,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }


def use_compilation_cache() -> None:
    """Use the cache in this process."""
    for name, value in compilation_cache_settings().items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]


def worker_environment() -> dict[str, str]:
    """The environment variables of a worker process that uses the cache.

    Warnings about damaged files are hidden: such networks are compiled again.
    """
    settings = {name.upper(): str(value) for name, value in compilation_cache_settings().items()}
    ignore = "ignore:Error reading persistent compilation cache"
    filters = os.environ.get("PYTHONWARNINGS")
    return settings | {"PYTHONWARNINGS": f"{filters},{ignore}" if filters else ignore}


def _remove_oldest(folder: Path) -> None:
    """Remove the oldest files until the cache is not larger than MAX_BYTES."""
    with suppress(OSError):
        files = sorted(
            (path.stat().st_mtime_ns, path.stat().st_size, path) for path in folder.iterdir()
        )
        excess = sum(size for _, size, _ in files) - MAX_BYTES
        for _, size, path in files:
            if excess <= 0:
                break
            path.unlink()
            excess -= size
