"""Tables whose rows stand in the order of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rntk_bench.errors import InputError
from rntk_bench.report.results.names import folded
from rntk_bench.report.tables.table import Cell, Table


def sort_tables(tables: Sequence[Table], key: str) -> list[Table]:
    """Sort the rows of those tables that have a column, and leave the others.

    Parameters
    ----------
    tables : sequence of Table
    key : str
        The column's name, `rank` or `RNTK paper` or of a group `RNTK`, which is its first column;
        the first that fits, whatever its case and punctuation. Upwards, or downwards with `-`
        before the name. What is missing comes last either way.

    Raises
    ------
    InputError
        No table has the column.
    """
    name = key.removeprefix("-")
    positions = [_position(table, name) for table in tables]
    if all(position is None for position in positions):
        names = ", ".join(str(column) for table in tables for column in table.columns)
        raise InputError(f"There is no column {name!r} to sort by; there are {names}.")
    return [
        table if position is None else _sorted(table, position, downwards=key != name)
        for table, position in zip(tables, positions, strict=True)
    ]


def _position(table: Table, name: str) -> int | None:
    for names in (
        [str(column) for column in table.columns],
        [column.title for column in table.columns],
        [column.group for column in table.columns],
    ):
        forms = list(map(folded, names))
        if folded(name) in forms:
            return forms.index(folded(name))
    return None


def _sorted(table: Table, position: int, downwards: bool) -> Table:
    words = table.flush_left(position)

    def order(cell: Cell) -> str | float:
        if words:
            return cell.plain().casefold()
        return float(cell.value)  # type: ignore[arg-type]

    known = [row for row in table.rows if _has(row[position], words)]
    missing = [row for row in table.rows if not _has(row[position], words)]
    known.sort(key=lambda row: order(row[position]), reverse=downwards)
    return replace(table, rows=known + missing)


def _has(cell: Cell, words: bool) -> bool:
    return cell.value is not None and (words or not isinstance(cell.value, str))
