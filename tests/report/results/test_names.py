import pytest

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.report.results.names import by_normalised_name, format_ranges, normalise_name


@pytest.mark.parametrize("name", ["GunPoint", "gunpoint", "Gun_Point", "GUN POINT", "gun-point."])
def test_case_and_punctuation_do_not_matter(name):
    assert normalise_name(name) == normalise_name("GunPoint")


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        (range(30), "0-29"),
        ({7, 0, 6, 5, 2}, "0, 2, 5-7"),
        ([3], "3"),
        ([3, 4], "3-4"),
        ([], ""),
    ],
)
def test_numbers_are_listed_as_ranges(numbers, text):
    assert format_ranges(numbers) == text


def test_other_letters_do():
    assert normalise_name("CricketX") != normalise_name("CricketY")


def test_the_archive_s_names_stay_apart():
    assert len(by_normalised_name(ARCHIVE)) == len(ARCHIVE)


def test_the_first_spelling_is_kept():
    assert by_normalised_name(["A b", "a-B", "c"]) == {"ab": "A b", "c": "c"}
