"""`rntk-bench regress`: the paper's regression experiment (Figure 4), and the user's own series."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli._output import check_not_input
from rntk_bench.cli._progress import progress_bar
from rntk_bench.errors import InputError
from rntk_bench.formatting import format_setting

if TYPE_CHECKING:
    from rntk_bench.methods import KernelMethod
    from rntk_bench.regression.experiment import Signal


@click.group()
def regress() -> None:
    """Predict the next value of segments of random length by kernel ridge regression."""


_out = options.output_folder("results/regression")
_methods = options.methods(
    "May be repeated.  [default: rntk, ntk, rbf, poly]", complete=_completion.kernels
)


def _common_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that `sine` and `prices` have in common."""
    for option in (
        options.quiet,
        _out,
        options.seed,
        options.jobs,
        options.config,
        _methods,
        click.option(
            "--value",
            "values",
            type=float,
            multiple=True,
            help="A point of the curve; may be repeated.  [default: five or six values]",
        ),
        click.option(
            "--repeats",
            type=click.IntRange(min=1),
            default=1000,
            show_default=True,
            help="Number of random draws of the segments, over which the SNR is averaged.",
        ),
    ):
        command = option(command)
    return command


def _vary_option(**parameters: str) -> Callable[[Any], Any]:
    return click.option(
        "--vary",
        type=click.Choice([*parameters]),
        default="length",
        show_default=True,
        help=f"{', '.join(f'{name}: {meaning}' for name, meaning in parameters.items())}.",
    )


_LENGTH, _NOISE, _TRAIN = "T_var", "sigma_n", "the number of training segments"


@regress.command()
@_vary_option(length=_LENGTH, noise=_NOISE, train=_TRAIN)
@_common_options
def sine(**arguments: Any) -> None:
    """Predict one period of a noisy sine: panels (a) T_var and (b) noise."""
    from rntk_bench.regression.experiment import Sine

    _compute_and_plot(Sine(), "noisy sine", **arguments)


@regress.command()
@click.option(
    "--prices",
    "path",
    type=paths.FILE,
    required=True,
    help="CSV of daily prices with the columns Date and Close.",
)
@_vary_option(length=_LENGTH, train=_TRAIN)
@_common_options
def prices(path: Path, **arguments: Any) -> None:
    """Predict daily closing prices of a stock: panels (c) T_var and (d) training segments.

    The first 975 days are used. Training segments come from the first 700 days, and test segments
    from the rest. All are standardised by the mean and the standard deviation of the first 700.
    """
    from rntk_bench.datasets.csv_series import read_prices
    from rntk_bench.regression.experiment import Prices

    _compute_and_plot(Prices(read_prices(path)), f"daily closes, {path.stem}", **arguments)


@regress.command("csv")
@click.argument("path", metavar="FILE", type=paths.FILE)
@click.option("--column", required=True, help="Name of the column that holds the series.")
@click.option(
    "--length",
    "window_length",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Number of values from which the next one is predicted.",
)
@click.option(
    "--train",
    "n_train",
    type=click.IntRange(min=5),
    default=100,
    show_default=True,
    help="Number of windows to train on, spread evenly.",
)
@click.option(
    "--test",
    "test_size",
    type=options.FiniteRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="Fraction of the series, at its end, that is predicted.",
)
@_methods
@options.config
@options.seed
@_out
def csv(
    path: Path,
    column: str,
    window_length: int,
    n_train: int,
    test_size: float,
    methods: tuple[str, ...],
    config: Path | None,
    seed: int,
    out: Path,
) -> None:
    """Predict the last part of your own series, a column of a CSV file, one step ahead."""
    from rntk_bench.datasets.csv_series import read_column
    from rntk_bench.methods import display_name
    from rntk_bench.regression.forecast import compute_forecast
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.regression import plot_forecast

    kernels = _kernels(config, methods)
    figures.check_output_folder(out)
    name = f"{path.stem}-{figures.safe_file_name(column)}"
    if not name.endswith(column.replace(" ", "_")):  # the name of another column may be as plain
        name += f"-{hashlib.sha256(column.encode()).hexdigest()[:8]}"
    check_not_input(out / f"{name}.csv")
    forecast = compute_forecast(
        read_column(path, column), kernels, window_length, n_train, test_size, seed
    )
    click.echo(f"{'':<15}{'SNR, dB':>9}{'RMSE':>12}{'MAE':>12}{'ridge':>8}  setting")
    for row in forecast.scores.to_dict("records"):
        click.echo(
            f"{display_name(row['method']):<15}{row['snr']:9.2f}{row['rmse']:12.5g}"
            f"{row['mae']:12.5g}{row['ridge']:8g}  {format_setting(row['setting'])}"
        )
    table = forecast.to_frame()
    options.print_files(figures.save(plot_forecast(table, column), out, name, table))


def _kernels(config: Path | None, methods: tuple[str, ...]) -> list[KernelMethod]:
    from rntk_bench.config import load_experiment
    from rntk_bench.methods import only_kernels, resolve

    kernels = only_kernels(resolve(load_experiment(config, methods)), "regress")
    for method in kernels:
        if not method.is_independent_of_series:
            raise InputError(
                f"regress compares kernels that are the same for all segments, and {method.name} "
                "depends on the training series; choose another with -m."
            )
    return kernels


def _compute_and_plot(
    signal: Signal,
    title: str,
    vary: str,
    repeats: int,
    values: tuple[float, ...],
    methods: tuple[str, ...],
    config: Path | None,
    jobs: int,
    seed: int,
    out: Path,
    quiet: bool,
) -> None:
    from joblib import effective_n_jobs

    from rntk_bench.benchmark.cost.machine_memory import machine_memory
    from rntk_bench.methods import display_name
    from rntk_bench.regression.snr_curves import (
        DEFAULT_VALUES,
        VariedParameter,
        compute_snr_curves,
        limit_jobs,
        snr_checkpoint_path,
    )
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.regression import plot_regression
    from rntk_bench.storage.locks import output_lock

    kernels = _kernels(config, methods)
    varied = VariedParameter(signal, vary, tuple(sorted(set(values))) or DEFAULT_VALUES[vary])
    name = f"{signal.name}-{vary}"
    figures.check_output_folder(out)
    check_not_input(out / f"{name}.csv")
    checkpoint_path = snr_checkpoint_path(out, name, varied, kernels, seed)
    n_jobs = limit_jobs(machine_memory(), varied, kernels, effective_n_jobs(jobs))
    with output_lock(out / f"{name}.csv"):
        with progress_bar(name, "batches of repeats", quiet, checkpoint_path) as progress:
            curves = compute_snr_curves(
                varied, kernels, repeats, seed, n_jobs, checkpoint_path, progress
            )
        files = figures.save(plot_regression(curves, vary, title), out, name, curves)
        checkpoint_path.unlink(missing_ok=True)
    if quiet:
        return
    table = curves.pivot_table(index="value", columns="method", values="snr", sort=False)
    click.echo(f"average SNR in dB over {repeats} repeats, against {vary}")
    click.echo("".join(["value".rjust(8), *(display_name(m).rjust(15) for m in table.columns)]))
    for value, row in table.iterrows():
        click.echo("".join([f"{value:8g}", *(f"{ratio:15.2f}" for ratio in row)]))
    options.print_files(files)
