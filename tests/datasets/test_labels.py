"""Which labels are one class, their names and their order."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rntk_bench.datasets.labels import class_name, encode_labels


@pytest.mark.parametrize(
    ("labels", "codes", "classes"),
    [
        (["2", "1", "10", "1"], [1, 0, 2, 0], ("1", "2", "10")),
        (["1", "-1", "0"], [2, 0, 1], ("-1", "0", "1")),
        (["1.0000000e+00", "1", "2.0"], [0, 0, 1], ("1", "2")),
        (["0.5", "5e-1", "-0", "0"], [1, 1, 0, 0], ("0", "0.5")),
        (["walk", "Run", " walk "], [1, 0, 1], ("Run", "walk")),
        (["10", "9", "x", "9.0"], [0, 1, 2, 1], ("10", "9", "x")),
        (["inf", "1"], [1, 0], ("1", "inf")),
        (["nan", "None", "NA"], [2, 1, 0], ("NA", "None", "nan")),
    ],
)
def test_encode_labels(labels, codes, classes):
    found, names = encode_labels(labels)
    assert found.dtype == np.int64
    assert (found.tolist(), names) == (codes, classes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2_4", "24"),
        ("07", "7"),
        ("007", "07"),
        ("-03", "-3"),
        ("\N{ARABIC-INDIC DIGIT THREE}", "3"),
        ("\N{FULLWIDTH DIGIT FOUR}", "4"),
        ("90071992547409931", "90071992547409932"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1e400", "1e401"),
        ("1e-400", "0"),
        ("Infinity", "inf"),
        ("NaN", "nan"),
        ("0x10", "16"),
        ("1e99999", "1e99998"),
    ],
)
def test_labels_that_are_not_the_same_number_or_text_are_two_classes(one, other):
    assert len(encode_labels([one, other])[1]) == 2


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("+1", "1"),
        ("3.", "3"),
        (".25", "0.25"),
        ("-2.50E1", "-25"),
        ("-0.0", "0"),
        ("1e2", "100"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1e400", "1e400"),
        ("25e-400", "25e-400"),
        ("00", "00"),
        ("1.5e", "1.5e"),
        (".", "."),
        ("e5", "e5"),
        (" up hill\t", "up hill"),
    ],
)
def test_names(label, name):
    assert class_name(label) == name


@given(
    st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False).map(str)).map(str)
)
def test_a_name_has_the_exact_value_and_is_its_own_name(label):
    name = class_name(label)
    assert Fraction(name) == Fraction(label)
    assert class_name(name) == name


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_sorted_by_value(numbers):
    _, classes = encode_labels(list(map(repr, numbers)))
    assert list(map(float, classes)) == sorted(set(numbers))
