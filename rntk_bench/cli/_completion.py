"""What a shell may complete where an option or argument names something.

Each function has the signature that Click asks of `shell_complete`. Nothing here reads more than
the names in a folder or imports more than the archive's table, so that a shell need not wait; what
cannot be read has no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from rntk_bench.methods import KERNEL_METHODS, METHODS, NETWORK_METHODS, display_name

Items = list[CompletionItem]

_RECORD = re.compile(r"(.+)-([0-9a-f]{8})\.json")


def datasets(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Datasets of the archive, and those in the folder of `--data-dir`."""
    from rntk_bench.datasets.archive import ARCHIVE, MULTIVARIATE

    splits = _files(ctx.params.get("data_dir"), "*/*_TRAIN.*")
    own = [path.parent.name for path in splits if path.stem == f"{path.parent.name}_TRAIN"]
    names = sorted({*ARCHIVE, *MULTIVARIATE, *own}, key=str.casefold)
    return _beginning(incomplete, names)


def recorded_datasets(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Datasets with a record in the folder of `--results`."""
    return _beginning(incomplete, sorted({dataset for dataset, _, _ in _records(ctx)}))


def methods(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Methods, kernels and networks."""
    return _methods(incomplete, METHODS)


def kernels(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Methods that are kernels."""
    return _methods(incomplete, KERNEL_METHODS)


def networks(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """Methods that are finite networks."""
    return _methods(incomplete, NETWORK_METHODS)


def recorded_methods(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Methods with a record in the folder of `--results`, of the argument's dataset if given."""
    wanted = ctx.params.get("dataset")
    found = {method for dataset, method, _ in _records(ctx) if wanted in (None, dataset)}
    return _methods(incomplete, sorted(found))


def protocols(ctx: click.Context, _: click.Parameter, incomplete: str) -> Items:
    """Identifiers of the protocols of records in the folder of `--results`."""
    return _beginning(incomplete, sorted({protocol for _, _, protocol in _records(ctx)}))


def configurations(_: click.Context, __: click.Parameter, incomplete: str) -> Items:
    """TOML files that begin so, also in the folder `configs`; any file where there are none."""
    folders = {Path(incomplete.rpartition("/")[0]), Path("configs")}
    found = {str(path) for folder in folders for path in _files(folder, "*.toml")}
    items = _beginning(incomplete, sorted(found))
    return items or [CompletionItem(incomplete, type="file")]


def _beginning(incomplete: str, names: Iterable[str]) -> Items:
    """The names that begin so, in whatever case."""
    start = incomplete.casefold()
    return [CompletionItem(name) for name in names if name.casefold().startswith(start)]


def _methods(incomplete: str, names: Iterable[str]) -> Items:
    """Names with what they are, for the shells that show it."""
    items = _beginning(incomplete, names)
    return [CompletionItem(item.value, help=display_name(item.value)) for item in items]


def _records(ctx: click.Context) -> Iterator[tuple[str, str, str]]:
    """Dataset, method and protocol of each record, by the files' names."""
    for path in _files(ctx.params.get("results"), "*/*-*.json"):
        if match := _RECORD.fullmatch(path.name):
            yield path.parent.name, match[1], match[2]


def _files(folder: Path | None, pattern: str) -> list[Path]:
    """Files of a folder that match the pattern, none where it cannot be read."""
    with suppress(OSError, RuntimeError):  # no such user in ~user
        return sorted(folder.expanduser().glob(pattern)) if folder else []
    return []
