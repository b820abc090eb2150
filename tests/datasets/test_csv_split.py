import pandas as pd
import pytest

from rntk_bench.datasets.readers import read_split
from rntk_bench.errors import DataError


def write(tmp_path, text):
    path = tmp_path / "own.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "label,t0,t1,t2\na,1,2,3\n7,4,5,\n",
        "t0,t1,t2,Class\n1,2,3,a\n4,5,NaN,7\n",
        'target ,"t0",t1,t2\n"a",1,2,3\n7,4,5,\n',
    ],
)
def test_the_label_is_the_column_of_that_name(tmp_path, text):
    split = read_split(write(tmp_path, text))
    assert split.labels == ["a", "7"]
    assert [x.tolist() for x in split.series] == [[1, 2, 3], [4, 5]]
    assert split.rows == [2, 3]


def test_what_pandas_writes_is_read(tmp_path):
    frame = pd.DataFrame([[0.5, 1.5], [2.5, 3.5]])
    frame.to_csv(tmp_path / "plain.csv", index=False)
    plain = read_split(tmp_path / "plain.csv", "partial")
    assert [x.tolist() for x in plain.series] == [[0.5, 1.5], [2.5, 3.5]]
    frame.assign(label=["x", "y"]).to_csv(tmp_path / "labelled.csv", index=False)
    assert read_split(tmp_path / "labelled.csv").labels == ["x", "y"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "cannot be read as CSV: it is empty"),
        (",,\n \n", "cannot be read as CSV: it is empty"),
        ("label,t0\n", "contains no series"),
        ("label,t0\n,\n\n", "contains no series"),
        ("t0,t1,label\n1,2,a\n3,b\n", "line 3 ends before the label's column"),
        ("label,age,400.0,402.5,405.0\na,30,1,2,3\n", "the column 'age' is not a time step"),
        ("t0,t1\n1,2\n", "has no label column; name it label or class or target"),
        ("a,1.5,2\nb,3,4\n", "has no label column"),
        ("1,0.5,0.7\n2,0.1,0.3\n", "begins with a row of numbers, not with a header"),
        ("label,t0,class\na,1,b\n", "has the columns label and class"),
        ("label,t0,t1\na,1,2\nb,1,two\n", "line 3: column 't1' holds 'two', but must hold a num"),
        ("label,t0,t1\na,,2\n", "row 2: the value of step 1 is missing"),
        ("label,t0,t1\na,,\n", "row 2: the series has no values"),
        ("label,t0\n,1\n", "row 2: the series has no class label"),
        ("label,t0\n?,1\n", "row 2: the series has no class label"),
        ("label;t0;t1\na;1;2\n", "has semicolons between its fields; use commas"),
        ("label\tt0\tt1\na\t1\t2\n", "has tabs between its fields; use commas"),
        ("label,t0,t1\na,1,2,3\n", "line 2 has more fields than its header has names"),
        ("label,t0,t1\na,1,1_0\n", "column 't1' holds '1_0', but must hold a number"),
        ("label,t0,t1\na,1,NA\n", "column 't1' holds 'NA', but must hold a number"),
        ("label,t0\na,1\n\nb,x\n", "line 4: column 't0' holds 'x'"),
        ("label,t0\na,inf\n", "infinite"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(tmp_path, text, sentence):
    path = write(tmp_path, text)
    with pytest.raises(DataError) as caught:
        read_split(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


ROWS = [("up", [5, 7, 2]), ("down", [1, 9, 4]), ("up", [6, 8, 1]), ("down", [0, 7, 3])]


def table(header, *columns):
    """A table with columns put before the values of each row."""
    rows = zip(*columns, ROWS, strict=True)
    lines = [",".join(map(str, [*first, label, *x])) for *first, (label, x) in rows]
    return "\n".join([header, *lines, ""])


@pytest.mark.parametrize("start", [0, 1, 40])
def test_the_index_that_pandas_writes_is_left_out(tmp_path, start):
    split = read_split(write(tmp_path, table(",label,0,1,2", range(start, start + 4))))
    assert [x.tolist() for x in split.series] == [x for _, x in ROWS]
    assert split.labels == [label for label, _ in ROWS]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (table(",label,0,1,2", [3, 0, 2, 1]), "a column without a name"),
        (table(",label,0,1,2", "wxyz"), "a column without a name"),
        ("label,0,,2\na,1,2,3\n", "a column without a name"),
        (table("label,label,0,1,2", [3, 1, 2, 1]), "has the columns label and label; keep one"),
        (table("Class.1,class,0,1,2", [3, 1, 2, 1]), "has the columns Class.1 and class; keep one"),
        (table("t1,label,t0,t1,t2", [3, 1, 2, 1]), "several columns named 't1'"),
        (table("ID,label,a,b,c", [3, 1, 2, 1]), "the column 'ID' is not a time step"),
        (
            table("Patient ID,label,a,b,c", [3, 1, 2, 1]),
            "'Patient ID' is not a time step",
        ),
        (
            table("Unnamed: 0,label,a,b,c", [3, 1, 2, 1]),
            "'Unnamed: 0' is not a time step",
        ),
        (table("patient,label,t0,t1,t2", [3, 1, 2, 1]), "the column 'patient' is not a time step"),
        (table("labels,label,a,b,c", [3, 1, 2, 1]), "name it label or class or target if it"),
        (table("a,label,b,c,d", [7, 8, 9, 10]), "the column 'a' counts the rows"),
        (table("label,t1,t10,t2"), "not in order, as 't2' comes after 't10'"),
        (table("label,0,10,5"), "not in order, as '5' comes after '10'"),
    ],
)
def test_columns_that_are_not_steps_are_refused_by_name(tmp_path, text, sentence):
    with pytest.raises(DataError) as caught:
        read_split(write(tmp_path, text))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "names",
    [("id", "time", "value"), ("case_id", "reading_id", "y"), ("machine", "minute", "load")],
)
def test_a_table_in_long_format_is_recognised(tmp_path, names):
    rows = [(i, t, x, label) for i, (label, X) in enumerate(ROWS) for t, x in enumerate(X)]
    text = "\n".join(",".join(map(str, row)) for row in [(*names, "label"), *rows])
    series, time, value = names
    pivot = rf"pivot\(index='{series}', columns='{time}', values='{value}'\)"
    with pytest.raises(DataError, match=rf"one row per value.*{pivot}"):
        read_split(write(tmp_path, text))
    wide = pd.read_csv(tmp_path / "own.csv").pivot(index=series, columns=time, values=value)
    wide["label"] = [label for label, _ in ROWS]
    wide.to_csv(tmp_path / "own.csv", index=False)
    assert [x.tolist() for x in read_split(tmp_path / "own.csv").series] == [x for _, x in ROWS]


def test_a_table_in_long_format_of_series_of_different_lengths_is_recognised(tmp_path):
    text = "trial,frame,amplitude,label\n" + "".join(
        f"{i},{t},{i + t / 7},{'ab'[i % 2]}\n" for i, T in enumerate([5, 4, 6]) for t in range(T)
    )
    with pytest.raises(DataError, match=r"one row per value.*index='trial', columns='frame'"):
        read_split(write(tmp_path, text))


@pytest.mark.parametrize(
    "header",
    ["t0,t1,t2", "9,8,7", "0.0,0.05,0.1", "jan,feb,mar", "2020-01-30,2020-01-31,2020-02-01"],
)
def test_steps_may_have_any_names_in_order(tmp_path, header):
    split = read_split(write(tmp_path, table(f"label,{header}")))
    assert [x.tolist() for x in split.series] == [x for _, x in ROWS]


def test_separators_at_the_end_blanks_and_blank_lines_have_no_meaning(tmp_path):
    text = "\ufeff label , t0, t1 ,,\n\n up , 1 , 2 ,,\n,,,\n down,3,4\n , \n\n"
    (tmp_path / "own.csv").write_text(text, encoding="utf-8")
    split = read_split(tmp_path / "own.csv")
    assert (split.labels, split.rows) == (["up", "down"], [3, 5])
    assert [x.tolist() for x in split.series] == [[1, 2], [3, 4]]
