import pytest

from rntk_bench.errors import InputError
from rntk_bench.report.tables.sorting import sort_tables
from rntk_bench.report.tables.table import Cell, Column, Table

TABLE = Table(
    "T",
    "",
    [Column("dataset"), Column("ours", "RNTK"), Column("paper", "RNTK"), Column("NTK")],
    [
        [Cell("b"), Cell(9.0), Cell(1.0), Cell("failed")],
        [Cell("A"), Cell(10.0), Cell(3.0), Cell(5.0)],
        [Cell("c"), Cell(9.0), Cell(2.0), Cell(None)],
    ],
    [],
)


def names(key):
    (table,) = sort_tables([TABLE], key)
    return "".join(row[0].unmarked_text() for row in table.rows)


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("dataset", "Abc"),
        ("-dataset", "cbA"),
        ("RNTK ours", "bcA"),
        ("-rntk", "Abc"),
        ("paper", "bcA"),
        ("-RNTK_paper", "Acb"),
        ("ntk", "Abc"),
        ("-ntk", "Abc"),
    ],
)
def test_rows_stand_in_the_order_of_a_column_what_is_missing_last(key, order):
    assert names(key) == order


def test_tables_without_the_column_stay():
    other = Table("O", "", [Column("method")], [[Cell("z")], [Cell("a")]], [])
    first, second = sort_tables([TABLE, other], "-paper")
    assert second is other
    assert [row[0].value for row in first.rows] == ["A", "c", "b"]


def test_a_column_that_no_table_has():
    with pytest.raises(InputError, match=r"no column 'size'.* dataset, RNTK ours, RNTK paper, NTK"):
        sort_tables([TABLE], "size")
