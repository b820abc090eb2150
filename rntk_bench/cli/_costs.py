"""The time and memory of a plan: the output of `run --dry-run`, and the check of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from rntk_bench.errors import InputError, format_bytes

if TYPE_CHECKING:
    from rntk_bench.benchmark.backend import RunOptions
    from rntk_bench.benchmark.cost.cluster import ClusterLoad
    from rntk_bench.benchmark.cost.formula import Size
    from rntk_bench.benchmark.plan import Evaluation
    from rntk_bench.config import Experiment
    from rntk_bench.methods import Method

Sizes = dict[str, "Size"]

ANNOUNCED_SECONDS = 5.0
"""Time of the trials of a plan's kernels from which they are announced."""
CLUSTERS = (16, 64, 256)
"""Threads of the clusters for which a long plan's time is forecast."""
LONG_SECONDS = 60.0
"""Time here from which a plan is long."""


def dataset_sizes(names: Sequence[str], data_dir: Path | None, cache_dir: Path | None) -> Sizes:
    """The datasets that are on this machine, and the entries of the archive's table for others.

    Raises
    ------
    DataError
        For a dataset that is neither on this machine nor in the table.
    """
    from rntk_bench.datasets import ARCHIVE, load_dataset
    from rntk_bench.errors import DataError

    sizes: Sizes = {}
    for name in names:
        try:
            sizes[name] = load_dataset(name, data_dir=data_dir, cache_dir=cache_dir, download=False)
        except DataError as error:
            if name not in ARCHIVE:
                raise
            sizes[name] = ARCHIVE[name]
            click.echo(f"{name}: by the archive's table ({error})", err=True)
    return sizes


def check_memory(plan: Sequence[Evaluation], options: RunOptions) -> None:
    """Refuse a plan with an evaluation that needs too much memory, by the archive's table.

    Evaluations with a record need no memory.

    Raises
    ------
    InputError
        Names the first such evaluation, the memory that it needs, and how many there are.
    """
    from rntk_bench.benchmark.cost.memory import limit_jobs
    from rntk_bench.benchmark.runner import stored_record
    from rntk_bench.datasets import ARCHIVE

    errors = []
    for evaluation in plan:
        name, limit = evaluation.dataset, options.memory_limit
        try:
            if name in ARCHIVE:
                limit_jobs(limit, ARCHIVE[name], evaluation.method, evaluation.experiment, 1)
        except InputError as error:
            if stored_record(evaluation, options.overwrite) is None:
                errors.append(f"{name}: {error}")
    if errors:
        more = f" ({len(errors)} evaluations of the plan do not fit.)" if len(errors) > 1 else ""
        raise InputError(errors[0] + more)


def print_plan(plan: Sequence[Evaluation], sizes: Sizes, options: RunOptions) -> None:
    """Print the estimated time and memory of every evaluation on this machine.

    Times are those of a formula. Those of kernels are corrected by short trials if the data are
    here. Evaluations whose record a run would keep take no time. All resamples of a dataset have
    its size, and share a line. The totals follow: of the plan, of each method, and for a long plan
    what it would take on clusters. Networks are forecast for the CPU, also where there is an
    accelerator.

    Raises
    ------
    InputError
        If an evaluation needs too much memory, or has more series than can be classified.
    """
    from rntk_bench.benchmark.cost.cluster import cluster_load
    from rntk_bench.methods import NetworkMethod
    from rntk_bench.networks import pool

    saved = 0.0
    totals: dict[str, float] = {}
    loads: list[ClusterLoad] = []
    lines = _lines(plan, sizes, options)
    needs = iter(_needs([line for line in lines if line.n_missing], options))
    click.echo(f"{'dataset':<32}{'method':<14}{'settings':>9}{'jobs':>6}{'time':>10}{'memory':>10}")
    for line in lines:
        if not line.n_missing:
            click.echo(f"{line.label}{'failed' if line.failed else 'kept':>16}")
            continue
        need = next(needs)
        loads += line.n_missing * [
            cluster_load(line.size, line.method, line.experiment, need.n_jobs * need.seconds)
        ]
        seconds = line.n_missing * need.seconds
        totals[line.method.name] = totals.get(line.method.name, 0.0) + seconds
        saved += line.n_missing * (need.at_most - need.seconds)
        click.echo(
            f"{line.label}{need.n_jobs:>6}{seconds:>8.1f} s{format_bytes(need.memory):>10}"
            + (f"  {line.n_missing} of {line.n} resamples" if line.n > 1 else "")
        )
    total = sum(totals.values())
    click.echo(f"About {total:.0f} s with {options.n_jobs} jobs, without cached Grams.")
    if len(totals) > 1:
        click.echo("By method: " + ", ".join(f"{m} {s:.1f} s" for m, s in totals.items()) + ".")
    networks = any(isinstance(line.method, NetworkMethod) and line.n_missing for line in lines)
    if networks and (device := pool.accelerator()):
        click.echo(f"The times of networks are those of this CPU; a run trains on {device}.")
    if total > LONG_SECONDS:
        click.echo(_on_clusters(loads))
    if n_kept := len(plan) - sum(line.n_missing for line in lines):
        click.echo(f"{n_kept} of {len(plan)} evaluations have a record and are kept.")
    if saved:
        click.echo(f"{total + saved:.0f} s if no network stopped early.")


@dataclass(frozen=True)
class _Line:
    """A method on a dataset, or on all its resamples.

    Attributes
    ----------
    name : str
        Of the dataset.
    size : Dataset or ArchiveEntry
    method : Method
        With its grid for this dataset, if that is here.
    experiment : Experiment
        Of the first resample.
    n, n_missing : int
        The number of evaluations, and of those without a record that a run would keep.
    failed : bool
        Whether one of the records is that of a failure.
    """

    name: str
    size: Size
    method: Method
    experiment: Experiment
    n: int
    n_missing: int
    failed: bool

    @property
    def label(self) -> str:
        """The first columns."""
        return f"{self.name:<32}{self.method.name:<14}{len(self.method.settings):>9}"


def _lines(plan: Sequence[Evaluation], sizes: Sizes, options: RunOptions) -> list[_Line]:
    from rntk_bench.benchmark.runner import stored_record
    from rntk_bench.datasets import Dataset, resample_dataset
    from rntk_bench.methods import KernelMethod
    from rntk_bench.svm.svc import check_size

    resamples: dict[tuple[str, str], list[Evaluation]] = {}
    for evaluation in plan:
        resamples.setdefault((evaluation.dataset, evaluation.method.name), []).append(evaluation)
    lines = []
    for (name, _), evaluations in resamples.items():
        size, method, experiment = sizes[name], evaluations[0].method, evaluations[0].experiment
        dataset = size if isinstance(size, Dataset) else None
        if dataset is not None and isinstance(method, KernelMethod):
            method = method.for_training_set(dataset.X_train)
        stored = []
        for each in evaluations:
            resampled = dataset and resample_dataset(dataset, each.experiment.resample)
            if record := stored_record(each, options.overwrite, resampled):
                stored.append(record)
        n, failed = len(evaluations), any(record.status == "failed" for record in stored)
        if dataset is not None and isinstance(method, KernelMethod) and len(stored) < n:
            check_size(dataset.y_train, name)
        lines.append(_Line(name, size, method, experiment, n, n - len(stored), failed))
    return lines


class _Need(NamedTuple):
    """What one evaluation needs: jobs, seconds, the most seconds, and bytes of memory."""

    n_jobs: int
    seconds: float
    at_most: float
    memory: int


def _needs(lines: Sequence[_Line], options: RunOptions) -> list[_Need]:
    from rntk_bench.benchmark.cost.formula import calibrate, estimate_cost
    from rntk_bench.benchmark.cost.memory import estimate_memory, limit_jobs
    from rntk_bench.benchmark.cost.timed_estimate import EvaluationSize, plan_corrections

    slowness = calibrate()
    plans = []
    for line in lines:
        sized = line.size, line.method, line.experiment
        plans.append(
            EvaluationSize(*sized, limit_jobs(options.memory_limit, *sized, options.n_jobs))
        )
    corrections = plan_corrections(plans, slowness, options.prune, on_start=_announce_trials)
    needs = []
    for (size, method, experiment, n_jobs), correction in zip(plans, corrections, strict=True):
        cost = estimate_cost(size, method, experiment, slowness)
        memory = estimate_memory(size, method, experiment, n_jobs)
        seconds, at_most = correction * cost.seconds / n_jobs, correction * cost.at_most / n_jobs
        needs.append(_Need(n_jobs, seconds, at_most, memory))
    return needs


def _announce_trials(n_trials: int, seconds: float) -> None:
    if seconds > ANNOUNCED_SECONDS:
        click.echo(
            f"Timing parts of {n_trials} evaluations, for about {seconds:.0f} s ...", err=True
        )


def _on_clusters(loads: Sequence[ClusterLoad]) -> str:
    from rntk_bench.benchmark.cost.cluster import forecast_seconds

    times = ", ".join(f"{forecast_seconds(loads, n):.0f} s on {n}" for n in CLUSTERS)
    return f"On a cluster of such cores, if sending the data takes no time: {times}."
