"""Opening text within limits, and which texts are numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rntk_bench.datasets.text import NumberError, parse_numbers, read_lines
from rntk_bench.errors import DataError


def test_lines_keep_their_numbers_without_blank_ones_and_comments(tmp_path):
    path = tmp_path / "notes.ts"
    path.write_bytes("\ufeffone\r\n\r\n \t# note\n two \n%\n\nthree".encode())
    assert list(read_lines(path, ("#", "%"))) == [(1, "one"), (4, " two "), (7, "three")]
    assert [number for number, _ in read_lines(path)] == [1, 3, 4, 5, 7]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_other_encodings_are_named_with_the_row(tmp_path, encoding):
    path = tmp_path / "own.csv"
    path.write_bytes("á\n".encode(encoding))
    with pytest.raises(DataError, match=r"own\.csv, row 1: the file is not UTF-8 text"):
        list(read_lines(path))


def test_what_stands_for_a_missing_value():
    assert np.isnan(parse_numbers(["", " ", "?", " ? ", "NaN", "nan"])).all()
    np.testing.assert_array_equal(parse_numbers(["1", "", " -2e3 "]), [1.0, np.nan, -2000.0])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1_000", "; correct it"),
        ("\N{ARABIC-INDIC DIGIT FIVE}", "; correct it"),
        ("NA", "; correct it"),
        ("None", "; correct it"),
        ("0x1f", "; correct it"),
        ("1;2", "semicolons"),
        ("-1,5", "a decimal point"),
    ],
)
def test_what_is_no_number_is_named_by_its_position(text, hint):
    with pytest.raises(NumberError) as caught:
        parse_numbers(["1", "?", text, "x"])
    assert (caught.value.position, caught.value.text) == (2, repr(text))
    assert hint in caught.value.hint


@given(st.lists(st.floats(allow_nan=False)))
def test_numbers_are_exact(numbers):
    assert parse_numbers([f" {number!r}" for number in numbers]).tolist() == numbers
