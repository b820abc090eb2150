"""`rntk-bench run`: benchmarks methods on datasets."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _costs as costs
from rntk_bench.cli import _options as options
from rntk_bench.cli._backend import (
    backend_option,
    check_options,
    open_backend,
    scheduler_option,
)
from rntk_bench.cli._signals import report_progress_on_stop
from rntk_bench.cli._streams import say, warn
from rntk_bench.config import format_choice
from rntk_bench.errors import ConfigError, InputError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rntk_bench.benchmark.evaluation import Progress
    from rntk_bench.benchmark.runner import LoadedEvaluation, Outcome
    from rntk_bench.config import Experiment
    from rntk_bench.methods import Method


@click.command()
@options.datasets("May be repeated.")
@click.option("--all", "everything", is_flag=True, help="All datasets of the configuration.")
@options.methods("May be repeated.")
@options.config
@options.jobs
@backend_option
@scheduler_option
@options.protocol_seed
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
    type=click.FloatRange(min=0.0, min_open=True),
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
    methods: tuple[str, ...],
    config: Path | None,
    jobs: int,
    backend: str,
    scheduler: str | None,
    seed: int | None,
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

    from rntk_bench.benchmark.cost.machine_memory import machine_memory
    from rntk_bench.benchmark.plan import make_plan
    from rntk_bench.benchmark.runner import RunOptions, count_stored, run_plan
    from rntk_bench.benchmark.warmup import warm_up
    from rntk_bench.compiling import announce_compilation
    from rntk_bench.config import load_experiment
    from rntk_bench.methods import KERNEL_METHODS, resolve
    from rntk_bench.storage.cache import GramCache, cache_folder

    check_options(backend, scheduler, dry_run, memory_limit)
    source = click.get_current_context().get_parameter_source("cache_limit")
    if no_cache and source is click.core.ParameterSource.COMMANDLINE:
        raise InputError("--cache-limit has no use with --no-cache; leave one of them out.")
    experiment = load_experiment(config, methods, seed)
    resolved = resolve(experiment)
    names = _names(datasets, everything, experiment, config)
    plan = make_plan(names, resolved, experiment, results)
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
    display = _Display(quiet)

    def progress() -> str:
        display.close()
        return (
            f"{count_stored(plan)} of {len(plan)} evaluations are finished and kept in "
            f"{results}; the same command goes on from there."
        )

    def compile_loops(methods: Sequence[Method]) -> None:
        announce_compilation(partial(warm_up, methods), partial(click.echo, err=True))

    # Loops are compiled when the data of the first evaluation in this process have been loaded.
    compile_once = cache(partial(compile_loops, resolved))

    def start_evaluation(loaded: LoadedEvaluation) -> Progress:
        compile_once()
        return display.start_evaluation(loaded)

    with report_progress_on_stop(progress):
        if dry_run:
            sizes = costs.dataset_sizes(names, data_dir, cache_dir)
            # The speed of the RNTK's loops calibrates the estimate.
            compile_loops([*resolved, KERNEL_METHODS["rntk"]])
            costs.print_plan(plan, sizes, run_options)
            return
        if not no_cache:
            grams = GramCache(cache_folder(cache_dir), cache_limit, on_warning=warn)
            run_options = replace(run_options, cache=grams)
        start_plan = partial(display.start_plan, len(plan))
        with open_backend(scheduler, resolved, run_options, start_evaluation, start_plan) as where:
            outcomes = run_plan(plan, run_options, where, display.report)
    kinds = Counter(outcome.kind for outcome in outcomes)
    if kinds["failed"]:
        click.echo(
            f"{kinds['failed']} of {len(plan)} evaluations failed; try them again with "
            "--overwrite failed.",
            err=True,
        )
    sys.exit(2 if "unreadable" in kinds else 1 if "failed" in kinds else 0)


def _names(
    datasets: Sequence[str], everything: bool, experiment: Experiment, config: Path | None
) -> list[str]:
    from rntk_bench.datasets.paper import PAPER_DATASETS

    if datasets and everything:
        raise InputError("--all and --dataset exclude each other; leave one of them out.")
    if datasets:
        return list(dict.fromkeys(datasets))
    if not everything and config is None:
        raise InputError(
            "No dataset is named; name one with -d NAME, or run the paper's with --all."
        )
    if config and not experiment.datasets:
        raise ConfigError(f"{config}: experiment.datasets is missing; list some, or use -d NAME.")
    return list(experiment.datasets or PAPER_DATASETS)


class _Display:
    """The output of a run: progress bars on a terminal, and one line per finished evaluation.

    There is one bar for each evaluation in this process, or one for a whole plan on a cluster.
    """

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._bar: Any = None
        self._plan_bar: Any = None

    def start_plan(self, n_evaluations: int) -> Callable[[str], None]:
        """Draw the bar of a plan; returns the callback for its progress."""
        self._plan_bar = self._new_bar("plan", "evaluation", n_evaluations)
        return partial(self._plan_bar.set_postfix_str, refresh=True)

    def start_evaluation(self, loaded: LoadedEvaluation) -> Progress:
        """Draw the bar of an evaluation; returns the callback for its progress."""
        method = loaded.evaluation.method
        name = f"{loaded.dataset.name} {method.name}: {method.progress_label}"
        self._bar = self._new_bar(name, method.progress_unit)
        return self._show_progress

    def _new_bar(self, name: str, unit: str, total: int | None = None) -> Any:
        from tqdm import tqdm

        hidden = self.quiet or not sys.stderr.isatty()
        return tqdm(desc=name, unit=unit, total=total, leave=False, disable=hidden)

    def _show_progress(self, done: int, total: int, best: float) -> None:
        self._bar.total = total
        self._bar.set_postfix_str(
            "test" if done == total else f"best validation {100 * best:.2f} %", refresh=False
        )
        self._bar.update(done - self._bar.n)

    def report(self, outcome: Outcome) -> None:
        """Print an outcome, above the plan's bar if there is one."""
        self._close_bar()
        if self._plan_bar is None:
            self._print(outcome)
            return
        self._plan_bar.clear()
        self._print(outcome)
        self._plan_bar.update()
        self._plan_bar.refresh()

    def _print(self, outcome: Outcome) -> None:
        dataset, method, record = one_line(outcome.dataset), outcome.method, outcome.record
        if outcome.kind in ("failed", "unreadable"):
            name = f"{dataset} {method}" if outcome.kind == "failed" else dataset
            say(f"{name} failed: {outcome.message}", err=True)
            return
        if self.quiet or record is None or record.selection is None or record.test is None:
            return
        selection = record.selection
        time = "kept" if outcome.kind == "kept" else f"{record.timings['total']:.1f} s"
        say(
            f"{dataset} {method}: test {100 * record.test['accuracy']:.2f} %, "
            f"validation {100 * selection['accuracy']:.2f} % "
            f"({format_choice(selection)}, {selection['ties']} tied) [{time}]"
        )
        for warning in record.warnings if outcome.kind == "computed" else ():
            say(f"  {warning}", err=True)

    def close(self) -> None:
        """Remove the bars."""
        self._close_bar()
        if self._plan_bar is not None:
            self._plan_bar.close()

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
