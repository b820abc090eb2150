"""`rntk-bench run`: benchmark methods on datasets."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _backend as place
from rntk_bench.cli import _costs as costs
from rntk_bench.cli import _options as options
from rntk_bench.cli._signals import report_progress_on_stop
from rntk_bench.cli._streams import say
from rntk_bench.config import format_choice
from rntk_bench.errors import ConfigError, InputError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rntk_bench.benchmark.plan import Outcome
    from rntk_bench.config import Experiment
    from rntk_bench.datasets import Dataset
    from rntk_bench.methods import Method


@click.command()
@options.datasets("May be repeated.")
@click.option("--all", "everything", is_flag=True, help="All datasets of the configuration.")
@options.methods("May be repeated.")
@options.config
@options.jobs
@place.backend
@place.scheduler
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
    help="A cell that takes longer is stopped and recorded as failed.",
)
@options.memory_limit(
    "What a cell may take: it gets as many jobs as fit, and a plan that does not fit is refused.",
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
    """Benchmark methods on datasets; one record a cell, written as soon as it is done.

    What has a record for the same protocol and data is skipped, so an interrupted run goes on
    where it was, and several may share one folder. Exit code: 0 all done, 1 some cell failed, 2
    usage or input, 3 a record cannot be stored, 4 no cluster or other code on it, 130 interrupted,
    143 terminated.
    """
    from joblib import effective_n_jobs

    from rntk_bench.benchmark.cost.machine_memory import machine_memory
    from rntk_bench.benchmark.plan import Options, count_stored
    from rntk_bench.benchmark.runner import run_plan
    from rntk_bench.benchmark.warmup import check_extras, warm_up
    from rntk_bench.compiling import announce_compilation
    from rntk_bench.config import load_experiment
    from rntk_bench.methods import KERNEL_METHODS, resolve
    from rntk_bench.storage.cache import GramCache, cache_folder

    place.check(backend, scheduler, dry_run, memory_limit)
    source = click.get_current_context().get_parameter_source("cache_limit")
    if no_cache and source is click.core.ParameterSource.COMMANDLINE:
        raise InputError("--cache-limit has no use with --no-cache; leave one of them out.")
    experiment = load_experiment(config, methods, seed)
    resolved = resolve(experiment)
    names = _names(datasets, everything, experiment, config)
    if memory_limit is None and scheduler is None:
        memory_limit = machine_memory()
    settings = Options(
        results=results,
        data_dir=data_dir,
        cache_dir=cache_dir,
        n_jobs=effective_n_jobs(jobs),
        prune=prune,
        overwrite=overwrite,
        fail_fast=fail_fast,
        timeout=timeout,
        memory_limit=memory_limit,
    )
    costs.refuse_what_does_not_fit(names, resolved, experiment, settings)
    display = _Display(quiet)
    n_cells = len(names) * len(resolved)

    def progress() -> str:
        display.close()
        finished = count_stored(names, resolved, experiment, results)
        return (
            f"{finished} of {n_cells} cells are finished and kept in {results}; the same command "
            "goes on from there."
        )

    def compile_loops(methods: Sequence[Method]) -> None:
        announce_compilation(partial(warm_up, methods), partial(click.echo, err=True))

    # Only before the first cell that is computed here: by then its data are on this machine.
    compile_once = cache(partial(compile_loops, resolved))

    def start_cell(dataset: Dataset, method: Method) -> Any:
        compile_once()
        return display.start_cell(dataset, method)

    check_extras(resolved)
    with report_progress_on_stop(progress):
        if dry_run:
            found = costs.sizes(names, data_dir, cache_dir)
            # A plan's cost is told by the speed of the kernels' loops.
            compile_loops([*resolved, KERNEL_METHODS["rntk"]])
            costs.print_plan(found, resolved, experiment, settings)
            return
        if not no_cache:
            grams = GramCache(cache_folder(cache_dir), cache_limit, on_warning=_warn)
            settings = replace(settings, cache=grams)
        start_plan = partial(display.start_plan, n_cells)
        with place.opened(scheduler, resolved, experiment, settings, start_plan) as where:
            outcomes = run_plan(
                names, resolved, experiment, settings, start_cell, display.report, where
            )
    kinds = Counter(outcome.kind for outcome in outcomes)
    if kinds["failed"]:
        click.echo(
            f"{kinds['failed']} of {n_cells} cells failed; try them again with --overwrite failed.",
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


def _warn(message: str) -> None:
    click.echo(f"Warning: {message}", err=True)


class _Display:
    """One progress bar a cell or one for a whole plan on a terminal, one line a finished cell."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self._bar: Any = None
        self._plan: Any = None

    def start_plan(self, n_cells: int) -> Callable[[str], None]:
        """For cells that are computed side by side; returns what to tell of the plan's progress."""
        self._plan = self._new_bar("plan", "cell", n_cells)
        return partial(self._plan.set_postfix_str, refresh=True)

    def start_cell(self, dataset: Dataset, method: Method) -> Any:
        name = f"{dataset.name} {method.name}: {method.progress_label}"
        self._bar = self._new_bar(name, method.progress_unit)
        return self._progress

    def _new_bar(self, name: str, unit: str, total: int | None = None) -> Any:
        from tqdm import tqdm

        hidden = self.quiet or not sys.stderr.isatty()
        return tqdm(desc=name, unit=unit, total=total, leave=False, disable=hidden)

    def _progress(self, done: int, total: int, best: float) -> None:
        self._bar.total = total
        self._bar.set_postfix_str(
            "test" if done == total else f"best validation {100 * best:.2f} %", refresh=False
        )
        self._bar.update(done - self._bar.n)

    def report(self, outcome: Outcome) -> None:
        """Say what became of a cell, above the plan's bar if there is one."""
        self._close_cell()
        if self._plan is None:
            self._tell(outcome)
            return
        self._plan.clear()
        self._tell(outcome)
        self._plan.update()
        self._plan.refresh()

    def _tell(self, outcome: Outcome) -> None:
        if outcome.kind in ("failed", "unreadable"):
            name = (
                outcome.dataset
                if outcome.kind == "unreadable"
                else (f"{outcome.dataset} {outcome.method}")
            )
            say(f"{one_line(name)} failed: {outcome.message}", err=True)
            return
        record = outcome.record
        if self.quiet or record is None or record.selection is None or record.test is None:
            return
        spent = "kept" if outcome.kind == "kept" else f"{record.timings['total']:.1f} s"
        selection = record.selection
        say(
            f"{one_line(outcome.dataset)} {outcome.method}: "
            f"test {100 * record.test['accuracy']:.2f} %, "
            f"validation {100 * selection['accuracy']:.2f} % "
            f"({format_choice(selection)}, {selection['ties']} tied) [{spent}]"
        )
        for warning in record.warnings if outcome.kind == "computed" else ():
            say(f"  {warning}", err=True)

    def close(self) -> None:
        """Take the bars away."""
        self._close_cell()
        if self._plan is not None:
            self._plan.close()

    def _close_cell(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
