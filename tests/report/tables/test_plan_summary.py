from rntk_bench.report.results.results import collect_results
from rntk_bench.report.tables.paper import table1
from rntk_bench.report.tables.plan_summary import plan_summary
from tests import factories as made


def records(**accuracies):
    return [
        made.record(f"D{k}", method, correct, 40)
        for method, row in accuracies.items()
        for k, correct in enumerate(row)
        if correct is not None
    ]


def test_it_is_table_1_in_three_lines():
    some = records(rntk=[40, 30, 20], rbf=[36, 32, 20], gru=[10, 20, 20])
    lines = plan_summary(some)
    assert lines == [
        "3 datasets              RNTK            RBF            GRU",
        "mean ± std, %  75.00 ± 25.00  73.33 ± 20.82  41.67 ± 14.43",
        "mean rank               1.33           1.33           2.33",
    ]
    table = table1(collect_results(some), with_paper=False)
    rows = {row[0].text(): [cell.text() for cell in row[2:]] for row in table.rows}
    assert rows["RNTK"] == ["75.00", "25.00", "1.33"]
    assert rows["GRU"] == ["41.67", "14.43", "2.33"]


def test_only_datasets_with_every_result_count():
    lines = plan_summary(records(rntk=[40, 30, 20], rbf=[36, 32, None]))
    assert lines[0].startswith("2 of 3 datasets  ")
    assert "87.50 ± 17.68" in lines[1]


def test_what_failed_has_no_result():
    some = records(rntk=[40, 30])
    failed = made.record("D2", "rntk", error="It was too large.")
    assert plan_summary([*some, failed]) == plan_summary(some)
    assert len(plan_summary(some)) == 3


def test_of_one_dataset_there_is_no_summary():
    assert plan_summary([]) == []
    assert plan_summary(records(rntk=[40], rbf=[30])) == []
    assert plan_summary(records(rntk=[40, None], rbf=[None, 30])) == []


def test_several_records_of_a_method_on_a_dataset_count_by_their_mean():
    some = records(rntk=[40, 30])
    more = [*some, made.record("D1", "rntk", 10, 40)]
    assert "75.00 ± 35.36" in plan_summary(more)[1]
