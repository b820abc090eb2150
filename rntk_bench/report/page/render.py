"""A self-contained HTML page of run records: tables, figures, and one section per dataset."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from rntk_bench.methods import display_name
from rntk_bench.report.page.datasets import dataset_section
from rntk_bench.report.page.figures import pairwise_figures, summary_figures
from rntk_bench.report.page.labels import Labels
from rntk_bench.report.page.provenance import Environments, protocols
from rntk_bench.report.results.results import Results
from rntk_bench.report.tables.html import render_html
from rntk_bench.report.tables.paper import table1, table2
from rntk_bench.report.tables.table import Table
from rntk_bench.storage.records import Record


def render_page(results: Results, labels: Labels, with_paper: bool = True) -> str:
    """The page as HTML, which loads nothing else and is the same for the same results and labels.

    Parameters
    ----------
    results : Results
    labels : Labels
        The source of the test labels for confusion matrices.
    with_paper : bool
        Whether to show the paper's numbers in the tables.

    Raises
    ------
    ExtraError
        Matplotlib is not installed.
    """
    records = [record for runs in results.runs.values() for record in runs.values()]
    environments = Environments(records)
    first, second = table1(results, with_paper), table2(results, with_paper)
    other_notes = [note for note in second.notes if note not in first.notes]
    tables = [first, replace(second, notes=other_notes)]
    script = _read_template("page.js")
    return _template().render(
        style=Markup(_read_template("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        facts=_facts(results, records),
        best_methods=_best_methods(first),
        failures=[record for record in records if record.status == "failed"],
        tables=[(table, Markup(render_html(replace(table, notes=[])))) for table in tables],
        summary_figures=summary_figures(results),
        pairwise_figures=pairwise_figures(results),
        sections=[
            dataset_section(dataset, results, labels, environments) for dataset in results.datasets
        ],
        environments=environments.summaries(),
        protocols=protocols(records),
    )


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("rntk_bench.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["display_name"] = display_name
    return environment.get_template("page.html.j2")


def _read_template(name: str) -> str:
    return files("rntk_bench.report.page").joinpath("templates", name).read_text(encoding="utf-8")


def _facts(results: Results, records: Sequence[Record]) -> list[tuple[str, str]]:
    """Numbers for the summary at the top of the page."""
    days = sorted(datetime.fromisoformat(record.created).date() for record in records)
    n_methods = len(results.methods) - len(results.published)
    seconds = sum(record.timings.get("total", 0.0) for record in records)
    n_failed = sum(record.status == "failed" for record in records)
    return [
        ("Datasets", str(len(results.datasets))),
        ("Methods", str(n_methods)),
        *([("Published", str(len(results.published)))] if results.published else []),
        ("Results", str(len(records) - n_failed)),
        ("Failed", str(n_failed)),
        ("Without a record", str(n_methods * len(results.datasets) - len(results.records))),
        ("Computed in", _format_duration(seconds)),
        ("Records of", " to ".join(dict.fromkeys(day.isoformat() for day in (days[0], days[-1])))),
    ]


def _best_methods(table: Table) -> list[str]:
    """Sentences on the best methods of Table 1; none if nothing is marked as best."""
    sentences, titles = [], [column.title for column in table.columns]
    for title, what, unit in (("mean", "mean accuracy", " %"), ("rank", "mean rank", "")):
        position = titles.index(title)  # the first column of this title, of the records
        best = [row for row in table.rows if row[position].bold]
        if best:
            names = " and ".join(row[0].text() for row in best)
            sentences.append(f"Best {what}: {names}, {best[0][position].text()}{unit}.")
    return sentences


def _format_duration(seconds: float) -> str:
    """Seconds in the largest unit of which there is at least one."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
