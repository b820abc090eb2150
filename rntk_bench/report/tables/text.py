"""A table as text, Markdown and CSV, and the list of all renderings."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable, Iterable

from rntk_bench.report.tables.html import html_document, render_html
from rntk_bench.report.tables.latex import latex_document, render_latex
from rntk_bench.report.tables.table import Table, column_groups


def render_text(table: Table, width: int = 120) -> str:
    """Aligned columns for a terminal; groups that do not fit beside the others go below them."""
    lines = [f"{table.name}. {table.caption}"]
    panels = [_panel(table, group) for group in column_groups(table.columns)]
    for block in _blocks(panels, width):
        rows = ["  ".join(parts).rstrip() for parts in zip(*block, strict=True)]
        lines += ["", *filter(None, rows)]  # a line of group titles may be empty
    notes = list(table.notes)
    if any(cell.bold for row in table.rows for cell in row):
        notes.insert(0, "* marks the best.")
    lines.append("")
    for note in notes:
        lines += textwrap.wrap(note, width, subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def render_markdown(table: Table) -> str:
    """A pipe table, as GitHub and most converters read it."""
    lines = [
        f"**{_escape(table.name)}.** {_escape(table.caption)}",
        "",
        _pipes(_escape(str(column)) for column in table.columns),
        _pipes("---" if table.flush_left(i) else "---:" for i in range(len(table.columns))),
    ]
    for row in table.rows:
        texts = [_escape(cell.show()) for cell in row]
        lines.append(
            _pipes(
                f"**{text}**" if cell.bold else text for text, cell in zip(texts, row, strict=True)
            )
        )
    for note in table.notes:
        lines += ["", _escape(note)]
    return "\n".join(lines) + "\n"


def render_csv(table: Table) -> str:
    """Header and rows only, without marks, nothing where a value is missing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([str(column) for column in table.columns])
    writer.writerows([[cell.plain() for cell in row] for row in table.rows])
    return text.getvalue()


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in r"\`*_[]<>|~$&"})

RENDERERS: dict[str, Callable[[Table], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "latex": render_latex,
    "html": render_html,
    "csv": render_csv,
}

DOCUMENTS: dict[str, Callable[[str], str]] = {"latex": latex_document, "html": html_document}
"""Make a whole document of tables in the formats whose tables are parts of one."""


def _panel(table: Table, group: list[int]) -> list[str]:
    """Lines of equal width: the group's title, the columns' titles, a rule and the rows."""
    columns = [_aligned(table, index) for index in group]
    header, *rows = (" ".join(parts) for parts in zip(*columns, strict=True))
    title = table.columns[group[0]].group
    width = max(len(title), len(header))
    rows = [row.rjust(width) for row in rows]
    return [title.center(width), header.rjust(width), "-" * width, *rows]


def _aligned(table: Table, index: int) -> list[str]:
    """A column's title and cells padded to one width, marks in line, the best cells starred."""
    texts = [table.columns[index].title]
    starred = any(row[index].bold for row in table.rows)
    room = max((len(row[index].mark) for row in table.rows), default=0)
    for cell in (row[index] for row in table.rows):
        star = "*" if cell.bold else " "
        texts.append(cell.show() + " " * (room - len(cell.mark)) + star * starred)
    width = max(map(len, texts))
    if table.flush_left(index):
        return [text.ljust(width) for text in texts]
    return [text.rjust(width) for text in texts]


def _blocks(panels: list[list[str]], width: int) -> list[list[list[str]]]:
    """Spread panels over blocks no wider than `width`, each opened by the rows' names."""
    names, *others = panels
    blocks = [[names]]
    for panel in others:
        used = sum(len(other[0]) + 2 for other in blocks[-1])
        if used + len(panel[0]) > width and len(blocks[-1]) > 1:
            blocks.append([names])
        blocks[-1].append(panel)
    return blocks


def _pipes(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    """Escape what Markdown would read as a mark."""
    return text.translate(_MARKS)
