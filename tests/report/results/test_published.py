from fractions import Fraction

import pytest

from rntk_bench.errors import InputError
from rntk_bench.report.results.published import read_published, select_columns


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        path = tmp_path / "some.csv"
        path.write_text(text, encoding="utf-8")
        return read_published(path)

    return from_text


def test_fractions_and_percent(read):
    fractions, percent, one = read("dataset,a,b,c\nCoffee,0.5,50,1\nHam,0.9643,97.5,0\n")
    assert (fractions.name, fractions.percent, fractions.unit) == ("a", False, Fraction(1, 10_000))
    assert fractions.accuracy == {"Coffee": Fraction(1, 2), "Ham": Fraction("0.9643")}
    assert (percent.percent, percent.unit) == (True, Fraction(1, 1000))
    assert percent.accuracy == {"Coffee": Fraction(1, 2), "Ham": Fraction("0.975")}
    assert (one.percent, one.accuracy["Coffee"]) == (False, 1)


def test_gaps_blank_lines_spaces_and_a_byte_order_mark(read):
    (column,) = read("\ufeffdataset, a\n\nCoffee, 0.5\nHam,\nBeef,nan\nCar,failed\n,\n")
    assert column.name == "a"
    assert column.accuracy == {"Coffee": Fraction(1, 2), "Ham": None, "Beef": None, "Car": None}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_header_says_what_separates_the_columns(read, delimiter):
    text = delimiter.join(["dataset", "a", "b"]) + "\n" + delimiter.join(["Ham", "0.5", "25"])
    a, b = read(text)
    assert (a.name, a.accuracy, b.accuracy) == (
        "a",
        {"Ham": Fraction(1, 2)},
        {"Ham": Fraction(1, 4)},
    )


@pytest.mark.parametrize("title", ["Resamples:", "folds", ""])
def test_numbers_in_the_header_are_the_resamples_of_one_classifier(tmp_path, title):
    path = tmp_path / "HC2_accuracy.csv"
    path.write_text(f"{title},0,1,10\nACSF1,91,80,83.5\nAdiac,,0,100\n")
    (column,) = read_published(path)
    assert (column.name, column.percent, column.unit) == ("HC2", True, Fraction(1, 1000))
    assert column.resamples == {
        "ACSF1": {0: Fraction("0.91"), 1: Fraction("0.8"), 10: Fraction("0.835")},
        "Adiac": {1: Fraction(0), 10: Fraction(1)},
    }
    assert column.accuracy == {"ACSF1": Fraction("0.91"), "Adiac": None}


def test_a_folder_holds_predictions_of_classifiers(tmp_path):
    for resample, predictions in ((0, "0,0\n0,1\n"), (2, "1,1\n")):
        path = tmp_path / "TSF" / "Predictions" / "Own" / f"testResample{resample}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Own,TSF,TEST,{resample}\n\n-1,0,0,0,0,2\n{predictions}")
    (column,) = read_published(tmp_path)
    assert (column.name, column.path, column.percent) == ("TSF", tmp_path, False)
    assert column.accuracy == {"Own": Fraction(1, 2)}
    assert column.resamples == {"Own": {0: Fraction(1, 2), 2: Fraction(1)}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header and rows"),
        ("dataset,a\n", "needs a header and rows"),
        ("dataset a\nCoffee 1\n", "with commas"),
        ("Coffee,0.91,0.92\nHam,0.5,0.6\n", "line 1: there are numbers where a header is needed"),
        ("Resamples:,0,1\nHam,0.5,high\n", "line 2, column '1': 'high' is no accuracy"),
        ("dataset,a\nCoffee,1,2\n", "line 2: it has 3 entries, the header 2"),
        ("dataset,a\n\nCoffee,high\n", "line 3, column 'a': 'high' is no accuracy"),
        ("dataset,a\nCoffee,-1\n", "line 2, column 'a': '-1' is no accuracy"),
        ("dataset,a\nCoffee,100.5\n", "'100.5' is no accuracy"),
        ("dataset,a\nCoffee,1e-99999999\n", "'1e-99999999' is no accuracy"),
        ("dataset,a\nCoffee,inf\n", "'inf' is no accuracy"),
        ("dataset,a,A\nCoffee,1,1\n", "line 1: the column 'A' is a duplicate of 'a'"),
        ("dataset,,b\nCoffee,1,1\n", "column 2 has no name"),
        ("dataset,a\x1b[0m\nCoffee,1\n", r"line 1: 'a\x1b[0m' has a character"),
        ('dataset,a\n"Cof\0fee",1\n', r"line 2: 'Cof\x00fee' has a character"),
        (
            "dataset,a\nCoffee,1\nHam,1\ncoffee,1\n",
            "line 4: the dataset 'coffee' is a duplicate of 'Coffee'",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(read, text, message):
    with pytest.raises(InputError, match=r"some\.csv") as error:
        read(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_is_one_line_and_need_not_have_letters(read):
    first, second, third = read('dataset,"two\r\nlines",---,***\n"Cof\nfee",0.5,1,1\n')
    assert (first.name, second.name, third.name) == ("two lines", "---", "***")
    assert first.accuracy == {"Cof fee": Fraction(1, 2)}


def test_no_file_and_no_text(tmp_path):
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_published(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_published(tmp_path / "binary.csv")


def test_columns_are_chosen_in_the_order_asked_for(read):
    columns = read("dataset,ROCKET,1NN-DTW,RISE\nCoffee,1,1,1\n")
    chosen = select_columns(columns, ["1nn dtw", "Rocket", "rocket"])
    assert [column.name for column in chosen] == ["1NN-DTW", "ROCKET"]
    assert select_columns(columns, []) == columns


def test_an_unknown_column_names_the_nearest(read):
    with pytest.raises(InputError, match=r"is named 'ROCKETT'; the nearest are ROCKET\."):
        select_columns(read("dataset,ROCKET,DTW\nCoffee,1,1\n"), ["ROCKETT"])
