"""A table as HTML that screen readers can follow: headings know what they are headings of."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from rntk_bench.report.tables.table import Cell, Table, column_groups

_STYLE = """\
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { margin: 2rem; }
table { border-collapse: collapse; border-block: 2px solid; font-variant-numeric: tabular-nums; }
caption { font-weight: bold; padding-block: 0.5rem; text-align: start; }
thead tr:last-child { border-block-end: 1px solid; }
th, td { padding: 0.15rem 0.6rem; text-align: end; }
th[scope="colgroup"] { text-align: center; }
th.words, td.words { text-align: start; }
th[scope="row"] { font-weight: normal; }
"""


def render_html(table: Table) -> str:
    """A `table` element and a paragraph for each note, without any style."""
    lines = [
        "<table>",
        f"<caption>{escape(f'{table.name}. {table.caption}')}</caption>",
        *(f'<colgroup span="{len(group)}"></colgroup>' for group in column_groups(table.columns)),
        "<thead>",
        *_heading(table),
        "</thead>",
        "<tbody>",
        *_body(table),
        "</tbody>",
        "</table>",
        *(f"<p>{escape(note)}</p>" for note in table.notes),
    ]
    return "\n".join(lines) + "\n"


def html_document(tables: str) -> str:
    """A page of the tables that needs nothing else."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>rntk-bench</title>\n'
        f"<style>\n{_STYLE}</style>\n</head>\n<body>\n{tables}</body>\n</html>\n"
    )


def _heading(table: Table) -> list[str]:
    """One row of titles, or two: groups, and below each its columns."""
    above: list[str] = []
    below: list[str] = []
    grouped = any(column.group for column in table.columns)
    for group in column_groups(table.columns):
        first = table.columns[group[0]]
        if first.group:
            above.append(f'<th scope="colgroup" colspan="{len(group)}">{escape(first.group)}</th>')
            below += [_title(table, index) for index in group]
        else:
            above.append(_title(table, group[0], rows=2 if grouped else 1))
    return [_row(above), *([_row(below)] if grouped else [])]


def _title(table: Table, index: int, rows: int = 1) -> str:
    span = f' rowspan="{rows}"' if rows > 1 else ""
    title = escape(table.columns[index].title)
    return f'<th scope="col"{span}{_kind(table, index)}>{title}</th>'


def _body(table: Table) -> list[str]:
    rows = []
    for name, *cells in table.rows:
        rest = [f"<td{_kind(table, i)}>{_show(cell)}</td>" for i, cell in enumerate(cells, 1)]
        rows.append(_row([f'<th scope="row"{_kind(table, 0)}>{_show(name)}</th>', *rest]))
    return rows


def _kind(table: Table, index: int) -> str:
    return ' class="words"' if table.flush_left(index) else ""


def _show(cell: Cell) -> str:
    text = escape(cell.show())
    return f"<strong>{text}</strong>" if cell.bold else text


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"
