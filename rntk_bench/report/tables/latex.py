"""Tables as LaTeX in the style of the booktabs package."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rntk_bench.report.tables.table import Cell, Column, Table, column_groups

_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        '"': "''",
        "`": r"\textasciigrave{}",
        **{
            character: f"{{{character}}}" for character in "[]*"
        },  # not read as an option of a preceding \
        "–": r"\textendash{}",
        "±": r"$\pm$",
        "†": r"$^\dagger$",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)

_ROWS_PER_PAGE = 45
_MAX_COLUMNS = 8


def render_latex(table: Table) -> str:
    """A `table` environment, or several with one number if the rows need more than one page.

    The first line names the packages that the preamble must load. Tables wider than the text are
    shrunk to its width.
    """
    rows = table.rows
    pages = [rows[i : i + _ROWS_PER_PAGE] for i in range(0, len(rows), _ROWS_PER_PAGE)] or [[]]
    lines = [r"% \usepackage{booktabs,graphicx}"]
    for number, page in enumerate(pages):
        lines += [
            r"\begin{table}",
            r"\centering",
            *(_caption(table) if number == 0 else _continued_caption(table)),
            *_tabular(table, page),
            *(_notes(table) if number == len(pages) - 1 else []),
            r"\end{table}",
        ]
    return "\n".join(lines) + "\n"


def latex_document(tables: str) -> str:
    """A complete article of rendered tables."""
    return (
        "\\documentclass{article}\n"
        "\\usepackage[margin=2cm]{geometry}\n"
        "\\usepackage{booktabs,graphicx}\n"
        f"\\begin{{document}}\n\n{tables}\n\\end{{document}}\n"
    )


def _caption(table: Table) -> list[str]:
    label = re.sub(r"\W+", "-", table.name.casefold())
    return [rf"\caption{{{_escape(table.caption)}}}\label{{tab:{label}}}"]


def _continued_caption(table: Table) -> list[str]:
    return [r"\addtocounter{table}{-1}", rf"\caption{{{_escape(table.caption)} (continued)}}"]


def _tabular(table: Table, rows: list[list[Cell]]) -> list[str]:
    alignment = "".join("l" if table.is_left_aligned(i) else "r" for i in range(len(table.columns)))
    return [
        r"\smallskip",
        _font_size(table),
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        *_heading(table.columns),
        r"\midrule",
        *(_row(map(_cell, row)) for row in rows),
        r"\bottomrule",
        r"\end{tabular}}",
    ]


def _font_size(table: Table) -> str:
    if len(table.columns) <= _MAX_COLUMNS:
        return r"\footnotesize"
    return r"\scriptsize\setlength{\tabcolsep}{3pt}"


def _heading(columns: list[Column]) -> list[str]:
    titles = [_row(_escape(column.title) for column in columns)]
    if any(column.group for column in columns):
        return _group_titles(columns) + titles
    return titles


def _group_titles(columns: list[Column]) -> list[str]:
    """The titles of the groups above their columns, and a rule below each."""
    titles, rules = [], []
    for group in column_groups(columns):
        title = columns[group[0]].group
        if title:
            titles.append(rf"\multicolumn{{{len(group)}}}{{c}}{{{_escape(title)}}}")
            rules.append(rf"\cmidrule(lr){{{group[0] + 1}-{group[-1] + 1}}}")
        else:
            titles.append("")
    return [_row(titles), "".join(rules)]


def _cell(cell: Cell) -> str:
    text = _escape(cell.text())
    if not isinstance(cell.value, str | None) and text.startswith("-"):
        text = f"$-${text[1:]}"
    return rf"\textbf{{{text}}}" if cell.bold else text


def _notes(table: Table) -> list[str]:
    lines = []
    for note in table.notes:
        lines += [r"\par\smallskip", rf"\parbox{{\linewidth}}{{\footnotesize {_escape(note)}}}"]
    return lines


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _escape(text: str) -> str:
    """Escape the special characters of LaTeX; consecutive hyphens do not become a dash."""
    return re.sub("-(?=-)", "-{}", text.translate(_SPECIAL))
