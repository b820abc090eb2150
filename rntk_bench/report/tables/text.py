"""Tables as text, Markdown and CSV, and the registry of all formats."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable, Iterable

from rntk_bench.report.tables.html import html_document, render_html
from rntk_bench.report.tables.latex import latex_document, render_latex
from rntk_bench.report.tables.table import Table, column_groups


def render_text(table: Table, width: int = 120) -> str:
    """Aligned columns for a terminal; column groups that do not fit follow below."""
    lines = [f"{table.name}. {table.caption}"]
    groups = [_format_group(table, group) for group in column_groups(table.columns)]
    for block in _split_into_blocks(groups, width):
        rows = ["  ".join(parts).rstrip() for parts in zip(*block, strict=True)]
        lines += ["", *filter(None, rows)]  # the line of group titles may be empty
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
        _pipe_row(_escape(str(column)) for column in table.columns),
        _pipe_row("---" if table.is_left_aligned(i) else "---:" for i in range(len(table.columns))),
    ]
    for row in table.rows:
        texts = [_escape(cell.text()) for cell in row]
        lines.append(
            _pipe_row(
                f"**{text}**" if cell.bold else text for text, cell in zip(texts, row, strict=True)
            )
        )
    for note in table.notes:
        lines += ["", _escape(note)]
    return "\n".join(lines) + "\n"


def render_csv(table: Table) -> str:
    """Header and rows only, without marks; missing values are empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([str(column) for column in table.columns])
    writer.writerows([[cell.unmarked_text() for cell in row] for row in table.rows])
    return text.getvalue()


_MARKDOWN_ESCAPES = str.maketrans({mark: f"\\{mark}" for mark in r"\`*_[]<>|~$&"})

RENDERERS: dict[str, Callable[[Table], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "latex": render_latex,
    "html": render_html,
    "csv": render_csv,
}

DOCUMENTS: dict[str, Callable[[str], str]] = {"latex": latex_document, "html": html_document}
"""Wrap rendered tables into a complete document."""


def _format_group(table: Table, group: list[int]) -> list[str]:
    """Lines of equal width: title of the group, titles of its columns, a rule and the rows."""
    columns = [_format_column(table, index) for index in group]
    header, *rows = (" ".join(parts) for parts in zip(*columns, strict=True))
    title = table.columns[group[0]].group
    width = max(len(title), len(header))
    rows = [row.rjust(width) for row in rows]
    return [title.center(width), header.rjust(width), "-" * width, *rows]


def _format_column(table: Table, index: int) -> list[str]:
    """The title and the cells of a column, padded to one width, with a star at the best cells."""
    texts = [table.columns[index].title]
    starred = any(row[index].bold for row in table.rows)
    mark_width = max((len(row[index].mark) for row in table.rows), default=0)
    for cell in (row[index] for row in table.rows):
        star = "*" if cell.bold else " "
        texts.append(cell.text() + " " * (mark_width - len(cell.mark)) + star * starred)
    width = max(map(len, texts))
    if table.is_left_aligned(index):
        return [text.ljust(width) for text in texts]
    return [text.rjust(width) for text in texts]


def _split_into_blocks(groups: list[list[str]], width: int) -> list[list[list[str]]]:
    """Distribute groups over blocks no wider than `width`, each with the row names."""
    names, *others = groups
    blocks = [[names]]
    for group_lines in others:
        used = sum(len(other[0]) + 2 for other in blocks[-1])
        if used + len(group_lines[0]) > width and len(blocks[-1]) > 1:
            blocks.append([names])
        blocks[-1].append(group_lines)
    return blocks


def _pipe_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    """Escape the special characters of Markdown."""
    return text.translate(_MARKDOWN_ESCAPES)
