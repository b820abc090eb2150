"""One self-contained HTML page of run records: tables, figures, and a section a dataset."""

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
from rntk_bench.report.page.datasets import section
from rntk_bench.report.page.figures import duels, overview
from rntk_bench.report.page.labels import Labels
from rntk_bench.report.page.provenance import Environments, protocols
from rntk_bench.report.results.results import Results
from rntk_bench.report.tables.cells import Table
from rntk_bench.report.tables.html import render_html
from rntk_bench.report.tables.paper import table1, table2
from rntk_bench.storage.records import Record


def render_page(results: Results, labels: Labels, with_paper: bool = True) -> str:
    """The page as HTML that asks nothing of a network, the same for the same results and labels.

    Parameters
    ----------
    results : Results
    labels : Labels
        Where confusion matrices get the test labels from.
    with_paper : bool
        Put the paper's numbers beside one's own in the tables.

    Raises
    ------
    ExtraError
        If matplotlib is not installed.
    """
    records = list(results.records.values())
    environments = Environments(records)
    first, second = table1(results, with_paper), table2(results, with_paper)
    own_notes = [note for note in second.notes if note not in first.notes]
    tables = [first, replace(second, notes=own_notes)]
    script = _part("page.js")
    return _template().render(
        style=Markup(_part("page.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        facts=_facts(results, records),
        leaders=_leaders(first),
        failures=[record for record in records if record.status == "failed"],
        tables=[(table, Markup(render_html(replace(table, notes=[])))) for table in tables],
        overview=overview(results),
        duels=duels(results),
        sections=[section(dataset, results, labels, environments) for dataset in results.datasets],
        environments=environments.listed(),
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


def _part(name: str) -> str:
    return files("rntk_bench.report.page").joinpath("templates", name).read_text(encoding="utf-8")


def _facts(results: Results, records: Sequence[Record]) -> list[tuple[str, str]]:
    """What the page is about, in a few numbers."""
    days = sorted(datetime.fromisoformat(record.created).date() for record in records)
    own = len(results.methods) - len(results.published)
    seconds = sum(record.timings.get("total", 0.0) for record in records)
    return [
        ("Datasets", str(len(results.datasets))),
        ("Methods", str(own)),
        *([("Published", str(len(results.published)))] if results.published else []),
        ("Results", str(len(records) - len(results.failed))),
        ("Failed", str(len(results.failed))),
        ("Without a record", str(own * len(results.datasets) - len(records))),
        ("Computed in", _duration(seconds)),
        ("Records of", " to ".join(dict.fromkeys(day.isoformat() for day in (days[0], days[-1])))),
    ]


def _leaders(table: Table) -> list[str]:
    """Sentences that name the best methods of Table 1, none where nothing is best."""
    sentences, titles = [], [column.title for column in table.columns]
    for title, what, unit in (("mean", "mean accuracy", " %"), ("rank", "mean rank", "")):
        position = titles.index(title)  # the first is of one's own results
        best = [row for row in table.rows if row[position].bold]
        if best:
            names = " and ".join(row[0].show() for row in best)
            sentences.append(f"Best {what}: {names}, {best[0][position].show()}{unit}.")
    return sentences


def _duration(seconds: float) -> str:
    """Seconds as a reader would say them, in the largest unit that leaves at least one."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
