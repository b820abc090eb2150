import pytest

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.report.results.names import folded, spellings


@pytest.mark.parametrize("name", ["GunPoint", "gunpoint", "Gun_Point", "GUN POINT", "gun-point."])
def test_case_and_punctuation_do_not_matter(name):
    assert folded(name) == folded("GunPoint")


def test_other_letters_do():
    assert folded("CricketX") != folded("CricketY")


def test_the_archive_s_names_stay_apart():
    assert len(spellings(ARCHIVE)) == len(ARCHIVE)


def test_the_first_spelling_is_kept():
    assert spellings(["A b", "a-B", "c"]) == {"ab": "A b", "c": "c"}
