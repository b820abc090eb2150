import pandas as pd
import pytest

from rntk_bench.data.readers import read_split
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
        ("", "cannot be read as CSV"),
        ("label,t0\n", "holds no series"),
        ("t0,t1\n1,2\n", "has no column of labels; call it label or class or target"),
        ("a,1.5,2\nb,3,4\n", "has no column of labels"),
        ("1,0.5,0.7\n2,0.1,0.3\n", "begins with a row of numbers, not with a header"),
        ("label,t0,class\na,1,b\n", "has the columns label and class"),
        ("label,t0,t1\na,1,2\nb,1,two\n", "line 3: column 't1' holds 'two', but must hold a num"),
        ("label,t0,t1\na,,2\n", "row 2: the value of step 1 is missing"),
        ("label,t0,t1\na,,\n", "row 2: the series has no values"),
        ("label,t0\n,1\n", "row 2: the series has no class label"),
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
