"""`rntk-bench figure`: the paper's theory on one's own screen."""

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
    """Draw the paper's figures; each writes a PNG, a PDF and a CSV."""


def _several(ctx: click.Context, parameter: click.Parameter, widths: tuple[int, ...]) -> list[int]:
    """Different widths in order; none, or enough for a slope."""
    different = sorted(set(widths))
    if len(different) == 1:
        raise click.BadParameter("a slope needs at least two widths.", ctx, parameter)
    return different


def _widths(default: str) -> Callable[[Any], Any]:
    return click.option(
        "--width",
        "widths",
        type=click.IntRange(min=2),
        multiple=True,
        callback=_several,
        help=f"Width of the networks; repeat it.  [default: {default}]",
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
    help="Networks of each width.",
)
@_widths("16 to 4096, quick: 16 to 256")
def figure_2(out: Path, seed: int, quick: bool, draws: int, widths: list[int]) -> None:
    """Convergence of finite networks to the RNTK, with tied and untied weights (Theorems 1, 3)."""
    from rntk_bench.report.plots import style as figures
    from rntk_bench.report.plots.convergence import plot_convergence
    from rntk_bench.theory.convergence import compute_convergence

    if widths:
        options.refuse(["quick"], "is less widths, and --width names them")
    figures.ready(out)
    chosen = widths or [2**k for k in range(4, 9 if quick else 13)]
    with _progress(2 + 2 * len(chosen)) as progress:
        found = compute_convergence(1000, 97, chosen, draws, seed, progress)
    picture = plot_convergence(found.by_angle, found.by_width, found.slopes, found.width)
    _print_slopes(found.slopes)
    options.print_files(figures.save(picture, out, "figure-2", found.to_frame()))


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
    """The regression experiment's four panels in one picture, from the files of 'regress'."""
    import pandas as pd

    from rntk_bench.report.plots import style as figures
    from rntk_bench.report.plots.regression import FIGURE_4, plot_figure_4, read_curves

    figures.require()
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
    help="Networks of each width.  [default: 20, quick: 10]",
)
@_widths("128 to 2048, quick: 64 to 256")
@click.option(
    "--rate",
    "share",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="The learning rate as a share of eta*.",
)
def training(
    out: Path, seed: int, quick: bool, draws: int | None, widths: list[int], share: float
) -> None:
    """Training of finite networks approaches the linear dynamics of the RNTK (Theorem 2)."""
    from rntk_bench.report.plots import style as figures
    from rntk_bench.report.plots.training import plot_training
    from rntk_bench.theory.training_dynamics import compute_training_dynamics

    if widths and draws:
        options.refuse(["quick"], "is less widths and draws, and --width and --draws name them")
    figures.ready(out)
    chosen = widths or [2**k for k in (range(6, 9) if quick else range(7, 12))]
    draws = draws or (10 if quick else 20)
    with _progress(len(chosen)) as progress:
        found = compute_training_dynamics(
            chosen, draws, 100, seed, rate_fraction=share, progress=progress
        )
    click.echo(f"learning rate {found.rate:.4g}, eta* {found.largest_rate:.4g}")
    _print_slopes(found.slopes)
    picture = plot_training(found.distances, found.losses, found.slopes)
    options.print_files(figures.save(picture, out, "figure-training", found.to_frame()))


@figure.command("scaling")
@options.out
@options.quick
def scaling(out: Path, quick: bool) -> None:
    """The time of one RNTK Gram on this machine, against the series' length and number."""
    from rntk_bench.report.plots import style as figures
    from rntk_bench.report.plots.scaling import plot_scaling
    from rntk_bench.speed.scaling import LENGTHS, NUMBERS_OF_SERIES, measure_scaling

    figures.ready(out)
    n_points = 4 if quick else None
    lengths, numbers = LENGTHS[:n_points], NUMBERS_OF_SERIES[:n_points]
    with _progress(len(lengths) + len(numbers)) as progress:
        points, lines = measure_scaling(lengths, numbers, progress)
    for varied, (fixed, each, deviation) in lines.items():
        click.echo(
            f"{varied}: {1e3 * fixed:.3g} ms and {1e9 * each:.4g} ns each, at most "
            f"{100 * deviation:.0f} % off"
        )
    options.print_files(figures.save(plot_scaling(points, lines), out, "figure-scaling", points))


@contextmanager
def _progress(total: int) -> Iterator[Callable[[str], None]]:
    """A bar that is told what has just been done."""
    from tqdm import tqdm

    started = time.perf_counter()
    with tqdm(total=total, disable=None, leave=False) as bar:

        def tell(done: str) -> None:
            bar.set_postfix_str(done)
            bar.update()

        yield tell
    click.echo(f"computed in {time.perf_counter() - started:.1f} s", err=True)


def _print_slopes(slopes: dict[str, tuple[float, float]]) -> None:
    for name, (slope, error) in slopes.items():
        click.echo(f"{name}: slope {slope:.3f} ± {error:.3f}")
