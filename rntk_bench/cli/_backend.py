"""Options of `rntk-bench run` that say where it computes: on this machine or on a Dask cluster."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from rntk_bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rntk_bench.benchmark.backend import Backend, LoadedEvaluation, RunOptions
    from rntk_bench.benchmark.evaluation import Progress
    from rntk_bench.methods import Method

backend_option = click.option(
    "--backend",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Compute on this machine, or on a Dask cluster (extra `cluster`).",
)

scheduler_option = click.option(
    "--scheduler", metavar="ADDRESS", help="Of the Dask cluster, such as tcp://10.0.0.1:8786."
)


def check_options(
    backend: str, scheduler: str | None, dry_run: bool, memory_limit: int | None
) -> None:
    """Raise InputError for options that cannot be combined."""
    if backend == "local":
        if scheduler is not None:
            raise InputError("--scheduler needs --backend dask.")
        return
    if scheduler is None:
        raise InputError("--backend dask needs --scheduler ADDRESS.")
    if dry_run:
        raise InputError("--dry-run estimates for this machine; leave --backend dask out.")
    if memory_limit is not None:
        raise InputError(
            "--memory-limit is of this machine; with --backend dask give it to the workers."
        )
    jobs = click.get_current_context().get_parameter_source("jobs")
    if jobs is click.core.ParameterSource.COMMANDLINE:
        raise InputError(
            "--jobs is of this machine; with --backend dask the workers have the threads that "
            "they were started with."
        )


@contextmanager
def open_backend(
    scheduler: str | None,
    methods: Sequence[Method],
    options: RunOptions,
    start_evaluation: Callable[[LoadedEvaluation], Progress],
    start_plan: Callable[[], Callable[[str], None]],
) -> Iterator[Backend]:
    """The backend on the cluster of a scheduler, or in this process if there is no scheduler.

    Parameters
    ----------
    scheduler : str or None
        The scheduler's address.
    start_evaluation : callable
        Called before each evaluation in this process; returns the callback for its progress.
    start_plan : callable
        Called when the cluster is connected; returns the callback for the plan's progress.

    Raises
    ------
    ExtraError, ClusterError
        As `rntk_bench.benchmark.dask.connection.connected` does.
    """
    if scheduler is None:
        from rntk_bench.benchmark.backend import compute_locally

        yield partial(compute_locally, options=options, start=start_evaluation)
        return
    from rntk_bench.benchmark.dask.backend import DaskBackend
    from rntk_bench.benchmark.dask.connection import connected

    with connected(scheduler, methods, partial(click.echo, err=True)) as client:
        yield DaskBackend(client, methods, options, start_plan())
