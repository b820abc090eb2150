"""A plain table: its columns, its cells, and what stands above and below them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

MISSING = "–"


@dataclass(frozen=True)
class Column:
    """A column's title, the group that it and its neighbours stand under, and whether it holds
    words (set flush left, as the first column is) or numbers."""

    title: str
    group: str = ""
    words: bool = False

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

    def flush_left(self, index: int) -> bool:
        """Whether a column is set flush left: the rows' names, and words."""
        return index == 0 or self.columns[index].words


def column_groups(columns: list[Column]) -> list[list[int]]:
    """Indices of the columns that stand together; one without a group stands alone."""
    keyed = groupby(range(len(columns)), key=lambda index: columns[index].group or index)
    return [list(group) for _, group in keyed]
