"""`rntk-bench show`: the contents of run records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rntk_bench.cli import _completion, _selection
from rntk_bench.cli import _options as options
from rntk_bench.cli._dataset_names import expand_dataset
from rntk_bench.cli._streams import warn
from rntk_bench.errors import DataError, InputError
from rntk_bench.formatting import format_choice, in_grid_order
from rntk_bench.methods import display_name

if TYPE_CHECKING:
    from rntk_bench.storage.records import Record


@click.command()
@click.argument("dataset", shell_complete=_completion.recorded_datasets)
@click.argument("method", required=False, shell_complete=_completion.recorded_methods)
@_selection.protocols
@_selection.one_resample
@click.option("--json", "as_stored", is_flag=True, help="Print the stored JSON.")
@options.results
@options.data_dir
@options.cache_dir
def show(
    dataset: str,
    method: str | None,
    protocols: tuple[str, ...],
    resample: int,
    as_stored: bool,
    results: Path,
    data_dir: Path | None,
    cache_dir: Path | None,
) -> None:
    """List the run records of a dataset, or print the record of one method in full.

    Of several records of a method the one of the archive's split, or of --resample, with the
    largest grid is shown, then the newest. The confusion matrix needs the labels of the dataset,
    which is not downloaded for it.
    """
    from rntk_bench.report.results.names import format_ranges
    from rntk_bench.report.results.results import record_sort_key
    from rntk_bench.storage.records import protocol_id, record_files, record_path

    if method is None or as_stored:
        options.reject_unused(
            ("data_dir", "cache_dir"), "is only used for the confusion matrix of one record"
        )
    methods = () if method is None else (method,)
    dataset = expand_dataset(dataset, {path.parent.name for path in record_files(results)})
    records = _selection.filter_records(
        _records(results, dataset), methods=methods, protocols=protocols
    )
    others: set[int] = set()
    if method is None:
        options.reject_unused(("resample",), "chooses among the records of one method")
    else:
        records, others = _selection.filter_by_resample(records, resample)
    paths = [record_path(results, r.dataset, r.method, r.protocol) for r in records]
    if method is None:
        _list(records, paths, as_stored)
        return
    chosen = max(range(len(records)), key=lambda position: record_sort_key(records[position]))
    if as_stored:
        click.echo(paths[chosen].read_text(encoding="utf-8"), nl=False)
        return
    record = records[chosen]
    _print_record(record, paths[chosen])
    protocol_ids = [protocol_id(other.protocol) for other in records if other is not record]
    if protocol_ids:
        options.print_entry("others", f"{', '.join(protocol_ids)}, shown with --protocol")
    if others:
        options.print_entry("resamples", f"{format_ranges(others)}, shown with --resample")
    if record.test is not None:
        _print_confusion(record, data_dir, cache_dir)


def _records(results: Path, dataset: str) -> list[Record]:
    """Read the records of a dataset, of which there must be one."""
    from rntk_bench.datasets.archive import close_matches
    from rntk_bench.storage.records import read_records, record_files

    records, problems = read_records(results, dataset)
    for problem in problems:
        warn(problem)
    if problems and not records:
        raise InputError(f"No record of {dataset!r} in {results} can be read; mend that first.")
    if not records:
        known = sorted({path.parent.name for path in record_files(results)})
        nearest = close_matches(dataset, known)
        hint = (
            f"did you mean {' or '.join(nearest)}?"
            if nearest
            else "name their folder with --results."
        )
        raise InputError(f"There is no record of {dataset!r} in {results}; {hint}")
    return records


def _list(records: Sequence[Record], paths: Sequence[Path], as_stored: bool) -> None:
    from rntk_bench.report.tables.table import Cell, Column, Table
    from rntk_bench.report.tables.text import render_text
    from rntk_bench.storage.records import protocol_id

    if as_stored:
        click.echo(json.dumps([json.loads(path.read_text(encoding="utf-8")) for path in paths]))
        return
    resampled = any(record.resample for record in records)
    rows = []
    for record in records:
        test, selection = record.test, record.selection or {}
        accuracy = Cell(100 * test["correct"] / test["n"], ".2f") if test else Cell(record.status)
        validation = 100 * selection["accuracy"] if selection else None
        rows.append(
            [
                Cell(record.method),
                Cell(protocol_id(record.protocol)),
                *([Cell(str(record.resample))] if resampled else []),
                accuracy,
                Cell(validation, ".2f"),
                Cell(selection.get("n_settings"), ".0f"),
                Cell(record.timings.get("total"), ".1f"),
                Cell(record.created),
            ]
        )
    titles = ["method", "protocol", "test, %", "validation, %", "settings", "seconds", "created"]
    if resampled:
        titles.insert(2, "resample")
    caption = f"Of {records[0].dataset} in {paths[0].parent}"
    click.echo(render_text(Table("Records", caption, [*map(Column, titles)], rows, [])), nl=False)


def _print_record(record: Record, path: Path) -> None:
    from rntk_bench.storage.records import protocol_id

    resample = f", resample {record.resample}" if record.resample else ""
    entries = {
        "record": f"{record.dataset}, {record.method} ({display_name(record.method)}), protocol "
        f"{protocol_id(record.protocol)}{resample}, {record.created}",
        "file": str(path),
        **_outcome(record),
        "data": _data(record.data),
        "seconds": _seconds(record.timings),
        "protocol": _protocol(record.protocol, (record.selection or {}).get("axes", ())),
        "environment": _environment(record.environment),
    }
    for label, text in entries.items():
        if text:
            options.print_entry(label, text)
    for warning in record.warnings:
        options.print_entry("warning", warning)


def _outcome(record: Record) -> dict[str, str]:
    """The selected setting and the test accuracy, or the error."""
    from rntk_bench.report.results.paper import paper_accuracy
    from rntk_bench.report.results.record_details import describe_fold_networks, wilson_interval

    if record.status == "failed":
        trace = 'in the file above, under "traceback"; --json prints it' if record.traceback else ""
        return {"failed": record.error or "", "traceback": trace}
    entries = {} if record.selection is None else _choice(record.selection)
    if record.test is not None:
        correct, n = record.test["correct"], record.test["n"]
        low, high = wilson_interval(correct, n)
        entries["test"] = (
            f"{100 * correct / n:.2f} %, {correct} of {n} right; "
            f"95 % interval {100 * low:.2f} to {100 * high:.2f} % (Wilson)"
        )
        if networks := describe_fold_networks(record):
            entries["networks"] = networks
    printed = paper_accuracy(record.dataset, record.method)
    if printed is not None:
        split = " on the archive's split" if record.resample else ""
        entries["paper"] = f"{float(printed):.2f} %{split}"
    return entries


def _choice(selection: dict[str, Any]) -> dict[str, str]:
    what = "pairs of setting and C" if "C" in selection else "settings"
    sizes = sorted(set(selection["fold_sizes"]))
    left_out = "; folds that cannot change the choice left out" if selection["pruned"] else ""
    by_default = ", the default: all settings tie" if selection.get("by_default") else ""
    entries = {
        "chosen": format_choice(selection) + by_default,
        "settings": f"number {selection['setting_index'] + 1} of {selection['n_settings']}; "
        f"other {what} that tie with it: {selection['ties'] - 1}",
        "validation": f"{100 * selection['accuracy']:.2f} % in {len(selection['fold_sizes'])} "
        f"folds of {' or '.join(map(str, sizes))} series{left_out}",
    }
    if "best_epochs" in selection:
        entries["best epochs"] = ", ".join(map(str, selection["best_epochs"]))
    return entries


def _data(data: dict[str, Any]) -> str:
    if "n_train" not in data:
        return ""
    length = f"length {data['length']}" if data["equal_length"] else f"up to {data['length']} steps"
    dimensions = "" if data["n_dimensions"] == 1 else f", {data['n_dimensions']} dimensions"
    return (
        f"{data['n_train']} training and {data['n_test']} test series of {length}{dimensions}, "
        f"{data['n_classes']} classes; from {data['source']}, "
        f"fingerprint {data['fingerprint'][:16]}"
    )


def _seconds(timings: dict[str, float]) -> str:
    stages = {name: seconds for name, seconds in timings.items() if name != "total"}
    total = f"{timings['total']} in all; " if "total" in timings else ""
    return f"{total}summed over threads: {_join_values(stages)}" if stages else total


def _protocol(protocol: dict[str, Any], order: Sequence[str]) -> str:
    """The protocol, with the axes of the grid in the order in which its settings are counted."""
    grid = in_grid_order(protocol.get("grid", {}), order)
    axes = [f"{name} ({len(axis)})" for name, axis in grid.items()]
    rest = {name: value for name, value in protocol.items() if name not in ("grid", "method")}
    return _join_values(rest) + (f"; grid of {' x '.join(axes)}" if axes else "")


def _environment(environment: dict[str, Any]) -> str:
    packages = {name: v for name, v in environment.get("packages", {}).items() if v is not None}
    machine = {name: v for name, v in environment.items() if name != "packages"}
    return "; ".join(filter(None, (_join_values(machine), _join_values(packages))))


def _join_values(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} {value}" for name, value in values.items())


def _print_confusion(record: Record, data_dir: Path | None, cache_dir: Path | None) -> None:
    from rntk_bench.datasets import load_dataset, resample_dataset
    from rntk_bench.report.results.record_details import confusion_counts
    from rntk_bench.report.tables.confusion import confusion_table
    from rntk_bench.report.tables.text import render_text

    try:
        data = load_dataset(record.dataset, data_dir=data_dir, cache_dir=cache_dir, download=False)
        data = resample_dataset(data, record.resample)
        counts = confusion_counts(record, data)
    except DataError as error:
        options.print_entry("confusion", f"not known: {str(error).rstrip('.')}.")
        return
    click.echo()
    click.echo(render_text(confusion_table(counts, list(data.classes))), nl=False)
