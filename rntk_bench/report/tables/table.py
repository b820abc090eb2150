"""A table, independent of its format: columns, cells, caption and notes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

MISSING = "–"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
    group : str
        The heading that neighbouring columns share; empty for none.
    words : bool
        Whether the column holds words, which are left-aligned, or numbers.
    """

    title: str
    group: str = ""
    words: bool = False

    def __str__(self) -> str:
        return f"{self.group} {self.title}".strip()


@dataclass(frozen=True)
class Cell:
    """An entry of a table.

    Attributes
    ----------
    value : number, str or None
        None if it is missing.
    style : str
        Format specification of a number.
    bold : bool
        Whether it is the best of its row or column.
    mark : str
        A character that refers to a note.
    """

    value: Fraction | float | str | None
    style: str = ""
    bold: bool = False
    mark: str = ""

    def text(self) -> str:
        """The formatted value with its mark."""
        return (self.unmarked_text() or MISSING) + self.mark

    def unmarked_text(self) -> str:
        """The formatted value without its mark; empty if it is missing."""
        if self.value is None or isinstance(self.value, str):
            return self.value or ""
        return format(float(self.value), self.style)


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its name."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    notes: list[str]

    def is_left_aligned(self, index: int) -> bool:
        """Whether a column is left-aligned: the names of the rows, and words."""
        return index == 0 or self.columns[index].words


def column_groups(columns: list[Column]) -> list[list[int]]:
    """Indices of the columns of each group; a column without a group is a group of its own."""
    keyed = groupby(range(len(columns)), key=lambda index: columns[index].group or index)
    return [list(group) for _, group in keyed]
