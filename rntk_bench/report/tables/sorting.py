"""Sorting the rows of tables by a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rntk_bench.errors import InputError
from rntk_bench.report.results.names import normalise_name
from rntk_bench.report.tables.table import Cell, Table


def sort_tables(tables: Sequence[Table], key: str) -> list[Table]:
    """Sort the rows of the tables that have a column; the other tables stay as they are.

    Parameters
    ----------
    tables : sequence of Table
    key : str
        The name of a column, such as `rank` or `RNTK paper`, or of a group, such as `RNTK`, for
        its first column; case and punctuation do not matter, and the first match is used.
        Ascending, or descending with `-` before the name. Missing entries come last in both.

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
        table if position is None else _sorted(table, position, descending=key != name)
        for table, position in zip(tables, positions, strict=True)
    ]


def _position(table: Table, name: str) -> int | None:
    for names in (
        [str(column) for column in table.columns],
        [column.title for column in table.columns],
        [column.group for column in table.columns],
    ):
        normalised = list(map(normalise_name, names))
        if normalise_name(name) in normalised:
            return normalised.index(normalise_name(name))
    return None


def _sorted(table: Table, position: int, descending: bool) -> Table:
    is_text = table.is_left_aligned(position)

    def sort_key(cell: Cell) -> str | float:
        if is_text:
            return cell.unmarked_text().casefold()
        return float(cell.value)  # type: ignore[arg-type]

    known = [row for row in table.rows if _has_value(row[position], is_text)]
    missing = [row for row in table.rows if not _has_value(row[position], is_text)]
    known.sort(key=lambda row: sort_key(row[position]), reverse=descending)
    return replace(table, rows=known + missing)


def _has_value(cell: Cell, is_text: bool) -> bool:
    return cell.value is not None and (is_text or not isinstance(cell.value, str))
