"""XLA's compilations, kept on disk so that a network's shape is compiled once for a machine."""

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
"""Bytes above which the oldest go when a process starts; a network takes about 0.1 MiB."""


def compilation_cache_folder() -> Path:
    """The folder, which may not be there yet: JAX_COMPILATION_CACHE_DIR, or one of the user's for
    each kind of processor, since a home may be shared by several and JAX does not tell them
    apart."""
    if named := os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return Path(named)
    processor = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    digest = hashlib.sha256(processor.encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("rntk-bench", appauthor=False) / "xla" / digest


@cache
def compilation_cache_settings() -> dict[str, Any]:
    """JAX's settings for a cache in a folder to which only this user may write, since what lies
    there is run; none is used, and its user told, where others may."""
    try:
        folder = compilation_cache_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # no home, or nowhere to write
        return {"jax_enable_compilation_cache": False}
    if not is_private(str(folder)):
        warnings.warn(
            f"Other users may write to {folder}: XLA's compilations are neither kept there nor "
            "read from there.",
            RuntimeWarning,
            stacklevel=2,
        )
        return {"jax_enable_compilation_cache": False}
    _shrink(folder)
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
    """The same settings for a process that is started with them, and no word of damaged entries,
    which are compiled again."""
    settings = {name.upper(): str(value) for name, value in compilation_cache_settings().items()}
    silent = "ignore:Error reading persistent compilation cache"
    given = os.environ.get("PYTHONWARNINGS")
    return settings | {"PYTHONWARNINGS": f"{given},{silent}" if given else silent}


def _shrink(folder: Path) -> None:
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
