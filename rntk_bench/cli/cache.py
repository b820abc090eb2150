"""`rntk-bench cache`: the cache of Gram matrices."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli._streams import warn
from rntk_bench.errors import format_bytes


@click.group()
def cache() -> None:
    """Inspect or empty the cache of Gram matrices."""


@cache.command()
@options.cache_dir
@options.cache_limit
def info(cache_dir: Path | None, cache_limit: int) -> None:
    """Print the folder, the number of matrices and the size of the cache."""
    from rntk_bench.storage.cache import GramCache, cache_folder

    contents = GramCache(cache_folder(cache_dir), cache_limit, on_warning=warn).info()
    click.echo(f"Folder:  {contents.folder}")
    click.echo(f"Entries: {contents.entries}")
    click.echo(f"Size:    {format_bytes(contents.bytes)} (limit {format_bytes(contents.limit)})")


@cache.command()
@options.cache_dir
def clear(cache_dir: Path | None) -> None:
    """Remove all cached Gram matrices."""
    from rntk_bench.storage.cache import GramCache, cache_folder

    removed = GramCache(cache_folder(cache_dir), on_warning=warn).clear()
    entries = "entry" if removed.entries == 1 else "entries"
    size = format_bytes(removed.bytes)
    click.echo(f"Removed {removed.entries} {entries}, {size}, from {removed.folder}.")
