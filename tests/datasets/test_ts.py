"""The .ts format: a header in any spelling, and rows that are what it says."""

import pytest

from rntk_bench.datasets.readers import read_split
from rntk_bench.errors import DataError

TS_HEADER = "@problemName Toy\n@timeStamps false\n@missing true\n@classLabel true a b\n"


@pytest.fixture
def read(tmp_path):
    def read(content, labelling="complete"):
        path = tmp_path / "Toy_TRAIN.ts"
        path.write_text(content, encoding="utf-8")
        return read_split(path, labelling)

    return read


@pytest.fixture
def complaint(read):
    def complain(content, labelling="complete"):
        with pytest.raises(DataError) as caught:
            read(content, labelling)
        assert "Toy_TRAIN.ts" in str(caught.value)
        return str(caught.value)

    return complain


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "has no @data line"),
        (TS_HEADER, "has no @data line"),
        (f"{TS_HEADER}@data\n", "contains no series"),
        (f"{TS_HEADER}1,2:a\n", "row 5: there are values before the @data line"),
        ("@timeStamps true\n@classLabel true a\n@data\n(0,1):a\n", "time stamp"),
        ("@targetLabel true\n@data\n1,2:0.5\n", "declares no class labels"),
        ("@classLabel false\n@data\n1,2\n", "declares no class labels"),
        (
            f"{TS_HEADER}@data\n1,2\n",
            "row 6: a row must consist of one group of values",
        ),
        (
            f"{TS_HEADER}@data\n1,2:3:a\n",
            "row 6: a row must consist of one group of values",
        ),
        (f"{TS_HEADER}@data\n1,2:\n", "row 6: the series has no class label"),
        (f"{TS_HEADER}@data\n1,?,2:a\n", "row 6: the value of step 2 is missing"),
        (f"{TS_HEADER}@data\n1,2:?,3:a\n", "row 6: the value of step 1 is missing"),
        (f"{TS_HEADER}@data\n1,b:a\n", "row 6, value 2: 'b' is not a number"),
        (f"{TS_HEADER}@data\n:a\n", "row 6: the series has no values"),
    ],
)
def test_damaged(complaint, content, sentence):
    assert sentence in complaint(content)


WALKS = "1,2,3:walk\n4,5,6:run\n7,8,9:walk\n"


@pytest.mark.parametrize(
    "header",
    [
        "@CLASSLABEL\tTRUE\trun\twalk\n@Data\n",
        "\ufeff@classLabel true walk run\n@univariate True\n@DATA\n",
        "  # a note\n\t% another\n  @classLabel  true  run walk \n\t@data \n",
        "@classLabel true\n@data\n",
        "@seriesLength 3\n@equalLength true\n@dimensions 1\n@classLabel true run walk\n@data\n",
        "@equalLength false\n@seriesLength 0\n@missing false\n@classLabel true run walk\n@data\n",
        "@targetLabel false\n@classLabel true walk run sit\n@path x\n@data\n",
        "@problemName Some walks\n@problemName Walks\n@classLabel true walk run\n@data\n",
    ],
)
def test_headers_in_any_spelling(read, header):
    split = read(header + WALKS)
    assert split.labels == ["walk", "run", "walk"]
    assert [x.tolist() for x in split.series] == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("@classLabel true walk running", "row 4: the label 'run' is not one of the classes"),
        ("@classLabel true Walk run", "row 3: the label 'walk' is not one of"),
        (
            "@seriesLength 4",
            "row 4: the series has 3 steps, but the header declares @seriesLength 4",
        ),
        ("@seriesLength three", "@serieslength is 'three', but must be a whole number"),
        (
            "@univariate false",
            "row 4: the series has dimension 1, but the header declares @univariate false",
        ),
        (
            "@dimensions 2",
            "row 4: the series has dimension 1, but the header declares @dimensions 2",
        ),
        ("@missing no", "@missing is 'no', but must be true or false"),
        ("@equalLength", "@equallength is '', but must be true or false"),
        ("@univariat true", "row 1: @univariat is unknown; did you mean @univariate?"),
        ("@missing true\n@missing false", "row 2: the header has @missing twice"),
        ("@targetLabel true", "declares both classes and targets"),
        ("@data 1,2,3:walk", "row 1: @data must be alone"),
    ],
)
def test_rows_are_what_the_header_says(complaint, header, sentence):
    declared = "" if "@classLabel" in header else "\n@classLabel true"
    assert sentence in complaint(f"{header}{declared}\n@data\n{WALKS}")


@pytest.mark.parametrize(
    ("header", "rows", "sentence"),
    [
        (
            "@equalLength true",
            "1,2:a\n1,2,3:b\n",
            "row 5: the series has 3 steps and the first has 2",
        ),
        ("@missing false", "1,2:a\n1,?:b\n", "row 5: a value is missing, but the header declares"),
        (
            "@missing true\n@equalLength true\n@seriesLength 2",
            "1,2:a\n1,?:b\n",
            "row 7: a value is missing, and is no padding",
        ),
        ("@univariate true", "1,2:3,4:a\n", "row 4: the series has dimension 2, but the header"),
    ],
)
def test_lengths_gaps_and_dimensions_are_what_the_header_says(complaint, header, rows, sentence):
    assert sentence in complaint(f"{header}\n@classLabel true a b\n@data\n{rows}")


def test_padding_is_no_missing_value_where_lengths_differ(read):
    split = read("@missing false\n@equalLength false\n@classLabel true a b\n@data\n1,2,:a\n3,?:b\n")
    assert [x.tolist() for x in split.series] == [[1, 2], [3]]


def test_numbers_are_declared_by_value_and_classes_of_several_words_by_their_words(read):
    assert read("@classLabel true 1 2\n@data\n1,2:1.0\n3,4:2\n").labels == ["1.0", "2"]
    words = read("@classLabel true up hill down hill\n@data\n1,2:up hill\n3,4:down hill\n")
    assert words.labels == ["up hill", "down hill"]


REGRESSION = "@timestamps false\n@targetlabel true\n@data\n1,2:3,4:0.5\n5,6:7,8:-1\n"


def test_targets_are_no_classes_and_no_values(read, complaint):
    assert "the targets of a regression (@targetLabel true)" in complaint(REGRESSION)
    split = read(REGRESSION, "partial")
    assert split.labels == ["?", "?"]
    assert [x.tolist() for x in split.series] == [[[1, 3], [2, 4]], [[5, 7], [6, 8]]]
