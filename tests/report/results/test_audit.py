from fractions import Fraction

import pytest

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.report.results import paper
from rntk_bench.report.results.audit import (
    Explanation,
    explanations,
    impossible_entries,
    table1_misprints,
    truncate,
)
from rntk_bench.report.tables.audit import audit_table1, audit_table2
from rntk_bench.report.tables.text import render_text


def sound_table(n_datasets=8):
    """Accuracies of counts of right answers, alternately rounded and cut to two decimals."""
    table = {}
    for index, dataset in enumerate(list(ARCHIVE)[:n_datasets]):
        n_test = ARCHIVE[dataset].n_test
        share = Fraction(100 * (n_test * (index % 9 + 3) // 12), n_test)
        table[dataset] = {
            "rounded": Fraction(round(share * 100), 100),
            "cut": Fraction(truncate(share)),
        }
    return table


def test_what_counts_give_is_possible():
    assert impossible_entries(sound_table(128)) == []


def test_a_planted_misprint_is_found_with_the_nearest_count():
    table = sound_table()
    table["Coffee"] = {"a": Fraction("92.86"), "b": Fraction("92.68")}
    (found,) = impossible_entries(table)
    assert (found.dataset, found.method, found.n_test, found.nearest) == ("Coffee", "b", 28, 26)


def test_a_planted_row_of_another_dataset_is_explained():
    table = sound_table()
    table["Coffee"] = {
        name: Fraction(round(Fraction(100 * count, 105) * 100), 100)
        for name, count in (("a", 50), ("b", 61), ("c", 88))
    }
    assert explanations(table) == [Explanation("Coffee", ("a", "b", "c"), ("Ham", "Plane"), 105)]
    table |= {"Ham": {"a": Fraction(0)}, "Plane": {"a": Fraction(0)}}
    assert explanations(table) == []


def test_two_misprints_are_not_explained_by_a_large_test_set():
    table = {"Herring": {"a": Fraction("56.65"), "b": Fraction("23.28")}}
    assert len(impossible_entries(table)) == 2
    assert explanations(table) == []


def test_the_paper_s_row_of_two_datasets_is_found():
    assert explanations(paper.printed_table2()) == [
        Explanation(paper.SHARED_ROW, paper.KERNELS, (paper.KERNELS_OF_SHARED_ROW,), 154)
    ]


def test_the_paper_s_impossible_entries():
    found = impossible_entries(paper.printed_table2())
    assert {(entry.dataset, entry.method) for entry in found} == {
        *((paper.SHARED_ROW, method) for method in paper.KERNELS),
        ("Ham", "ntk"),
        ("SmallKitchenAppliances", "rnn-gaussian"),
        ("UWaveGestureLibraryY", "rntk"),
        ("Herring", "rntk"),
        ("Herring", "rnn-gaussian"),
        ("FaceAll", "ntk"),
        ("DistalPhalanxTW", "poly"),
        ("Meat", "rnn-gaussian"),
        ("Car", "ntk"),
        ("SemgHandSubjectCh2", "rbf"),
    }


@pytest.mark.parametrize("entry", impossible_entries(paper.printed_table2()))
def test_an_impossible_entry_is_neither_rounded_nor_cut(entry):
    """Against every count, in floats."""
    printed = f"{float(entry.printed):.2f}"
    shares = [100 * count / entry.n_test for count in range(entry.n_test + 1)]
    assert printed not in {f"{share:.2f}" for share in shares} | set(map(truncate, shares))
    distances = [abs(share - float(entry.printed)) for share in shares]
    assert distances.index(min(distances)) == entry.nearest


def test_table_1_s_misprints():
    assert [(m.method, m.statistic, m.printed, m.corrected) for m in table1_misprints()] == [
        ("rbf", "std", "16.76", "16.86"),
        ("poly", "mean", "78.68", "77.68"),
        ("rnn-identity", "mean", "64.68", "64.58"),
    ]


def test_the_tables_say_what_was_found():
    text = render_text(audit_table1(), 200)
    assert "3 of 21 statistics do not follow" in text
    assert "† Polynomial, mean: printed 78.68, should be 77.68, cut to two decimals." in text
    rows = {(row[0].value, row[1].value): row[2:] for row in audit_table2().rows}
    assert len(rows) == 14
    shown = {key: [cell.unmarked_text() for cell in row] for key, row in rows.items()}
    assert shown["Ham", "NTK"] == ["71.63", "71.43", "75 of 105", "one digit from 71.43"]
    assert shown["SmallKitchenAppliances", "Gaussian RNN"][-1] == "one digit from 60.27"
    assert shown["Meat", "Gaussian RNN"][-1] == "a fraction? 55.00 is possible"
    assert shown[paper.SHARED_ROW, "Polynomial"] == [
        *("64.29", "64.26", "187 of 291"),
        f"99 of 154: {paper.KERNELS_OF_SHARED_ROW}",
    ]
    assert shown["Herring", "Gaussian RNN"][-1] == ""
    assert "14 of 371 entries are impossible" in audit_table2().notes[0]
