"""What a plan costs: told by `rntk-bench run --dry-run`, and what does not fit is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from rntk_bench.benchmark.cost.formula import Size
    from rntk_bench.benchmark.plan import Options
    from rntk_bench.config import Experiment
    from rntk_bench.methods import Method
    from rntk_bench.storage.records import Record

Sizes = dict[str, "Size"]


def sizes(names: Sequence[str], data_dir: Path | None, cache_dir: Path | None) -> Sizes:
    """The datasets' sizes, by the archive's table where the data are not here.

    Raises
    ------
    DataError
        For a dataset that is neither here nor in the table.
    """
    from rntk_bench.datasets import ARCHIVE, load_dataset
    from rntk_bench.errors import DataError

    found: Sizes = {}
    for name in names:
        try:
            found[name] = load_dataset(name, data_dir=data_dir, cache_dir=cache_dir, download=False)
        except DataError as error:
            if name not in ARCHIVE:
                raise
            found[name] = ARCHIVE[name]
            click.echo(f"{name}: by the archive's table ({error})", err=True)
    return found


def refuse_what_does_not_fit(
    names: Sequence[str], methods: Sequence[Method], experiment: Experiment, settings: Options
) -> None:
    """Refuse a plan with a cell to compute that does not fit into the memory, by the archive's
    table.

    Raises
    ------
    InputError
        Names the first such cell, what it takes and how many there are.
    """
    from rntk_bench.benchmark.cost.memory import limit_jobs
    from rntk_bench.datasets import ARCHIVE

    errors = []
    for name in names:
        for method in methods:
            try:
                if name in ARCHIVE:
                    limit_jobs(settings.memory_limit, ARCHIVE[name], method, experiment, 1)
            except InputError as error:
                if _kept(name, method, experiment, settings) is None:
                    errors.append(f"{name}: {error}")
    if errors:
        more = f" ({len(errors)} cells of the plan do not fit.)" if len(errors) > 1 else ""
        raise InputError(errors[0] + more)


def _kept(
    name: str,
    method: Method,
    experiment: Experiment,
    settings: Options,
    size: Size | None = None,
) -> Record | None:
    """The record that makes computing a cell unnecessary, of these data where they are here."""
    from rntk_bench.benchmark.plan import kept_record
    from rntk_bench.datasets import Dataset
    from rntk_bench.storage.records import record_path

    path = record_path(settings.results, name, method.name, method.protocol(experiment))
    return kept_record(path, settings.overwrite, size if isinstance(size, Dataset) else None)


def print_plan(
    found: Sizes, methods: Sequence[Method], experiment: Experiment, settings: Options
) -> None:
    """Estimate every cell on this machine, a kernel's by a short trial where its data are here.

    What has a record that a run would keep takes no time.

    Raises
    ------
    InputError
        If a cell does not fit into the memory, or has more series than can be classified.
    """
    from rntk_bench.benchmark.cost.formula import calibrate, estimate_cost
    from rntk_bench.benchmark.cost.memory import estimate_memory, format_bytes, limit_jobs
    from rntk_bench.benchmark.cost.timed_estimate import estimate_seconds
    from rntk_bench.datasets import Dataset
    from rntk_bench.methods import KernelMethod
    from rntk_bench.svm.svc import check_size

    slowness = calibrate()
    total = at_most = 0.0
    n_kept = 0
    click.echo(f"{'dataset':<32}{'method':<14}{'settings':>9}{'jobs':>6}{'time':>10}{'memory':>10}")
    for name, size in found.items():
        for method in methods:
            line = f"{name:<32}{method.name:<14}{len(method.settings()):>9}"
            if record := _kept(name, method, experiment, settings, size):
                n_kept += 1
                click.echo(f"{line}{'kept' if record.status == 'ok' else 'failed':>16}")
                continue
            if isinstance(size, Dataset) and isinstance(method, KernelMethod):
                check_size(size.y_train, name)
            fitting = limit_jobs(settings.memory_limit, size, method, experiment, settings.n_jobs)
            cost = estimate_cost(size, method, experiment, slowness, fitting)
            seconds, longest = cost.seconds / fitting, cost.at_most / fitting
            if isinstance(size, Dataset) and isinstance(method, KernelMethod):
                seconds = longest = estimate_seconds(
                    size, method, experiment, fitting, slowness, settings.prune
                )
            total, at_most = total + seconds, at_most + longest
            memory = format_bytes(estimate_memory(size, method, experiment, fitting))
            click.echo(f"{line}{fitting:>6}{seconds:>8.1f} s{memory:>10}")
    click.echo(f"About {total:.0f} s with {settings.n_jobs} jobs, without cached Grams.")
    if n_kept:
        click.echo(f"{n_kept} of {len(found) * len(methods)} cells have a record and are kept.")
    if at_most > total:
        click.echo(f"{at_most:.0f} s if no network stopped early.")
