"""`rntk-bench regress`: the paper's regression experiment, Figure 4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli._output import check_not_input
from rntk_bench.cli._progress import progress_bar
from rntk_bench.config import format_setting

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


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """What both signals take."""
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
            help="A point of the curve; may be repeated.  [default: five or six]",
        ),
        click.option(
            "--repeats",
            type=click.IntRange(min=1),
            default=1000,
            show_default=True,
            help="Random draws of the segments, over which the SNR is averaged.",
        ),
    ):
        command = option(command)
    return command


def _vary(**kinds: str) -> Callable[[Any], Any]:
    return click.option(
        "--vary",
        type=click.Choice([*kinds]),
        default="length",
        show_default=True,
        help=f"{', '.join(f'{kind}: {what}' for kind, what in kinds.items())}.",
    )


_LENGTH, _NOISE, _TRAIN = "T_var", "sigma_n", "the number of training segments"


@regress.command()
@_vary(length=_LENGTH, noise=_NOISE, train=_TRAIN)
@_shared
def sine(**given: Any) -> None:
    """One period of a noisy sine: panels (a) T_var and (b) noise."""
    from rntk_bench.regression.experiment import Sine

    _curves(Sine(), "noisy sine", **given)


@regress.command()
@click.option(
    "--prices",
    "path",
    type=paths.FILE,
    required=True,
    help="CSV of daily prices with the columns Date and Close.",
)
@_vary(length=_LENGTH, train=_TRAIN)
@_shared
def prices(path: Path, **given: Any) -> None:
    """Daily closing prices of a stock: panels (c) T_var and (d) training segments.

    The first 975 days are taken: training segments from the first 700, test segments from the
    rest, all standardised by the training days' mean and deviation.
    """
    from rntk_bench.datasets.csv_series import read_prices
    from rntk_bench.regression.experiment import Prices

    _curves(Prices(read_prices(path)), f"daily closes, {path.stem}", **given)


@regress.command("csv")
@click.argument("path", metavar="FILE", type=paths.FILE)
@click.option("--column", required=True, help="Column of the series.")
@click.option(
    "--length",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Values before the one that is predicted.",
)
@click.option(
    "--train",
    type=click.IntRange(min=5),
    default=100,
    show_default=True,
    help="Windows that are trained on, spread evenly.",
)
@click.option(
    "--test",
    "share",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.25,
    show_default=True,
    help="Share of the series, its end, that is predicted.",
)
@_methods
@options.config
@options.seed
@_out
def own(
    path: Path,
    column: str,
    length: int,
    train: int,
    share: float,
    methods: tuple[str, ...],
    config: Path | None,
    seed: int,
    out: Path,
) -> None:
    """Predict the end of one's own series, a CSV's column, one step ahead."""
    from rntk_bench.datasets.csv_series import read_column
    from rntk_bench.methods import display_name
    from rntk_bench.regression.forecast import forecast
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.regression import plot_forecast

    kernels = _kernels(config, methods)
    figures.check_output_folder(out)
    name = f"{path.stem}-{figures.safe_file_name(column)}"
    check_not_input(out / f"{name}.csv")
    found = forecast(read_column(path, column), kernels, length, train, share, seed)
    click.echo(f"{'':<15}{'SNR, dB':>9}{'RMSE':>12}{'MAE':>12}{'ridge':>8}  setting")
    for row in found.scores.to_dict("records"):
        click.echo(
            f"{display_name(row['method']):<15}{row['snr']:9.2f}{row['rmse']:12.5g}"
            f"{row['mae']:12.5g}{row['ridge']:8g}  {format_setting(row['setting'])}"
        )
    table = found.table()
    options.print_files(figures.save(plot_forecast(table, column), out, name, table))


def _kernels(config: Path | None, methods: tuple[str, ...]) -> list[KernelMethod]:
    from rntk_bench.config import load_experiment
    from rntk_bench.methods import only_kernels, resolve

    return only_kernels(resolve(load_experiment(config, methods)), "regress")


def _curves(
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

    from rntk_bench.methods import display_name
    from rntk_bench.regression.snr_curves import VALUES, Panel, snr_curves
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.regression import plot_regression
    from rntk_bench.storage.locks import output_lock

    kernels = _kernels(config, methods)
    panel = Panel(signal, vary, tuple(sorted(set(values))) or VALUES[vary])
    name = f"{signal.name}-{vary}"
    figures.check_output_folder(out)
    check_not_input(out / f"{name}.csv")
    partial = out / f"{name}.partial"
    n_jobs = effective_n_jobs(jobs)
    with output_lock(partial):
        with progress_bar(name, "batches of repeats", quiet, partial) as progress:
            curves = snr_curves(panel, kernels, repeats, seed, n_jobs, partial, progress)
        files = figures.save(plot_regression(curves, vary, title), out, name, curves)
        partial.unlink(missing_ok=True)
    if quiet:
        return
    table = curves.pivot_table(index="value", columns="method", values="snr", sort=False)
    click.echo(f"average SNR in dB over {repeats} repeats, against {vary}")
    click.echo("".join(["value".rjust(8), *(display_name(m).rjust(15) for m in table.columns)]))
    for value, row in table.iterrows():
        click.echo("".join([f"{value:8g}", *(f"{ratio:15.2f}" for ratio in row)]))
    options.print_files(files)
