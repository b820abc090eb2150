"""`rntk-bench sensitivity`: the time steps on which the RNTK depends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import expand_dataset, known_datasets

if TYPE_CHECKING:
    import pandas as pd

    from rntk_bench.kernels import RNTK

FLAGS = {
    "sigma_w": "--sigma-w",
    "sigma_u": "--sigma-u",
    "sigma_b": "--sigma-b",
    "sigma_h": "--sigma-h",
    "n_layers": "--layers",
}


def _sigma(symbol: str, whose: str, default: str) -> Callable[[Any], Any]:
    return click.option(
        f"--sigma-{symbol}",
        type=options.FiniteRange(min=0.0),
        multiple=True,
        metavar="NUMBER",
        help=f"Standard deviation of the {whose}.  [default: {default}]",
    )


@click.command()
@click.option(
    "-d",
    "--dataset",
    "name",
    required=True,
    metavar="NAME",
    shell_complete=_completion.datasets,
    help="The dataset to analyse.",
)
@_sigma("w", "recurrent weights", "sqrt(2) for relu, 1 for erf")
@_sigma("u", "input weights", "1 for relu, 0.01 for erf")
@_sigma("b", "biases", "0 for relu, 0.05 for erf")
@_sigma("h", "first hidden states", "0")
@click.option(
    "--layers",
    "n_layers",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="NUMBER",
    help="Hidden layers.  [default: 1]",
)
@click.option(
    "--activation",
    type=click.Choice(["relu", "erf"]),
    default="relu",
    show_default=True,
    help="The network's activation.",
)
@click.option(
    "--pairs",
    type=click.IntRange(min=1),
    help="Number of random pairs of training series.  [default: 100, quick: 20]",
)
@options.seed
@options.out
@options.quick
@options.data_dir
@options.cache_dir
def sensitivity(
    name: str,
    activation: str,
    pairs: int | None,
    seed: int,
    out: Path,
    quick: bool,
    data_dir: Path | None,
    cache_dir: Path | None,
    **values: tuple[float, ...],
) -> None:
    """Show on which time steps of a dataset the RNTK depends, to choose its parameters.

    The sensitivity s(t) = |grad_{x_t} Theta(x, x')|, averaged over random pairs of series, is
    printed for each third of the steps, and drawn. One of the options for sigmas and layers may
    be repeated, for one curve per value.
    """
    import pandas as pd

    from rntk_bench.datasets import load_dataset
    from rntk_bench.report.plots import figures
    from rntk_bench.report.plots.sensitivity import plot_dataset
    from rntk_bench.theory.sensitivity import REFERENCE_KERNELS, dataset_sensitivity

    if pairs:
        options.reject_unused(["quick"], "cannot be combined with --pairs")
    parameter, kernels = _kernels(REFERENCE_KERNELS[activation], values)
    figures.check_output_folder(out)
    name = expand_dataset(name, known_datasets(data_dir))
    dataset = load_dataset(name, data_dir=data_dir, cache_dir=cache_dir)
    n_pairs = pairs or (20 if quick else 100)
    curves = pd.concat(
        [
            dataset_sensitivity(dataset, kernel, n_pairs, seed).assign(value=value)
            for value, kernel in kernels.items()
        ],
        ignore_index=True,
    )
    title = f"{name}, {activation}: {_fixed(next(iter(kernels.values())), parameter)}"
    _print_table(title, parameter, curves)
    plot = plot_dataset(curves, title, parameter)
    options.print_files(figures.save(plot, out, f"sensitivity-{name}-{parameter}", curves))


def _kernels(centre: RNTK, values: dict[str, tuple[float, ...]]) -> tuple[str, dict[float, RNTK]]:
    """The parameter that varies, and the kernel for each of its values."""
    specified = {name: sorted(set(each)) for name, each in values.items() if each}
    varied = [name for name, each in specified.items() if len(each) > 1]
    if len(varied) > 1:
        flags = " and ".join(FLAGS[name] for name in varied)
        raise click.UsageError(f"{flags} are repeated; repeat only one option.")
    parameter = (varied or [*specified, "sigma_w"])[0]
    changes: dict[str, Any] = {name: each[0] for name, each in specified.items()}
    kernel = replace(centre, **changes)
    chosen = specified.get(parameter, [getattr(centre, parameter)])
    return parameter, {value: replace(kernel, **{parameter: value}) for value in chosen}


def _fixed(kernel: RNTK, parameter: str) -> str:
    others = [name for name in FLAGS if name != parameter]
    return ", ".join(f"{name} = {getattr(kernel, name):.4g}" for name in others)


def _print_table(title: str, parameter: str, curves: pd.DataFrame) -> None:
    from rntk_bench.theory.sensitivity import SensitivityProfile

    drawn = curves.groupby("pairs")["n"].max()
    click.echo(title)
    click.echo(
        f"{drawn['all']} pairs of training series, {drawn.get('same class', 0)} of one class"
    )
    click.echo(f"{parameter:>8}  first third  middle third  last third    max / min  early steps")
    for value, group in curves[curves["pairs"] == "all"].groupby("value"):
        profile = SensitivityProfile.from_sensitivity(group["sensitivity"].to_numpy())
        first, middle, last = (100.0 * third for third in profile.thirds)
        click.echo(
            f"{value:8.4g}  {first:9.2f} %  {middle:10.2f} %  {last:8.2f} %  {profile.ratio:11.3g}"
            f"  {profile.early_steps}"
        )
