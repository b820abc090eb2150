"""A plain table, and its renderings as text, Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

MISSING = "–"

_LATEX_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "–": "--",
        "±": r"$\pm$",
        "†": r"$^\dagger$",
        **{character: f"\\{character}" for character in "&%$#_{}"},
    }
)


@dataclass(frozen=True)
class Column:
    """A column's title, and the group that it and its neighbours stand under."""

    title: str
    group: str = ""

    def __str__(self) -> str:
        return f"{self.group} {self.title}".strip()


@dataclass(frozen=True)
class Cell:
    """A value (None: missing), how numbers are formatted, whether it is the best, and a mark."""

    value: Fraction | float | str | None
    style: str = ""
    bold: bool = False
    mark: str = ""

    def show(self) -> str:
        """Return the value as a reader sees it, with its mark."""
        return (self.plain() or MISSING) + self.mark

    def plain(self) -> str:
        """Return the value without its mark, and nothing where it is missing."""
        if self.value is None or isinstance(self.value, str):
            return self.value or ""
        return format(float(self.value), self.style)


@dataclass(frozen=True)
class Table:
    """Everything a rendering needs; a row's first cell is its name."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    notes: list[str]


def render_text(table: Table, width: int = 120) -> str:
    """Aligned columns for a terminal; groups that do not fit beside the others go below them."""
    lines = [f"{table.name}. {table.caption}"]
    panels = [_panel(table, group) for group in _groups(table.columns)]
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
        f"**{table.name}.** {table.caption}",
        "",
        _pipes(map(str, table.columns)),
        _pipes(["---"] + ["---:"] * (len(table.columns) - 1)),
    ]
    for row in table.rows:
        lines.append(_pipes(f"**{cell.show()}**" if cell.bold else cell.show() for cell in row))
    for note in table.notes:
        lines += ["", note]
    return "\n".join(lines) + "\n"


def render_latex(table: Table) -> str:
    r"""A `table` environment that needs \usepackage{booktabs} and nothing else."""
    columns = table.columns
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_escape(table.caption)}}}",
        r"\footnotesize" if len(columns) <= 8 else r"\scriptsize\setlength{\tabcolsep}{3pt}",
        rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
        r"\toprule",
    ]
    if any(column.group for column in columns):
        lines += _latex_group_titles(columns)
    lines.append(_ampersands(_escape(column.title) for column in columns))
    lines.append(r"\midrule")
    lines += [_ampersands(map(_latex_cell, row)) for row in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    for note in table.notes:
        lines += [r"\par\smallskip", rf"\parbox{{\linewidth}}{{\footnotesize {_escape(note)}}}"]
    lines.append(r"\end{table}")
    return "\n".join(lines) + "\n"


def render_csv(table: Table) -> str:
    """Header and rows only, without marks, nothing where a value is missing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([str(column) for column in table.columns])
    writer.writerows([[cell.plain() for cell in row] for row in table.rows])
    return text.getvalue()


RENDERERS: dict[str, Callable[[Table], str]] = {
    "text": render_text,
    "markdown": render_markdown,
    "latex": render_latex,
    "csv": render_csv,
}


def _groups(columns: list[Column]) -> list[list[int]]:
    """Indices of the columns that stand together; one without a group stands alone."""
    keyed = groupby(range(len(columns)), key=lambda index: columns[index].group or index)
    return [list(group) for _, group in keyed]


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
    return [text.rjust(width) if index else text.ljust(width) for text in texts]


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
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _latex_group_titles(columns: list[Column]) -> list[str]:
    """The groups' titles over their columns, and a rule under each."""
    titles, rules = [], []
    for group in _groups(columns):
        title = columns[group[0]].group
        if title:
            titles.append(rf"\multicolumn{{{len(group)}}}{{c}}{{{_escape(title)}}}")
            rules.append(rf"\cmidrule(lr){{{group[0] + 1}-{group[-1] + 1}}}")
        else:
            titles.append("")
    return [_ampersands(titles), "".join(rules)]


def _latex_cell(cell: Cell) -> str:
    text = _escape(cell.show())
    if not isinstance(cell.value, str | None) and text.startswith("-"):
        text = f"$-${text[1:]}"
    return rf"\textbf{{{text}}}" if cell.bold else text


def _ampersands(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _escape(text: str) -> str:
    return text.translate(_LATEX_SPECIAL)
