"""`rntk-bench run`: benchmarks methods on datasets."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rntk_bench.cli import _costs as costs
from rntk_bench.cli import _options as options
from rntk_bench.cli._backend import (
    backend_option,
    check_options,
    open_backend,
    scheduler_option,
)
from rntk_bench.cli._compiling import compile_loops
from rntk_bench.cli._dataset_names import all_option, archive_option, plan_datasets
from rntk_bench.cli._plan_display import PlanDisplay
from rntk_bench.cli._signals import report_progress_on_stop
from rntk_bench.cli._streams import say, warn
from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rntk_bench.benchmark.backend import LoadedEvaluation, RunOptions
    from rntk_bench.benchmark.evaluation import Progress
    from rntk_bench.benchmark.plan import Evaluation
    from rntk_bench.benchmark.runner import Outcome
    from rntk_bench.methods import Method


@click.command()
@options.datasets(
    "A dataset in any case, a pattern such as 'GunPoint*', or a file with one of these per line. "
    "May be repeated."
)
@all_option
@archive_option
@options.methods(
    "May be repeated; `rntk-bench methods` lists them.  [default: the configuration's, else "
    "the paper's four kernels]"
)
@options.config
@options.jobs
@backend_option
@scheduler_option
@options.protocol_seed
@options.resamples
@options.results
@options.data_dir
@options.cache_dir
@click.option("--no-cache", is_flag=True, help="Neither read nor store Gram matrices.")
@options.cache_limit
@click.option(
    "--overwrite",
    type=click.Choice(["missing", "failed", "always"]),
    default="missing",
    show_default=True,
    help="Compute what has no record, also what failed, or everything again.",
)
@click.option(
    "--prune/--no-prune",
    default=True,
    show_default=True,
    help="Leave out folds that cannot change the choice.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan with its estimated cost and stop.")
@click.option(
    "--timeout",
    type=options.FiniteRange(min=0.0, min_open=True),
    metavar="SECONDS",
    help="An evaluation that takes longer is stopped and recorded as failed.",
)
@options.memory_limit(
    "For one evaluation: it gets as many jobs as fit, and a plan that does not fit is refused.",
    "the machine's memory",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@options.quiet
def run(
    datasets: tuple[str, ...],
    everything: bool,
    archive: bool,
    methods: tuple[str, ...],
    config: Path | None,
    jobs: int,
    backend: str,
    scheduler: str | None,
    seed: int | None,
    resamples: tuple[int, ...],
    results: Path,
    data_dir: Path | None,
    cache_dir: Path | None,
    no_cache: bool,
    cache_limit: int,
    overwrite: str,
    prune: bool,
    dry_run: bool,
    timeout: float | None,
    memory_limit: int | None,
    fail_fast: bool,
    quiet: bool,
) -> None:
    """Benchmark methods on datasets.

    Each evaluation of a method on a dataset gets one record, which is written as soon as it is
    finished. Evaluations with a record for the same protocol and data are skipped, so an
    interrupted run can be continued, and several runs may share one folder.

    Exit codes: 0 all done, 1 some evaluation failed, 2 wrong usage or input, 3 a record cannot be
    stored, 4 no cluster or other code on it, 130 interrupted, 143 terminated.
    """
    from joblib import effective_n_jobs

    from rntk_bench.benchmark.backend import RunOptions
    from rntk_bench.benchmark.cost.machine_memory import machine_memory
    from rntk_bench.benchmark.plan import make_plan
    from rntk_bench.config import load_experiment
    from rntk_bench.methods import KERNEL_METHODS, resolve
    from rntk_bench.storage.cache import GramCache, cache_folder

    check_options(backend, scheduler, dry_run, memory_limit)
    _check_uses(dry_run, no_cache)
    experiment = load_experiment(config, methods, seed)
    resolved = resolve(experiment)
    names = plan_datasets(
        datasets,
        everything,
        archive,
        experiment,
        data_dir=data_dir,
        cache_dir=cache_dir,
        quiet=quiet,
    )
    if not names:
        raise InputError(
            f"{config or 'The command'} names no dataset; name some with -d NAME, or run those of "
            "the paper with --all, or those of the archive that are on this machine with --archive."
        )
    plan = make_plan(names, resolved, experiment, results, resamples)
    if memory_limit is None and scheduler is None:
        memory_limit = machine_memory()
    run_options = RunOptions(
        data_dir=data_dir,
        cache_dir=cache_dir,
        n_jobs=effective_n_jobs(jobs),
        prune=prune,
        overwrite=overwrite,
        fail_fast=fail_fast,
        timeout=timeout,
        memory_limit=memory_limit,
    )
    costs.check_memory(plan, run_options)
    if dry_run:
        sizes = costs.dataset_sizes(names, data_dir, cache_dir)
        # The speed of the RNTK's loops calibrates the estimate.
        compile_loops([*resolved, KERNEL_METHODS["rntk"]])
        costs.print_plan(plan, sizes, run_options)
        return
    if not no_cache:
        grams = GramCache(cache_folder(cache_dir), cache_limit, on_warning=warn)
        run_options = replace(run_options, cache=grams)
    outcomes = _compute(plan, resolved, run_options, scheduler, quiet)
    sys.exit(_report(outcomes, len(plan), quiet))


def _check_uses(dry_run: bool, no_cache: bool) -> None:
    """Raise InputError for options that have no use beside others."""
    if dry_run:
        options.reject_unused(["timeout", "fail_fast"], "has no effect on --dry-run")
    source = click.get_current_context().get_parameter_source("cache_limit")
    if no_cache and source is click.core.ParameterSource.COMMANDLINE:
        raise InputError("--cache-limit has no use with --no-cache; leave one of them out.")


def _compute(
    plan: Sequence[Evaluation],
    methods: Sequence[Method],
    run_options: RunOptions,
    scheduler: str | None,
    quiet: bool,
) -> list[Outcome]:
    """Compute a plan, with its progress shown; if it is stopped, say what is finished."""
    from rntk_bench.benchmark.runner import count_stored, run_plan
    from rntk_bench.benchmark.time_left import TimeLeft

    display = PlanDisplay(TimeLeft(plan, run_options.n_jobs, run_options.overwrite), quiet)

    def progress() -> str:
        display.close()
        again = "computes all again" if run_options.overwrite == "always" else "goes on from there"
        return (
            f"{count_stored(plan)} of {len(plan)} evaluations are finished and kept in "
            f"{plan[0].results}; the same command {again}."
        )

    # Loops are compiled when the data of the first evaluation in this process have been loaded.
    compile_once = cache(partial(compile_loops, methods))

    def start_evaluation(loaded: LoadedEvaluation) -> Progress:
        compile_once()
        return display.start_evaluation(loaded)

    backend = open_backend(scheduler, methods, run_options, start_evaluation, display.start_plan)
    with report_progress_on_stop(progress), backend as where:
        outcomes = run_plan(plan, run_options, where, display.report)
        display.close()
    return outcomes


def _report(outcomes: Sequence[Outcome], n_planned: int, quiet: bool) -> int:
    """Print what a plan has come to, and return the exit code."""
    from rntk_bench.report.tables.plan_summary import plan_summary

    if not quiet:
        for line in plan_summary([each.record for each in outcomes if each.record is not None]):
            say(line)
    kinds = Counter(outcome.kind for outcome in outcomes)
    if kinds["failed"]:
        click.echo(
            f"{kinds['failed']} of {n_planned} evaluations failed; try them again with "
            "--overwrite failed.",
            err=True,
        )
    return 2 if "unreadable" in kinds else 1 if "failed" in kinds else 0
