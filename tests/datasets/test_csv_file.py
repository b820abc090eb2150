"""The header and the rows of a CSV file, as texts."""

import pytest

from rntk_bench.datasets.csv_file import read_csv
from rntk_bench.errors import DataError


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_rows_have_the_headers_width_and_the_numbers_of_their_last_lines(written):
    names, rows = read_csv(written('\n a , "b, c",a,,\n1,2\n,,,\n\n"x\ny",2,3,,,\n'))
    assert names == ["a", "b, c", "a"]
    assert list(rows) == [(3, ["1", "2", ""], 2), (7, ["x\ny", "2", "3"], 6)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a;b\n1;2\n", "has semicolons between its fields"),
        ("a\tb\n1\t2\n", "has tabs between its fields"),
        ("a|b\n1|2\n", "has vertical bars between its fields"),
        ("a,b\n\n1,2,3\n", "line 3 has more fields than its header has names"),
        ('a,b\n1,"2\n', "line 2 cannot be read as CSV"),
        ('a,b\n1,"2"3\n', "line 2 cannot be read as CSV"),
        ("", "it is empty"),
    ],
)
def test_what_is_no_such_file_is_said_with_the_reason(written, text, sentence):
    with pytest.raises(DataError) as caught:
        list(read_csv(written(text))[1])
    assert sentence in str(caught.value)
    assert str(caught.value).count(".csv") == 1
