"""Options that say which run records a command is about, and reading these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion as names
from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli._streams import note, warn
from rntk_bench.errors import InputError
from rntk_bench.report.results.names import listed

if TYPE_CHECKING:
    import pandas as pd

    from rntk_bench.config import Experiment
    from rntk_bench.report.results.results import Results
    from rntk_bench.storage.records import Record

protocols = click.option(
    "--protocol",
    "protocols",
    metavar="ID",
    multiple=True,
    shell_complete=names.protocols,
    help="Keep only protocols whose identifier starts so; may be repeated.",
)

paper = click.option(
    "--paper/--no-paper",
    "with_paper",
    default=True,
    show_default=True,
    help="Put the paper's numbers beside one's own.",
)

alpha = click.option(
    "--alpha",
    type=click.FloatRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Level at which Holm's correction tells methods apart.",
)


def selection(command: Callable[..., None]) -> Callable[..., None]:
    """Folder, datasets, methods and protocols, as keywords of `collected`."""
    for option in (
        protocols,
        click.option(
            "-c",
            "--config",
            type=paths.FILE,
            shell_complete=names.configurations,
            help="Keep the datasets and methods of this configuration.",
        ),
        options.methods("Keep these methods.", complete=names.recorded_methods),
        options.datasets("Keep these datasets.", names.recorded_datasets),
        options.results,
    ):
        command = option(command)
    return command


def collected(
    results: Path,
    datasets: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    config: Path | None = None,
    protocols: tuple[str, ...] = (),
) -> Results:
    """The results that `selection` asks for; a warning for each file that cannot be read.

    Raises
    ------
    InputError
        There is no record, or none that was asked for.
    """
    from rntk_bench.config import read_experiment
    from rntk_bench.report.results.results import collect
    from rntk_bench.storage.records import read_records

    records, problems = read_records(results)
    for problem in problems:
        warn(problem)
    if not records:
        raise InputError(
            f"There are no run records in {results}; make some with 'rntk-bench run --dataset "
            "Coffee', or name their folder with --results."
        )
    plan = None if config is None else read_experiment(config)
    return collect(matching(records, datasets, methods, protocols, plan))


def matching(
    records: Sequence[Record],
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    protocols: Sequence[str] = (),
    plan: Experiment | None = None,
) -> list[Record]:
    """The records of these datasets, methods and protocols, of all where none are named.

    A name that chooses nothing is a warning; those of a plan, which may not be finished, are
    counted in a note. The plan's datasets and methods stand in for those that are not named.

    Raises
    ------
    InputError
        Nothing is left.
    """
    named = {"dataset": datasets, "method": methods, "protocol": protocols}
    planned = {"dataset": plan.datasets, "method": plan.methods} if plan else {}
    planned = {trait: names for trait, names in planned.items() if not named[trait]}
    wanted = named | planned
    chosen = _chosen(records, wanted)
    absent = {
        trait: [n for n in dict.fromkeys(names) if not _chosen(chosen, {trait: [n]})]
        for trait, names in wanted.items()
    }
    unknown, excluded = [], []
    for trait, name in ((t, n) for t in absent if t not in planned for n in absent[t]):
        if _chosen(records, {trait: [name]}):
            excluded.append(f"The other options leave no record of {trait} {name!r}.")
        else:
            others = {other: names for other, names in wanted.items() if other != trait}
            unknown.append(_unknown(_chosen(records, others) or records, trait, name))
    problems = unknown + excluded
    if not chosen:
        problems.append("There is no record of what the configuration plans.")
        raise InputError(problems[0])
    for problem in problems:
        warn(problem)
    for trait in planned:
        if names := absent[trait]:
            note(f"Of the configuration without a record: {trait} {listed(names)}.")
    return chosen


def _chosen(records: Sequence[Record], wanted: Mapping[str, Sequence[str]]) -> list[Record]:
    """The records that have one of the names of each trait that has any."""
    return [
        record
        for record in records
        if all(
            any(_has(record, trait, name) for name in names)
            for trait, names in wanted.items()
            if names
        )
    ]


def _has(record: Record, trait: str, name: str) -> bool:
    """Whether a record is of a dataset, a method, or a protocol whose identifier starts so."""
    value = _trait(record, trait)
    return value.startswith(name) if trait == "protocol" else value == name


def _trait(record: Record, trait: str) -> str:
    from rntk_bench.storage.records import protocol_id

    if trait == "protocol":
        return protocol_id(record.protocol)
    return record.dataset if trait == "dataset" else record.method


def _unknown(records: Sequence[Record], trait: str, name: str) -> str:
    """A sentence on a name that no record has, with the nearest that some have."""
    from rntk_bench.datasets.archive import nearest_names
    from rntk_bench.methods import display_name

    known = sorted({_trait(record, trait) for record in records})
    spellings = {spelling: spelling for spelling in known}
    if trait == "method":
        spellings |= {display_name(method): method for method in known}
    near = dict.fromkeys(spellings[spelling] for spelling in nearest_names(name, spellings))
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {listed(known)}."
    return f"There is no record of {trait} {name!r}; {hint}"


def published(command: Callable[..., None]) -> Callable[..., None]:
    """Files of others' accuracies, as further keywords of `collected_with`."""
    for option in (
        click.option(
            "--column",
            "columns",
            metavar="NAME",
            multiple=True,
            help="Of the files of --with, add only this column; may be repeated.",
        ),
        click.option(
            "--with",
            "files",
            metavar="FILE",
            multiple=True,
            type=paths.FILE,
            help="Add the accuracies of a CSV file, a row a dataset and a column a classifier, "
            "fractions or percent; may be repeated.",
        ),
    ):
        command = option(command)
    return command


def collected_with(files: tuple[Path, ...], columns: tuple[str, ...], **selected: Any) -> Results:
    """What `collected` returns and the files' columns; notes on how these were read."""
    from rntk_bench.report.results.join import join
    from rntk_bench.report.results.published import choose, read_published

    results = collected(**selected)
    if columns and not files:
        raise InputError("--column chooses among the columns of a file: name one with --with.")
    read = [column for path in dict.fromkeys(files) for column in read_published(path)]
    joined, report = join(results, choose(read, columns) if read else [])
    for line in report:
        note(line)
    return joined


def compared(command: Callable[..., None]) -> Callable[..., None]:
    """Options of commands that set methods side by side, as keywords of `side_by_side`."""
    further = click.option(
        "--paper/--no-paper",
        "with_paper",
        default=False,
        show_default=True,
        help="Add the paper's numbers as further methods.",
    )
    return selection(further(published(command)))


def side_by_side(with_paper: bool, **selected: Any) -> tuple[pd.DataFrame, list[str]]:
    """Accuracies in percent (datasets, methods), and the notes on where they come from."""
    from rntk_bench.report.results.accuracies import accuracies

    results = collected_with(**selected)
    return accuracies(results, with_paper), results.notes
