"""Keeps what JAX compiles for an accelerator, so that a second start need not compile it again."""

from __future__ import annotations

from typing import Any

import jax

from rntk_bench.compiling import is_private
from rntk_bench.storage.paths import user_cache_folder


def keep_compiled() -> None:
    """Let JAX store what it compiles in this package's cache folder, if it stores it nowhere yet.

    JAX runs what it finds there, so that a folder which others can write to or replace is not used.
    """
    config: Any = jax.config
    if config.jax_compilation_cache_dir is not None:
        return
    folder = user_cache_folder() / "xla"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return
    if is_private(str(folder)) and is_private(str(folder.parent)):
        config.update("jax_compilation_cache_dir", str(folder))
