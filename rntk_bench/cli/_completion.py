"""Shell completion of the names of datasets, methods, protocols and configurations.

Each function has the signature of Click's `shell_complete`. To be fast, they read only the names of
files and import only the summary of the archive; a folder that cannot be read has no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from rntk_bench.cli._dataset_names import known_datasets
from rntk_bench.config import shipped_configurations
from rntk_bench.methods import KERNEL_METHODS, METHODS, NETWORK_METHODS, display_name

Items = list[CompletionItem]

_RECORD = re.compile(r"(.+)-([0-9a-f]{8})\.json")


def datasets(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Datasets of the archive, and those in the folder of `--data-dir`."""
    return _matching_items(incomplete, known_datasets(ctx.params.get("data_dir")))


def recorded_datasets(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Datasets with a record in the folder of `--results`."""
    return _matching_items(incomplete, sorted({dataset for dataset, _, _ in _records(ctx)}))


def methods(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Methods, kernels and networks."""
    return _method_items(incomplete, METHODS)


def kernels(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Methods that are kernels."""
    return _method_items(incomplete, KERNEL_METHODS)


def networks(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Methods that are finite networks."""
    return _method_items(incomplete, NETWORK_METHODS)


def recorded_methods(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Methods with a record in the folder of `--results` (of the given dataset, if any)."""
    dataset = ctx.params.get("dataset")
    methods = {method for name, method, _ in _records(ctx) if dataset in (None, name)}
    return _method_items(incomplete, sorted(methods))


def protocols(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Identifiers of the protocols of records in the folder of `--results`."""
    return _matching_items(incomplete, sorted({protocol for _, _, protocol in _records(ctx)}))


def configurations(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Configurations that come with the package, and TOML files, also in the folder `configs`; all
    files if none has this prefix."""
    folders = {Path(incomplete.rpartition("/")[0]), Path("configs")}
    paths = {str(path) for folder in folders for path in _files(folder, "*.toml")}
    items = _matching_items(incomplete, [*shipped_configurations(), *sorted(paths)])
    return items or [CompletionItem(incomplete, type="file")]


def _matching_items(incomplete: str, names: Iterable[str]) -> Items:
    """The names with this prefix, regardless of case."""
    start = incomplete.casefold()
    return [CompletionItem(name) for name in names if name.casefold().startswith(start)]


def _method_items(incomplete: str, names: Iterable[str]) -> Items:
    """Methods with their titles, for shells that show descriptions."""
    items = _matching_items(incomplete, names)
    return [CompletionItem(item.value, help=display_name(item.value)) for item in items]


def _records(ctx: click.Context) -> Iterator[tuple[str, str, str]]:
    """Dataset, method and protocol of each record, from the names of the files."""
    for path in _files(ctx.params.get("results"), "*/*-*.json"):
        if match := _RECORD.fullmatch(path.name):
            yield path.parent.name, match[1], match[2]


def _files(folder: Path | None, pattern: str) -> list[Path]:
    """Files of a folder that match the pattern; none if the folder cannot be read."""
    with suppress(OSError, RuntimeError):  # no such user in ~user
        return sorted(folder.expanduser().glob(pattern)) if folder else []
    return []
