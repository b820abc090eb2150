"""Tables as HTML, with the scopes of headings that screen readers need."""

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
    """A `table` element and one paragraph per note, without styles."""
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
    """A complete page of rendered tables."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n<title>rntk-bench</title>\n'
        f"<style>\n{_STYLE}</style>\n</head>\n<body>\n{tables}</body>\n</html>\n"
    )


def _heading(table: Table) -> list[str]:
    """One row of column titles, or two: groups, and their columns below."""
    upper: list[str] = []
    lower: list[str] = []
    grouped = any(column.group for column in table.columns)
    for group in column_groups(table.columns):
        first = table.columns[group[0]]
        if first.group:
            upper.append(f'<th scope="colgroup" colspan="{len(group)}">{escape(first.group)}</th>')
            lower += [_title(table, index) for index in group]
        else:
            upper.append(_title(table, group[0], rows=2 if grouped else 1))
    return [_row(upper), *([_row(lower)] if grouped else [])]


def _title(table: Table, index: int, rows: int = 1) -> str:
    span = f' rowspan="{rows}"' if rows > 1 else ""
    title = escape(table.columns[index].title)
    return f'<th scope="col"{span}{_class(table, index)}>{title}</th>'


def _body(table: Table) -> list[str]:
    rows = []
    for name, *cells in table.rows:
        rest = [f"<td{_class(table, i)}>{_content(cell)}</td>" for i, cell in enumerate(cells, 1)]
        rows.append(_row([f'<th scope="row"{_class(table, 0)}>{_content(name)}</th>', *rest]))
    return rows


def _class(table: Table, index: int) -> str:
    return ' class="words"' if table.is_left_aligned(index) else ""


def _content(cell: Cell) -> str:
    text = escape(cell.text())
    return f"<strong>{text}</strong>" if cell.bold else text


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"
