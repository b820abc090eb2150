"""What a plan costs: told by `rntk-bench run --dry-run`, and what does not fit is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from rntk_bench.config import Experiment
    from rntk_bench.experiments.estimate import Size
    from rntk_bench.methods import Method

Sizes = dict[str, "Size"]


def sizes(names: Sequence[str], data_dir: Path | None, cache_dir: Path | None) -> Sizes:
    """The datasets' sizes, by the archive's table where the data are not here.

    Raises
    ------
    DataError
        For a dataset that is neither here nor in the table.
    """
    from rntk_bench.data import ARCHIVE, load_dataset
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
    limit: int | None, names: Sequence[str], methods: Sequence[Method], experiment: Experiment
) -> None:
    """Refuse a plan with a cell that does not fit into the memory, by the archive's table.

    Raises
    ------
    InputError
        Names the first such cell, what it takes and how many there are.
    """
    from rntk_bench.data import ARCHIVE
    from rntk_bench.experiments.memory import jobs_within

    errors = []
    for name in names:
        for method in methods:
            try:
                if name in ARCHIVE:
                    jobs_within(limit, ARCHIVE[name], method, experiment, 1)
            except InputError as error:
                errors.append(f"{name}: {error}")
    if errors:
        more = f" ({len(errors)} cells of the plan do not fit.)" if len(errors) > 1 else ""
        raise InputError(errors[0] + more)


def print_plan(
    found: Sizes,
    methods: Sequence[Method],
    experiment: Experiment,
    jobs: int,
    limit: int | None,
) -> None:
    """Estimate every cell on this machine, a kernel's by a short trial where its data are here.

    Raises
    ------
    InputError
        If a cell does not fit into the memory.
    """
    from rntk_bench.data import Dataset
    from rntk_bench.experiments.estimate import calibrate, cell_cost
    from rntk_bench.experiments.memory import cell_memory, in_words, jobs_within
    from rntk_bench.experiments.trial import tried_seconds
    from rntk_bench.methods import KernelMethod

    slowness = calibrate()
    total = at_most = 0.0
    click.echo(f"{'dataset':<32}{'method':<14}{'settings':>9}{'jobs':>6}{'time':>10}{'memory':>10}")
    for name, size in found.items():
        for method in methods:
            fitting = jobs_within(limit, size, method, experiment, jobs)
            cost = cell_cost(size, method, experiment, slowness, fitting)
            seconds, longest = cost.seconds / fitting, cost.at_most / fitting
            if isinstance(size, Dataset) and isinstance(method, KernelMethod):
                seconds = longest = tried_seconds(size, method, experiment, fitting, slowness)
            total, at_most = total + seconds, at_most + longest
            memory = in_words(cell_memory(size, method, experiment, fitting))
            click.echo(
                f"{name:<32}{method.name:<14}{len(method.settings()):>9}{fitting:>6}"
                f"{seconds:>8.1f} s{memory:>10}"
            )
    click.echo(f"About {total:.0f} s with {jobs} jobs, without cached Grams.")
    if at_most > total:
        click.echo(f"{at_most:.0f} s if no network stopped early.")
