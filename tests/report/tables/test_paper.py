from fractions import Fraction

import pytest

from rntk_bench.report.results import paper
from rntk_bench.report.results.results import Results
from rntk_bench.report.tables.paper import table1, table2


def results(rows, failed=(), smaller=()):
    """Build results from {dataset: {method: (correct, n)}}."""
    accuracy = {
        (dataset, method): Fraction(*score)
        for dataset, row in rows.items()
        for method, score in row.items()
    }
    keys = [*accuracy, *failed]
    methods = list(dict.fromkeys(method for _, method in keys))
    datasets = list(dict.fromkeys(dataset for dataset, _ in keys))
    scores = [(dataset, score) for dataset, row in rows.items() for score in row.values()]
    sizes = {dataset: score[1] for dataset, score in scores if len(score) == 2}
    return Results(
        methods, datasets, accuracy, set(failed), set(smaller), ["A note."], n_test=sizes
    )


def shown(table):
    return [[cell.unmarked_text() + cell.mark for cell in row] for row in table.rows]


def bold(table):
    return [[cell.text() for cell in row if cell.bold] for row in table.rows]


COFFEE_AND_HAM = results(
    {
        "Coffee": {"rntk": (28, 28), "ntk": (27, 28), "own": (28, 28)},
        "Ham": {"rntk": (74, 105), "ntk": (75, 105)},
    },
    failed=[("Ham", "own")],
)


def test_table_2_has_one_row_per_dataset():
    table = table2(COFFEE_AND_HAM, with_paper=False)
    assert list(map(str, table.columns)) == ["dataset", "RNTK", "NTK", "own"]
    assert shown(table) == [
        ["Coffee", "100.00", "96.43", "100.00"],
        ["Ham", "70.48", "71.43", "failed"],
    ]
    assert table.notes == ["A note."]


def test_table_2_says_how_far_it_is_from_the_paper():
    table = table2(results({"Coffee": {"rntk": (26, 28)}, "Ham": {"rntk": (73, 105)}}))
    assert table.notes[1] == (
        "Mean absolute difference from the paper in points (datasets with a difference of one test "
        "series or none): RNTK 4.05 (1 of 2)."
    )


def test_table_2_marks_every_best():
    assert bold(table2(COFFEE_AND_HAM, with_paper=False)) == [["100.00", "100.00"], ["71.43"]]


def test_results_of_a_smaller_grid_are_marked_and_a_mean_over_them_says_so():
    mixed = results(
        {"Coffee": {"gru": (1, 2), "ntk": (1, 4)}, "Ham": {"gru": (1, 1), "ntk": (1, 4)}},
        smaller=[("Ham", "gru")],
    )
    assert shown(table2(mixed, with_paper=False)) == [
        ["Coffee", "50.00", "25.00"],
        ["Ham", "100.00†", "25.00"],
    ]
    table = table1(mixed, with_paper=False)
    assert shown(table) == [
        ["GRU", "2", "75.00†", "35.36†", "1.00†"],
        ["NTK", "2", "25.00", "0.00", "2.00"],
    ]
    assert table.notes == ["A note.", "† GRU: on 1 of these 2 datasets with a smaller grid."]
    whole = results({"Coffee": {"gru": (1, 2)}, "Ham": {"ntk": (1, 4)}}, smaller=[("Ham", "ntk")])
    assert table1(whole, with_paper=False).notes == ["A note."]


def test_a_lone_result_is_not_the_best():
    assert bold(table2(results({"Coffee": {"rntk": (28, 28)}}))) == [[]]


def test_only_exact_ties_are_ties():
    close = results({"Big": {"rntk": (8999, 9000), "ntk": (9000, 9001)}})
    table = table2(close, with_paper=False)
    assert shown(table) == [["Big", "99.99", "99.99"]]
    assert [cell.bold for cell in table.rows[0]] == [False, False, True]


def test_table_2_sets_the_paper_s_numbers_beside():
    table = table2(COFFEE_AND_HAM)
    assert list(map(str, table.columns[1:])) == [
        *("RNTK ours", "RNTK paper", "RNTK diff"),
        *("NTK ours", "NTK paper", "NTK diff"),
        "own",
    ]
    assert shown(table)[0] == [
        "Coffee",
        "100.00",
        "100.00",
        "+0.00",
        "96.43",
        "100.00",
        "-3.57",
        "100.00",
    ]
    assert shown(table)[1] == [
        "Ham",
        "70.48",
        "70.48",
        "+0.00",
        "71.43",
        "71.63",
        "-0.20",
        "failed",
    ]


def test_what_the_paper_lacks_is_missing():
    table = table2(results({"Beef": {"rntk": (20, 30)}, "Coffee": {}}, [("Coffee", "rntk")]))
    assert shown(table) == [["Beef", "66.67", "", ""], ["Coffee", "failed", "100.00", ""]]


def test_the_row_of_two_datasets_is_compared_and_explained():
    table = table2(
        results(
            {
                "MiddlePhalanxOutlineAgeGroup": {"rntk": (88, 154), "gru": (77, 154)},
                "MiddlePhalanxOutlineCorrect": {"rntk": (97, 291), "gru": (217, 291)},
            }
        )
    )
    assert [row[2] for row in shown(table)] == ["57.14", ""]
    assert [row[5] for row in shown(table)] == ["", "74.57"]
    assert "MiddlePhalanxOutlineAgeGroup" in table.notes[-1]


def test_table_1_summarizes_complete_datasets():
    table = table1(
        results(
            {
                "Coffee": {"rntk": (28, 28), "ntk": (14, 28)},
                "Ham": {"rntk": (21, 105), "ntk": (63, 105)},
                "Car": {"rntk": (60, 60)},
            }
        ),
        with_paper=False,
    )
    assert shown(table) == [
        ["RNTK", "3", "60.00", "56.57", "1.50"],
        ["NTK", "2", "55.00", "7.07", "1.50"],
    ]
    assert "2 of 3 datasets" in table.caption
    assert bold(table) == [["60.00", "1.50"], ["1.50"]]


def test_table_1_recomputes_the_paper_over_the_same_datasets():
    table = table1(
        results(
            {
                "Coffee": {"rntk": (28, 28), "rbf": (26, 28), "own": (1, 28)},
                "Ham": {"rntk": (74, 105), "rbf": (70, 105), "own": (1, 105)},
                "Beef": {"rntk": (20, 30), "rbf": (20, 30), "own": (1, 30)},
            }
        )
    )
    assert [row[5:] for row in shown(table)] == [
        ["85.24", "20.87", "1.00"],
        ["79.77", "18.52", "2.00"],
        ["", "", ""],
    ]
    notes = " ".join(table.notes)
    assert "over the 2 of these datasets" in notes
    assert "RNTK 80.44 ± 16.08 (2.35)" in notes
    assert "16.76 (RBF) should be 16.86" in notes
    assert "Polynomial" not in notes


def test_table_1_of_the_paper_s_own_numbers_agrees_with_it():
    percent = {
        dataset: {method: (entry / 100,) for method, entry in row.items()}
        for dataset, row in paper.printed_table2().items()
        if dataset != paper.SHARED_ROW
    }
    for row in shown(table1(results(percent))):
        assert row[2:5] == row[5:]


def test_a_method_without_results_does_not_empty_table_1():
    table = table1(results({"Coffee": {"rntk": (28, 28)}}, failed=[("Coffee", "gru")]))
    assert [row[0] for row in shown(table)] == ["RNTK"]
    assert "Without any result: GRU." in table.notes


def test_nothing_but_failures_still_makes_tables():
    failures = results({}, failed=[("Coffee", "rntk"), ("Ham", "rntk")])
    assert shown(table1(failures)) == []
    assert shown(table2(failures)) == [
        ["Coffee", "failed", "100.00", ""],
        ["Ham", "failed", "70.48", ""],
    ]


def test_a_method_the_paper_lacks_stands_alone():
    own = results({"Coffee": {"own": (14, 28)}, "Ham": {"own": (105, 105)}})
    assert shown(table1(own)) == [["own", "2", "75.00", "35.36", "1.00", "", "", ""]]
    assert table1(own).notes == ["A note."]
    assert list(map(str, table2(own).columns)) == ["dataset", "own"]


@pytest.mark.parametrize("with_paper", [True, False])
def test_methods_without_a_common_dataset_have_no_summary(with_paper):
    table = table1(results({"Coffee": {"rntk": (1, 2)}, "Ham": {"ntk": (1, 2)}}), with_paper)
    assert "0 of 2 datasets" in table.caption
    assert all(set(row[2:]) == {""} for row in shown(table))
