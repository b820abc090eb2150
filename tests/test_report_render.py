import csv
import re

import pytest

from rntk_bench.report.cells import MISSING, Cell, Column, Table
from rntk_bench.report.render import (
    DOCUMENTS,
    RENDERERS,
    render_csv,
    render_html,
    render_latex,
    render_markdown,
    render_text,
)

TABLE = Table(
    name="Table 2",
    caption="Accuracy in %",
    columns=[
        Column("dataset"),
        Column("ours", "RNTK"),
        Column("diff", "RNTK"),
        Column("own_method"),
    ],
    rows=[
        [Cell("Coffee"), Cell(100, ".2f", bold=True), Cell(0.5, "+.2f"), Cell("failed")],
        [Cell("A_B|C"), Cell(7.125, ".2f"), Cell(-0.25, "+.2f"), Cell(None)],
    ],
    notes=["50 % ± 1 of a_b & so on."],
)


def wide(n_methods):
    columns = [
        Column(title, f"method {number}")
        for number in range(n_methods)
        for title in ("ours", "paper", "diff")
    ]
    row = [Cell(99.999, ".2f", bold=True), Cell(98.76, ".2f"), Cell(-1.24, "+.2f")]
    name = Cell("ProximalPhalanxOutlineCorrect")
    return Table("Table 2", "Wide", [Column("dataset"), *columns], [[name, *row * n_methods]], [])


def test_text_is_aligned():
    assert render_text(TABLE).splitlines() == [
        "Table 2. Accuracy in %",
        "",
        "              RNTK",
        "dataset     ours  diff  own_method",
        "-------  -------------  ----------",
        "Coffee   100.00* +0.50      failed",
        "A_B|C      7.12  -0.25           –",
        "",
        "* marks the best.",
        "50 % ± 1 of a_b & so on.",
    ]


@pytest.mark.parametrize("n_methods", [1, 4, 7, 12])
def test_text_stays_narrow_and_loses_nothing(n_methods):
    text = render_text(wide(n_methods), width=120)
    assert max(map(len, text.splitlines())) <= 120
    assert text.count("98.76") == n_methods
    assert re.findall(r"method \d+", text) == [f"method {number}" for number in range(n_methods)]


def test_text_of_four_methods_is_one_block():
    assert render_text(wide(4)).count("ProximalPhalanxOutlineCorrect") == 1
    assert render_text(wide(7)).count("ProximalPhalanxOutlineCorrect") == 2


def test_text_wraps_notes():
    table = Table("Table 1", "", [Column("a")], [], ["word " * 60])
    assert max(map(len, render_text(table).splitlines())) <= 120


def test_text_makes_room_for_a_long_group_title():
    table = Table("T", "", [Column("a"), Column("b", "a long title")], [[Cell("x"), Cell("y")]], [])
    assert render_text(table).splitlines()[2:] == [
        "   a long title",
        "a             b",
        "-  ------------",
        "x             y",
        "",
    ]


def test_markdown_is_a_pipe_table():
    assert render_markdown(TABLE).splitlines() == [
        "**Table 2.** Accuracy in %",
        "",
        "| dataset | RNTK ours | RNTK diff | own_method |",
        "| --- | ---: | ---: | ---: |",
        "| Coffee | **100.00** | +0.50 | failed |",
        "| A_B\\|C | 7.12 | -0.25 | – |",
        "",
        "50 % ± 1 of a_b & so on.",
    ]


def test_latex_is_a_booktabs_table():
    text = render_latex(TABLE)
    assert text.splitlines() == [
        r"\begin{table}",
        r"\centering",
        r"\caption{Accuracy in \%}",
        r"\footnotesize",
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r" & \multicolumn{2}{c}{RNTK} &  \\",
        r"\cmidrule(lr){2-3}",
        r"dataset & ours & diff & own\_method \\",
        r"\midrule",
        r"Coffee & \textbf{100.00} & +0.50 & failed \\",
        r"A\_B|C & 7.12 & $-$0.25 & -- \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip",
        r"\parbox{\linewidth}{\footnotesize 50 \% $\pm$ 1 of a\_b \& so on.}",
        r"\end{table}",
    ]


@pytest.mark.parametrize("special", "\\&%$#_{}~^")
def test_latex_escapes_what_it_would_read(special):
    row = render_latex(Table("T", "", [Column("a")], [[Cell(f"x{special}y")]], [])).splitlines()[-4]
    assert row != rf"x{special}y \\"
    assert re.fullmatch(r"x\\\S+y \\\\", row)


def test_csv_is_read_back():
    assert list(csv.reader(render_csv(TABLE).splitlines())) == [
        ["dataset", "RNTK ours", "RNTK diff", "own_method"],
        ["Coffee", "100.00", "+0.50", "failed"],
        ["A_B|C", "7.12", "-0.25", ""],
    ]


@pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
def test_every_format_ends_in_one_newline_and_takes_an_empty_table(render):
    text = render(Table("T", "nothing", [Column("a"), Column("b")], [], []))
    assert text.endswith("\n")
    assert not text.endswith("\n\n\n")


def test_a_cell_shows_what_it_has():
    assert Cell(None).show() == MISSING
    assert Cell(None).plain() == ""
    assert Cell(-0.001, "+z.2f").show() == "+0.00"


def test_marks_are_beside_the_number_in_line_and_not_in_csv():
    rows = [[Cell("a"), Cell(7.0, ".1f", bold=True, mark="†")], [Cell("b"), Cell(10.0, ".1f")]]
    table = Table("T", "", [Column("x"), Column("y")], rows, [])
    assert "a   7.0†*\nb  10.0\n" in render_text(table)
    assert "**7.0†**" in render_markdown(table)
    assert r"\textbf{7.0$^\dagger$}" in render_latex(table)
    assert render_csv(table) == "x,y\na,7.0\nb,10.0\n"
