"""`rntk-bench methods`: lists the methods and their grids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _options as options
from rntk_bench.formatting import format_value

if TYPE_CHECKING:
    from rntk_bench.config import Experiment
    from rntk_bench.methods import Method


@click.command()
@options.methods("Show these methods.  [default: the configuration's; without one, all]")
@options.config
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def methods(methods: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """List the methods with a description, the place of their formula, and their grids.

    Formulas are given by their number in the paper. Grids are those of the configuration if it has
    any.
    """
    from rntk_bench.config import Experiment, load_experiment
    from rntk_bench.methods import METHODS, resolve

    chosen = methods or (() if config else tuple(METHODS))
    experiment = load_experiment(config, chosen)
    resolved = resolve(experiment)
    if as_json:
        click.echo(json.dumps([_to_json(method, experiment) for method in resolved], indent=1))
        return
    for number, method in enumerate(resolved):
        if number:
            click.echo()
        _print(method, experiment, method.name in Experiment().methods)


def _search(method: Method, experiment: Experiment) -> dict[str, Any]:
    """How a kernel's parameters and C are chosen; nothing for a network."""
    from rntk_bench.methods import KernelMethod

    if not isinstance(method, KernelMethod):
        return {}
    chosen = method.search_options(experiment)
    return {name: getattr(chosen, name) for name in ("C", "n_repeats", "gram_scale")}


def _to_json(method: Method, experiment: Experiment) -> dict[str, Any]:
    keys = ("name", "title", "summary", "reference")
    return {
        **{key: getattr(method, key) for key in keys},
        **_search(method, experiment),
        "settings": len(method.settings),
        "grid": {parameter: list(values) for parameter, values in method.grid.items()},
    }


def _print(method: Method, experiment: Experiment, by_default: bool) -> None:
    title = f"{method.title}: {method.summary}" if method.summary else method.title
    options.print_entry(method.name, title + (" (run by default)" if by_default else ""))
    if method.reference:
        options.print_entry("  formula", method.reference)
    options.print_entry("  settings", f"{len(method.settings)}")
    for parameter, values in method.grid.items():
        options.print_entry(f"  {parameter}", ", ".join(map(format_value, values)))
    for name, value in _search(method, experiment).items():
        text = ", ".join(map(format_value, value)) if name == "C" else str(value)
        if text not in ("1", "none"):  # as it is in the paper
            options.print_entry(f"  {name}", text)
