"""`rntk-bench figure`: the paper's figures, and figures of its theorems."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths


@click.group()
def figure() -> None:
    """Draw the paper's figures, each as PNG and PDF, with its data as CSV."""


def _check_widths(
    ctx: click.Context, parameter: click.Parameter, widths: tuple[int, ...]
) -> list[int]:
    """The distinct widths in order; none, or enough for a slope."""
    distinct = sorted(set(widths))
    if len(distinct) == 1:
        raise click.BadParameter(
            "a slope needs at least two widths; give --width twice or more.", ctx, parameter
        )
    return distinct


def _widths(default: str) -> Callable[[Any], Any]:
    return click.option(
        "--width",
        "widths",
        type=click.IntRange(min=2),
        multiple=True,
        callback=_check_widths,
        help=f"Width of the networks. May be repeated.  [default: {default}]",
    )


@figure.command("2")
@options.out
@options.seed
@options.quick
@click.option(
    "--draws",
    type=click.IntRange(min=2),
    default=64,
    show_default=True,
    help="Number of networks of each width.",
)
@_widths("16 to 4096, quick: 16 to 256")
def figure_2(out: Path, seed: int, quick: bool, draws: int, widths: list[int]) -> None:
    """Convergence of wide finite networks to the RNTK (Theorems 1 and 3).

    The error of their kernels falls as 1/sqrt(n). The networks have tied or untied weights. With
    tied weights they are also read at all steps: the mean state, correlated readouts of nearby
    states (banded), or correlated readouts of step units (step).
    """
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.convergence import plot_convergence
    from rntk_bench.theory.convergence import compute_convergence

    if widths:
        options.reject_unused(["quick"], "cannot be combined with --width")
    figures.check_output_folder(out)
    widths = widths or [2**k for k in range(4, 9 if quick else 13)]
    with _progress(2 + 5 * len(widths)) as progress:
        result = compute_convergence(1000, 97, widths, draws, seed, progress)
    plot = plot_convergence(
        result.by_angle, result.by_width, result.by_readout, result.slopes, result.width
    )
    _print_slopes(result.slopes)
    options.print_files(figures.save(plot, out, "figure-2", result.to_frame()))


@figure.command("3")
@options.out
@options.seed
@options.quick
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    help="Pairs of random series to average over.  [default: 1000, quick: 50; the paper: 1]",
)
def figure_3(out: Path, seed: int, quick: bool, pairs: int | None) -> None:
    """Sensitivity of the RNTK to every step of a random series, (23), around S_ReLU and S_erf."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.sensitivity import plot_figure_3
    from rntk_bench.theory import sensitivity as experiment

    if pairs:
        options.reject_unused(["quick"], "cannot be combined with --pairs")
    figures.check_output_folder(out)
    curves = experiment.figure_3_curves(seed, pairs or (50 if quick else 1000))
    options.print_files(figures.save(plot_figure_3(curves), out, "figure-3", curves))


@figure.command("4")
@options.out
@click.option(
    "--from",
    "source",
    type=paths.FOLDER,
    default=Path("results/regression"),
    show_default=True,
    help="Folder of the CSV files that 'rntk-bench regress' wrote.",
)
def figure_4(out: Path, source: Path) -> None:
    """Four panels of the regression experiment, from the files of 'regress'."""
    import pandas as pd

    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.regression import FIGURE_4, plot_figure_4, read_curves

    figures.require_packages()
    curves = read_curves(source)
    rows = pd.concat(dict(zip([panel.name for panel in FIGURE_4], curves, strict=True)))
    rows = rows.reset_index(level=0, names="panel")
    options.print_files(figures.save(plot_figure_4(curves), out, "figure-4", rows))


@figure.command("training")
@options.out
@options.seed
@options.quick
@click.option(
    "--draws",
    type=click.IntRange(min=2),
    help="Number of networks of each width.  [default: 20, quick: 10]",
)
@_widths("128 to 2048, quick: 64 to 256")
@click.option(
    "--rate",
    "fraction",
    type=options.FiniteRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Learning rate as a fraction of eta*.",
)
def training(
    out: Path, seed: int, quick: bool, draws: int | None, widths: list[int], fraction: float
) -> None:
    """Training of finite networks approaches the linear dynamics of the RNTK (Theorem 2)."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.training import plot_training
    from rntk_bench.theory.training_dynamics import compute_training_dynamics

    if widths and draws:
        options.reject_unused(["quick"], "cannot be combined with --width and --draws")
    figures.check_output_folder(out)
    widths = widths or [2**k for k in (range(6, 9) if quick else range(7, 12))]
    draws = draws or (10 if quick else 20)
    with _progress(len(widths)) as progress:
        result = compute_training_dynamics(
            widths, draws, 100, seed, rate_fraction=fraction, progress=progress
        )
    click.echo(f"learning rate {result.rate:.4g}, eta* {result.largest_rate:.4g}")
    _print_slopes(result.slopes)
    plot = plot_training(result.distances, result.losses, result.slopes)
    options.print_files(figures.save(plot, out, "figure-training", result.to_frame()))


@figure.command("scaling")
@options.out
@options.quick
def scaling(out: Path, quick: bool) -> None:
    """Time of one RNTK Gram matrix on this machine, by the length and the number of the series."""
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.scaling import plot_scaling
    from rntk_bench.speed.scaling import LENGTHS, NUMBERS_OF_SERIES, measure_scaling

    figures.check_output_folder(out)
    n_points = 4 if quick else None
    lengths, numbers = LENGTHS[:n_points], NUMBERS_OF_SERIES[:n_points]
    with _progress(len(lengths) + len(numbers)) as progress:
        points, lines = measure_scaling(lengths, numbers, progress)
    for varied, (fixed, each, max_deviation) in lines.items():
        click.echo(
            f"{varied}: {1e3 * fixed:.3g} ms and {1e9 * each:.4g} ns each, at most "
            f"{100 * max_deviation:.0f} % off"
        )
    options.print_files(figures.save(plot_scaling(points, lines), out, "figure-scaling", points))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar; call the result with the name of each finished step."""
    from tqdm import tqdm

    started = time.perf_counter()
    with tqdm(total=total, disable=None, leave=False) as bar:

        def report_progress(step: str) -> None:
            bar.set_postfix_str(step)
            bar.update()

        yield report_progress
    click.echo(f"computed in {time.perf_counter() - started:.1f} s", err=True)


def _print_slopes(slopes: dict[str, tuple[float, float]]) -> None:
    for name, (slope, error) in slopes.items():
        click.echo(f"{name}: slope {slope:.3f} ± {error:.3f}")
