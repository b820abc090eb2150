"""`rntk-bench ceilings`: the best test accuracy that any setting of a grid has."""

from __future__ import annotations

from pathlib import Path

import click

from rntk_bench.cli import _completion, _output
from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import expand_datasets, known_datasets
from rntk_bench.cli._progress import set_position
from rntk_bench.errors import InputError


@click.command()
@options.datasets("May be repeated. [default: all of the configuration]")
@options.methods("A kernel method; may be repeated. [default: rntk]", complete=_completion.kernels)
@options.config
@click.option(
    "--single-precision",
    is_flag=True,
    help="Compute the RNTK by a plain recursion in single precision, with its rounding errors.",
)
@_output.table_format
@_output.standalone
@options.jobs
@options.data_dir
@options.cache_dir
@_output.output
def ceilings(
    datasets: tuple[str, ...],
    methods: tuple[str, ...],
    config: Path | None,
    single_precision: bool,
    table_format: str,
    standalone: bool,
    jobs: int,
    data_dir: Path | None,
    cache_dir: Path | None,
    output: Path | None,
) -> None:
    """Print the best test accuracy that any setting of a kernel's grid has.

    Every setting is scored on the test set, with C from 0.001 to 1,000,000. This is no way to
    choose a setting, since it uses the test labels; it tells whether a published accuracy can be
    reached by a kernel at all. If the command is interrupted, it prints the rows that are finished.
    """
    from dataclasses import replace
    from functools import partial

    from joblib import effective_n_jobs
    from tqdm import tqdm

    from rntk_bench.benchmark.ceilings import CEILING_C, Ceiling, ceiling
    from rntk_bench.config import load_experiment
    from rntk_bench.datasets import load_dataset
    from rntk_bench.kernels.plain import SinglePrecisionRNTK
    from rntk_bench.methods import only_kernels, resolve
    from rntk_bench.report.tables.ceilings import ceilings_table

    _output.check_output(output)
    experiment = load_experiment(config)
    experiment = replace(experiment, methods=methods or ("rntk",))
    kernel_methods = only_kernels(resolve(experiment), "ceilings")
    if single_precision:
        if experiment.methods != ("rntk",):
            raise InputError("--single-precision goes with the method rntk only; leave out -m.")
        kernel_methods = [
            replace(each, kernel_class=SinglePrecisionRNTK) for each in kernel_methods
        ]
    names = expand_datasets(datasets, known_datasets(data_dir)) or experiment.datasets
    if not names:
        raise InputError("There are no datasets to score; name some with --dataset.")
    finished: list[Ceiling] = []
    try:
        for name in names:
            dataset = load_dataset(name, data_dir=data_dir, cache_dir=cache_dir)
            for method in kernel_methods:
                total = len(method.settings)
                label = f"{dataset.name} {method.name}"
                # disable=None draws the progress bar on terminals only.
                with tqdm(desc=label, total=total, leave=False, disable=None) as bar:
                    finished.append(
                        ceiling(
                            dataset,
                            method,
                            experiment,
                            n_jobs=effective_n_jobs(jobs),
                            progress=partial(set_position, bar),
                        )
                    )
    finally:
        if finished:
            table = ceilings_table(finished, CEILING_C, single_precision)
            _output.write_tables([table], table_format, standalone, output)
