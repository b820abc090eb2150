"""`rntk-bench cache`: the Gram matrices kept between runs."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._streams import warn


@click.group()
def cache() -> None:
    """Look into or empty the cache of Gram matrices."""


@cache.command()
@options.cache_dir
@options.cache_limit
def info(cache_dir: Path | None, cache_limit: int) -> None:
    """Print where the cache is and how much it holds."""
    from rntk_bench.storage.cache import GramCache, cache_folder

    held = GramCache(cache_folder(cache_dir), cache_limit, on_warning=warn).info()
    click.echo(f"Folder:  {held.folder}")
    click.echo(f"Entries: {held.entries}")
    click.echo(f"Size:    {_size(held.bytes)} (limit {_size(held.limit)})")


@cache.command()
@options.cache_dir
def clear(cache_dir: Path | None) -> None:
    """Remove every cached Gram matrix and print what was freed."""
    from rntk_bench.storage.cache import GramCache, cache_folder

    removed = GramCache(cache_folder(cache_dir), on_warning=warn).clear()
    entries = "entry" if removed.entries == 1 else "entries"
    click.echo(
        f"Removed {removed.entries} {entries}, {_size(removed.bytes)}, from {removed.folder}."
    )


def _size(n_bytes: int) -> str:
    """Bytes in the largest binary unit that leaves a number of at least one."""
    size = float(n_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
