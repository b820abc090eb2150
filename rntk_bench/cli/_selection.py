"""Options that select run records, and reading the records that they select."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion
from rntk_bench.cli import _options as options
from rntk_bench.cli import _paths as paths
from rntk_bench.cli._dataset_names import expand_datasets
from rntk_bench.cli._streams import note, warn
from rntk_bench.config import MAX_SEED
from rntk_bench.errors import InputError
from rntk_bench.report.results.names import abbreviate_list, format_ranges

if TYPE_CHECKING:
    import pandas as pd

    from rntk_bench.config import Experiment
    from rntk_bench.report.results.results import Results
    from rntk_bench.storage.records import Record

_NOTHING_PLANNED = (
    "There is no record of what the configuration plans; run it, or name another folder with "
    "--results."
)
_MAX_WARNINGS = 3
"""So many names without a record have a warning each, which suggests another name."""

protocols = click.option(
    "--protocol",
    "protocols",
    metavar="ID",
    multiple=True,
    shell_complete=_completion.protocols,
    help="Only protocols whose identifier starts with ID. May be repeated.",
)

paper = click.option(
    "--paper/--no-paper",
    "with_paper",
    default=True,
    show_default=True,
    help="Show the paper's numbers next to these results.",
)

alpha = click.option(
    "--alpha",
    type=options.FiniteRange(0.0, 1.0, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="Significance level after Holm's correction.",
)


resamples = click.option(
    "--resamples",
    "average",
    is_flag=True,
    help="Average over the resamples that every method has; without it only the archive's split "
    "counts.",
)

one_resample = click.option(
    "--resample",
    type=click.IntRange(0, MAX_SEED),
    default=0,
    show_default=True,
    metavar="K",
    help="Show the record of resample K; 0 is the archive's split.",
)


def record_options(command: Callable[..., None]) -> Callable[..., None]:
    """Folder, datasets, methods and protocols, the keywords of `load_records`."""
    for option in (
        protocols,
        options.configuration(
            "Only the datasets and methods of this configuration; its protocol, where there are "
            "several."
        ),
        options.methods("Only these methods.", complete=_completion.recorded_methods),
        options.datasets("Only these datasets.", _completion.recorded_datasets),
        options.results,
    ):
        command = option(command)
    return command


def selection_options(command: Callable[..., None]) -> Callable[..., None]:
    """Those of `record_options` and --resamples, keywords of `load_results`."""
    return record_options(resamples(command))


def published_options(command: Callable[..., None]) -> Callable[..., None]:
    """Files of published accuracies, further keywords of `load_results`."""
    for option in (
        click.option(
            "--column",
            "columns",
            metavar="NAME",
            multiple=True,
            help="Add only this classifier of those of --with. May be repeated.",
        ),
        click.option(
            "--with",
            "files",
            metavar="PATH",
            multiple=True,
            type=paths.EITHER,
            help="Add published accuracies from a CSV file: one row per dataset, one column per "
            "classifier, fractions or percent, or one column per resample, 0,1,2,...; or from a "
            "folder of tsml-eval's result files. May be repeated.",
        ),
    ):
        command = option(command)
    return command


def accuracy_table_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of commands that compare methods, the keywords of `load_accuracy_table`."""
    with_paper = click.option(
        "--paper/--no-paper",
        "with_paper",
        default=False,
        show_default=True,
        help="Add the paper's numbers as further methods.",
    )
    return selection_options(with_paper(published_options(command)))


def load_records(
    results: Path,
    datasets: tuple[str, ...] = (),
    methods: tuple[str, ...] = (),
    config: Path | None = None,
    protocols: tuple[str, ...] = (),
) -> list[Record]:
    """Read the selected records, of all resamples; one that cannot be read is a warning.

    Raises
    ------
    InputError
        There are no records, or none that were selected.
    """
    from rntk_bench.config import read_experiment
    from rntk_bench.storage.records import read_records

    records, problems = read_records(results)
    for problem in problems:
        warn(problem)
    if not records:
        raise InputError(
            f"There are no run records in {results}; make some with 'rntk-bench run --dataset "
            "Coffee', or name their folder with --results."
        )
    experiment = None if config is None else read_experiment(config)
    return filter_records(records, datasets, methods, protocols, experiment)


def load_results(
    results: Path,
    *,
    files: tuple[Path, ...] = (),
    columns: tuple[str, ...] = (),
    average: bool = False,
    resample: int | None = None,
    **selected: Any,
) -> Results:
    """Read the selected records, and join the published accuracies to them.

    The records are those of the archive's split, of all resamples with `average`, or of one. Of
    several protocols of a method, that of the configuration is preferred, and its grid. How a file
    of accuracies was read is a note.

    Parameters
    ----------
    results, selected : as for `load_records`

    Raises
    ------
    InputError
        There are no records, none that were selected, or a file cannot be used.
    """
    from rntk_bench.report.results.join import join_published
    from rntk_bench.report.results.published import read_published, select_columns
    from rntk_bench.report.results.resamples import average_resamples
    from rntk_bench.report.results.results import collect_results

    records, left_out = load_records(results, **selected), []
    if resample is not None:
        records, _ = filter_by_resample(records, resample)
    elif not average:
        records, others = filter_by_resample(records, 0, "average over them with --resamples")
        if others:
            left_out = [f"Left out without --resamples: resamples {format_ranges(others)}."]
    joined = collect_results(records, _protocols_of(selected.get("config")))
    joined = replace(joined, notes=joined.notes + left_out)
    if columns and not files:
        raise InputError("--column chooses among the columns of a file; name one with --with.")
    if files:
        published = [column for path in dict.fromkeys(files) for column in read_published(path)]
        joined, messages = join_published(joined, select_columns(published, columns))
        for message in messages:
            note(message)
    return average_resamples(joined) if average else joined


def _protocols_of(config: Path | None) -> list[dict[str, Any]]:
    """The protocol of every method under a configuration; none without one."""
    from rntk_bench.config import read_experiment
    from rntk_bench.methods import METHODS, resolve

    if config is None:
        return []
    experiment = read_experiment(config)
    return [
        method.protocol(experiment)
        for method in resolve(replace(experiment, methods=tuple(METHODS)))
    ]


def load_accuracy_table(with_paper: bool, **selected: Any) -> tuple[pd.DataFrame, list[str]]:
    """Accuracies in percent (n_datasets, n_methods), and the notes of the results.

    Parameters
    ----------
    with_paper : bool
        Whether to add the paper's numbers as further methods.
    selected : keywords of `load_results`
    """
    from rntk_bench.report.results.accuracies import accuracy_table

    results = load_results(**selected)
    return accuracy_table(results, with_paper), results.notes


def filter_records(
    records: Sequence[Record],
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    protocols: Sequence[str] = (),
    experiment: Experiment | None = None,
) -> list[Record]:
    """The records of these datasets, methods and protocols; an empty list of names selects all.

    Datasets are named as `expand_datasets` reads them, among those with a record. A name without a
    record is a warning; many of them, as a list may have, are one. The datasets and methods of an
    experiment, which need not be finished, replace those that are not named; the ones without a
    record are listed in a note.

    Raises
    ------
    InputError
        No record is left, or as `expand_datasets` does.
    """
    recorded = sorted({record.dataset for record in records})
    hint = f"there are records of {abbreviate_list(recorded)}."
    datasets = expand_datasets(datasets, recorded, hint=hint)
    named = {"dataset": datasets, "method": methods, "protocol": protocols}
    planned = {"dataset": experiment.datasets, "method": experiment.methods} if experiment else {}
    planned = {field: names for field, names in planned.items() if not named[field]}
    criteria = named | planned
    selected = _filter(records, criteria)
    missing = {
        field: [name for name in dict.fromkeys(names) if not _filter(selected, {field: [name]})]
        for field, names in criteria.items()
    }
    unknown, excluded, many = [], [], []
    for field, name in ((f, n) for f in missing if f not in planned for n in missing[f]):
        if selected and len(missing[field]) > _MAX_WARNINGS:
            many.append(f"There is no record of {field} {abbreviate_list(missing[field])}.")
        elif _filter(records, {field: [name]}):
            excluded.append(
                f"The other options leave no record of {field} {name!r}; leave one of them out."
            )
        else:
            others = {other: names for other, names in criteria.items() if other != field}
            unknown.append(_unknown_name(_filter(records, others) or records, field, name))
    problems = unknown + excluded
    if not selected:
        raise InputError([*problems, _NOTHING_PLANNED][0])
    for problem in [*problems, *dict.fromkeys(many)]:
        warn(problem)
    for field in planned:
        if names := missing[field]:
            note(f"Of the configuration without a record: {field} {abbreviate_list(names)}.")
    return selected


def filter_by_resample(
    records: Sequence[Record], resample: int, hint: str = "choose one with --resample"
) -> tuple[list[Record], set[int]]:
    """The records of one resample, and the numbers of the other resamples that have records.

    Raises
    ------
    InputError
        There is no such record; the message ends with the hint.
    """
    chosen = [record for record in records if record.resample == resample]
    others = {record.resample for record in records} - {resample}
    if not chosen:
        wanted = f"resample {resample}" if resample else "the archive's split"
        raise InputError(
            f"There is no record of {wanted}, but of resamples {format_ranges(others)}; {hint}."
        )
    return chosen, others


def _filter(records: Sequence[Record], criteria: Mapping[str, Sequence[str]]) -> list[Record]:
    """The records that match one of the names of every field for which there are names."""
    return [
        record
        for record in records
        if all(
            any(_matches(record, field, name) for name in names)
            for field, names in criteria.items()
            if names
        )
    ]


def _matches(record: Record, field: str, name: str) -> bool:
    """Whether a record has this dataset or method, or a protocol whose identifier starts so."""
    value = _value(record, field)
    return value.startswith(name) if field == "protocol" else value == name


def _value(record: Record, field: str) -> str:
    """A record's dataset, method or protocol identifier."""
    from rntk_bench.storage.records import protocol_id

    if field == "protocol":
        return protocol_id(record.protocol)
    return record.dataset if field == "dataset" else record.method


def _unknown_name(records: Sequence[Record], field: str, name: str) -> str:
    """A sentence on a name that no record has, with the nearest names of the records."""
    from rntk_bench.datasets.archive import close_matches
    from rntk_bench.methods import display_name

    known = sorted({_value(record, field) for record in records})
    spellings = {spelling: spelling for spelling in known}
    if field == "method":
        spellings |= {display_name(method): method for method in known}
    nearest = dict.fromkeys(spellings[spelling] for spelling in close_matches(name, spellings))
    if nearest:
        hint = f"did you mean {' or '.join(nearest)}?"
    else:
        hint = f"there are {abbreviate_list(known)}."
    return f"There is no record of {field} {name!r}; {hint}"
