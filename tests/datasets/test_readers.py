"""Reading split files in each format, and one sentence for each way they can be damaged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rntk_bench.datasets import text
from rntk_bench.datasets.readers import read_npz, read_split
from rntk_bench.errors import DataError

TS_HEADER = (
    "#A comment, latin-1: \xe9\n@problemName Toy\n@timeStamps false\n@classLabel true a b 1 -1\n"
)


@pytest.fixture
def written(tmp_path):
    """Write a file and return its path."""

    def write(content, suffix=".tsv"):
        path = tmp_path / f"Toy_TRAIN{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("latin-1"))
        return path

    return write


@pytest.fixture
def complaint(written):
    """Read a damaged file and return the error's sentence without the folder."""

    def read(content, suffix=".tsv"):
        path = written(content, suffix)
        with pytest.raises(DataError) as caught:
            read_split(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(f"{path.parent}/", "")

    return read


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        ("1\t0.5\t-2e-3\n-1\t3\t4\n", ".tsv"),
        ("1\t0.5\t-2e-3\r\n-1\t3\t4\r\n", ".tsv"),
        (b"\xef\xbb\xbf1\t0.5\t-2e-3\n-1\t3\t4", ".tsv"),
        ("1\t0.5\t-2e-3\n\n-1\t3\t4\n\n", ".tsv"),
        ("1,0.5,-2e-3\n-1,3,4\n", ".txt"),
        ("  1   0.5  -2e-3\n  -1   3   4\n", ".txt"),
        ("1\t0.5\t-2e-3\t\n-1\t3\t4\t\n", ".tsv"),
        ("1\t0.5\t-2e-3\n-1\t3\t4\t\n\t\t\t\n \n", ".tsv"),
        ("1,0.5,-2e-3,\n-1,3,4,\n,,,\n", ".txt"),
        ("1 0.5 -2e-3,\n-1 3 4,\n", ".txt"),
        ("1\t0.5\t-2e-3\n-1\t3\t4\n", ".TSV"),
        (f"{TS_HEADER}@data\n0.5,-2e-3:1\n3,4:-1\n", ".ts"),
        (f"{TS_HEADER}@data\r\n0.5, -2e-3:1\r\n3, 4 : -1\r\n", ".ts"),
    ],
)
def test_reads_each_format(written, content, suffix):
    split = read_split(written(content, suffix))
    assert split.labels == ["1", "-1"]
    np.testing.assert_array_equal(split.series, [[0.5, -0.002], [3, 4]])


@given(arrays(np.float64, (2, 3), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_exactly(tmp_path_factory, X):
    path = tmp_path_factory.mktemp("exact") / "Toy_TRAIN.tsv"
    path.write_text("".join("\t".join(["a", *map(repr, row.tolist())]) + "\n" for row in X))
    np.testing.assert_array_equal(read_split(path).series, X)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        ("a\t1\t2\tNaN\nb\t3\tnan\tNaN\n", ".tsv"),
        (f"{TS_HEADER}@data\n1,2:a\n3:b\n", ".ts"),
        (f"{TS_HEADER}@data\n1,2,?:a\n3,?,?:b\n", ".ts"),
    ],
)
def test_padding_is_removed(written, content, suffix):
    split = read_split(written(content, suffix))
    assert [x.tolist() for x in split.series] == [[1, 2], [3]]


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        ("a\t1\t2\n?\t3\t4\n", ".tsv"),
        ("a\t1\t2\n\t3\t4\n", ".tsv"),
        (f"{TS_HEADER}@data\n1,2:a\n3,4:?\n", ".ts"),
        ("0,label,1\n1,a,2\n3,,4\n", ".csv"),
    ],
)
def test_labels_may_be_unknown_where_that_is_allowed(written, complaint, content, suffix):
    split = read_split(written(content, suffix), "partial")
    assert split.labels == ["a", "?"]
    assert [x.tolist() for x in split.series] == [[1, 2], [3, 4]]
    assert "no class label" in complaint(content, suffix)


@pytest.mark.parametrize(
    ("content", "suffix", "labelling"),
    [
        ("1\t2\n3\t4\n", ".tsv", "none"),
        ("1 2\n3 4\n", ".txt", "none"),
        ("@classLabel false\n@data\n1,2\n3,4\n", ".ts", "partial"),
        ("t0,t1\n1,2\n3,4\n", ".csv", "partial"),
    ],
)
def test_files_without_labels(written, content, suffix, labelling):
    split = read_split(written(content, suffix), labelling)
    assert split.labels == ["?", "?"]
    assert [x.tolist() for x in split.series] == [[1, 2], [3, 4]]


def test_a_series_without_a_label_may_count(written):
    [series] = read_split(written("0\t1\t2\t3\n", ".tsv"), "none").series
    assert series.tolist() == [0, 1, 2, 3]


def test_a_header_that_says_whether_there_are_labels_is_believed(written):
    for content, suffix in (("label,0\na,1\n", ".csv"), (f"{TS_HEADER}@data\n1:a\n", ".ts")):
        with pytest.raises(DataError, match="omit --no-labels"):
            read_split(written(content, suffix), "none")


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"Toy\.xlsx: series are read from .*\.tsv.*\.csv"):
        read_split(tmp_path / "Toy.xlsx")


def test_dimensions_become_the_last_axis(written):
    split = read_split(written(f"{TS_HEADER}@data\n1,2,3:4,5,6:a\n7:8:b\n", ".ts"))
    assert [x.tolist() for x in split.series] == [[[1, 4], [2, 5], [3, 6]], [[7, 8]]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "Toy_TRAIN.tsv contains no series"),
        (" \n\n", "Toy_TRAIN.tsv contains no series"),
        ("a\t1\t2\nb\t1\n", "row 2: the row has 1 values, but row 1 has 2"),
        ("a\t1\t2\n\nb\t1\t2\t3\n", "row 1: the row has 2 values, but row 3 has 3"),
        ("a\t1\nb\tx1\n", "row 2, value 1: 'x1' is not a number"),
        ("a\t1\t\t2\n", "row 1: the value of step 2 is missing"),
        ("a\t1\tNaN\t2\n", "row 1: the value of step 2 is missing"),
        ("a\tNaN\t2\n", "row 1: the value of step 1 is missing"),
        ("a\tNaN\tNaN\n", "row 1: the series has no values"),
        ("a\n", "row 1: the series has no values"),
        ("a\t1\t-inf\n", "row 1: the series has an infinite value"),
        ("a\t1\t1e999\n", "row 1: the series has an infinite value"),
        ("\t1\t2\n", "row 1: the series has no class label"),
        ("?\t1\t2\n", "row 1: the series has no class label"),
        (b"\x89PNG\x00\x01\x02", "row 1: the file is not UTF-8 text"),
        ("\xe9\t1\t2\n", "row 1: the file is not UTF-8 text"),
        ("a\t1\n".encode("utf-16"), "row 1: the file is not UTF-8 text"),
        ("a;1;2\nb;3;4\n", "row 1: there are semicolons between the values; write commas"),
        ("a;1,5;2,5\n", "row 1: there are semicolons between the values; write commas"),
        ("1;0,5\n", "row 1: there are semicolons between the values; write commas"),
        ("1 10 20 30,5\n", "row 1: there are blanks and commas between the values"),
        ("0\t1\t2\t3\n1\t5\t6\t4\n2\t5\t6\t9\n", "row 1 is a header, but this format has none"),
        ("\t0\t1\t2\n0\t5\t6\t4\n", "row 1 is a header, but this format has none"),
        ("label\t0.0\t0.02\t0.04\n1\t5\t6\t4\n", "row 1 is a header, but this format has none"),
        ("class\t10\t20\t30\n1\t5\t6\t4\n", "row 1 is a header, but this format has none"),
        (
            "0\t2\t.1\t.2\n1\t2\t.1\t.3\n2\t1\t.1\t.2\n3\t1\t.1\t.4\n",
            "the first column counts the rows and is no class label",
        ),
        ("a\t1\n\ufeffb\t2\n".encode(), "row 2: there is a byte order mark in the middle"),
        ("a\t1,5\t2\n", "value 1: '1,5' is not a number; use a decimal point, not a comma"),
        ("a\t1_0\t2\n", "value 1: '1_0' is not a number"),
        ("a\t1\t\u0663\n".encode(), "value 2: '\u0663' is not a number"),
        ("label\t0\t1\t2\na\t5\t6\t7\n", "row 1 is a header"),
        ("Class,t0,t1\na,5,6\n", "row 1 is a header"),
        ("\tlabel\t0\n0\ta\t5\n", "row 1 is a header"),
    ],
)
def test_damaged_columns(complaint, content, sentence):
    assert sentence in complaint(content)


@pytest.mark.parametrize(
    ("bound", "sentence"),
    [
        ("MAX_FILE_BYTES", "is larger than"),
        ("MAX_ROWS", "row 6: the file has more than 5 rows"),
        ("MAX_ROW_CHARACTERS", "row 1: the file has more than"),
    ],
)
def test_oversized_files_are_refused(complaint, monkeypatch, bound, sentence):
    monkeypatch.setattr(text, bound, 5)
    assert sentence in complaint("a\t1\t2\n" * 6 if bound != "MAX_ROWS" else "a\t1\n" * 6)


@pytest.mark.parametrize("word", ["None", "NA", "null", "nan", "n/a", "NaN", "-"])
@pytest.mark.parametrize(
    ("content", "suffix"),
    [("{}\t1\t2\nb\t3\t4\n", ".tsv"), ("label,0,1\n{},1,2\nb,3,4\n", ".csv")],
)
def test_only_an_empty_label_and_a_question_mark_are_unknown(written, word, content, suffix):
    for labelling in ("complete", "partial"):
        split = read_split(written(content.format(word), suffix), labelling)
        assert split.labels == [word, "b"]


def test_a_folder_in_place_of_a_file(tmp_path):
    (tmp_path / "Toy_TRAIN.tsv").mkdir()
    with pytest.raises(DataError, match=r"Toy_TRAIN\.tsv cannot be read: Is a directory"):
        read_split(tmp_path / "Toy_TRAIN.tsv")


def test_npz(tmp_path):
    path = tmp_path / "Toy.npz"
    X = np.arange(6.0).reshape(2, 3, 1)
    np.savez(path, X_train=X, y_train=[1, 2], X_test=-X, y_test=[2, 1])
    train, test = read_npz(path)
    np.testing.assert_array_equal(train.series, X[..., 0])
    np.testing.assert_array_equal(test.series, -X[..., 0])
    assert (train.labels, test.labels) == (["1", "2"], ["2", "1"])


def test_damaged_npz(tmp_path):
    path = tmp_path / "Toy.npz"
    path.write_bytes(b"not an archive of arrays")
    with pytest.raises(DataError, match=r"Toy\.npz is damaged"):
        read_npz(path)
