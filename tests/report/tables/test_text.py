import csv
import re
import shutil
import subprocess
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from rntk_bench.report.tables.table import MISSING, Cell, Column, Table
from rntk_bench.report.tables.text import (
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


def test_text_makes_space_for_a_long_group_title():
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
        "| dataset | RNTK ours | RNTK diff | own\\_method |",
        "| --- | ---: | ---: | ---: |",
        "| Coffee | **100.00** | +0.50 | failed |",
        "| A\\_B\\|C | 7.12 | -0.25 | – |",
        "",
        r"50 % ± 1 of a\_b \& so on.",
    ]


def test_latex_is_a_booktabs_table():
    text = render_latex(TABLE)
    assert text.splitlines() == [
        r"% \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        r"\caption{Accuracy in \%}\label{tab:table-2}",
        r"\smallskip",
        r"\footnotesize",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        r"\begin{tabular}{lrrr}",
        r"\toprule",
        r" & \multicolumn{2}{c}{RNTK} &  \\",
        r"\cmidrule(lr){2-3}",
        r"dataset & ours & diff & own\_method \\",
        r"\midrule",
        r"Coffee & \textbf{100.00} & +0.50 & failed \\",
        r"A\_B\textbar{}C & 7.12 & $-$0.25 & \textendash{} \\",
        r"\bottomrule",
        r"\end{tabular}}",
        r"\par\smallskip",
        r"\parbox{\linewidth}{\footnotesize 50 \% $\pm$ 1 of a\_b \& so on.}",
        r"\end{table}",
    ]


@pytest.mark.parametrize("special", "\\&%$#_{}~^<>|")
def test_latex_escapes_what_it_would_read(special):
    row = render_latex(Table("T", "", [Column("a")], [[Cell(f"x{special}y")]], [])).splitlines()[-4]
    assert row != rf"x{special}y \\"
    assert re.fullmatch(r"x\\\S+y \\\\", row)


def test_latex_joins_no_hyphens():
    assert r"A-{}-{}-B \textendash{} C" in render_latex(
        Table("T", "A---B – C", [Column("a")], [], [])
    )


@pytest.mark.parametrize(("n_rows", "n_pages"), [(45, 1), (46, 2), (128, 3)])
def test_latex_goes_on_under_the_same_number(n_rows, n_pages):
    rows = [[Cell(f"row {number}")] for number in range(n_rows)]
    text = render_latex(Table("T", "Long", [Column("a")], rows, ["A note."]))
    assert re.findall(r"row \d+", text) == [f"row {number}" for number in range(n_rows)]
    assert text.count(r"\begin{table}") == text.count(r"\toprule") == n_pages
    assert text.count(r"\addtocounter{table}{-1}") == n_pages - 1
    assert text.count(r"\label") == text.count("A note.") == 1


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no TeX")
def test_latex_compiles_as_it_stands(tmp_path):
    specials = Table(
        "Every < special", '\\&%$#_{}~^<>|"', [Column("ä\\")], [[Cell("×{")]], ["_--_"]
    )
    long = wide(7)
    long = replace(long, rows=long.rows * 50)
    tables = [TABLE, specials, long, Table("T", "Empty", [Column("a"), Column("b", "c")], [], [])]
    (tmp_path / "t.tex").write_text(
        DOCUMENTS["latex"]("\n".join(map(render_latex, tables))), encoding="utf-8"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert b"Overfull" not in done.stdout
    assert (tmp_path / "t.pdf").read_bytes().startswith(b"%PDF")


def test_html_headings_know_what_they_head():
    text = render_html(TABLE)
    assert "<caption>Table 2. Accuracy in %</caption>" in text
    assert '<th scope="colgroup" colspan="2">RNTK</th>' in text
    assert '<th scope="col" rowspan="2" class="words">dataset</th>' in text
    assert '<tr><th scope="col">ours</th><th scope="col">diff</th></tr>' in text
    assert (
        '<tr><th scope="row" class="words">Coffee</th><td><strong>100.00</strong></td>'
        "<td>+0.50</td><td>failed</td></tr>"
    ) in text
    assert "<p>50 % ± 1 of a_b &amp; so on.</p>" in text


@pytest.mark.parametrize("table", [TABLE, wide(7)], ids=["small", "wide"])
def test_html_is_well_formed_and_every_row_as_wide_as_the_heading(table):
    page = DOCUMENTS["html"](render_html(table))
    body = re.sub(r"<meta[^>]*>", "", page.removeprefix("<!DOCTYPE html>"))
    for row in ElementTree.fromstring(body).iter("tr"):
        if row[0].get("scope") == "row":
            assert len(row) == len(table.columns)
    (heading, *_) = ElementTree.fromstring(body).iter("tr")
    assert sum(int(cell.get("colspan", 1)) for cell in heading) == len(table.columns)


def test_html_escapes_what_it_would_read():
    text = render_html(Table("T", "<b> & c", [Column("<i>")], [[Cell("<script>")]], ["a < b"]))
    assert not re.search("<(b|i|script)>", text)
    assert "&lt;script&gt;" in text


def test_columns_of_words_are_left_aligned():
    columns = [Column("a"), Column("n"), Column("remark", words=True)]
    rows = [
        [Cell("x"), Cell(1, ".0f"), Cell("short")],
        [Cell("y"), Cell(10, ".0f"), Cell("much longer")],
    ]
    table = Table("T", "", columns, rows, [])
    assert "x   1  short\ny  10  much longer\n" in render_text(table)
    assert "| --- | ---: | --- |" in render_markdown(table)
    assert r"\begin{tabular}{lrl}" in render_latex(table)
    assert '<td>1</td><td class="words">short</td>' in render_html(table)


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
    assert Cell(None).text() == MISSING
    assert Cell(None).unmarked_text() == ""
    assert Cell(-0.001, "+z.2f").text() == "+0.00"


def test_marks_are_beside_the_number_in_line_and_not_in_csv():
    rows = [[Cell("a"), Cell(7.0, ".1f", bold=True, mark="†")], [Cell("b"), Cell(10.0, ".1f")]]
    table = Table("T", "", [Column("x"), Column("y")], rows, [])
    assert "a   7.0†*\nb  10.0\n" in render_text(table)
    assert "**7.0†**" in render_markdown(table)
    assert r"\textbf{7.0$^\dagger$}" in render_latex(table)
    assert render_csv(table) == "x,y\na,7.0\nb,10.0\n"


NAMES = [
    "*bold*",
    "_under_",
    "<script>",
    "`code`",
    "[link](x)",
    "a|b",
    "$x$",
    "~~no~~",
    "\\",
    "&lt;",
]


def test_markdown_has_no_marks_but_its_own():
    rows = [[Cell(name), Cell("x")] for name in NAMES]
    text = render_markdown(Table("*T*", "_c_", [Column("<a>"), Column("b", "g|h")], rows, NAMES))
    unescaped = re.sub(r"\\[^A-Za-z0-9\s]", "", text)
    assert not set("_<`[$~&") & set(unescaped)
    assert unescaped.count("*") == 4  # the table's name is bold
    lines = text.splitlines()
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in lines[2:14])
    assert [re.sub(r"\\([^A-Za-z0-9\s])", r"\1", line) for line in lines[15::2]] == NAMES


def test_latex_reads_no_name_as_an_option():
    names = ["[2cm] x", "*x", "`x"]
    text = render_latex(Table("T", "c", [Column("a")], [[Cell(name)] for name in names], []))
    assert r"{[}2cm{]} x \\" in text
    assert not re.search(r"^[\[*`]", text, flags=re.MULTILINE)
