"""The archive's table and the suggestions for mistyped names."""

import csv

import pytest
from sktime.datasets.tsc_dataset_names import univariate

from rntk_bench.datasets.archive import ARCHIVE, ArchiveEntry, close_matches
from tests.paths import shared


def test_lists_the_128_datasets():
    assert len(ARCHIVE) == 128
    assert ARCHIVE["ArrowHead"] == ArchiveEntry(36, 175, 251, 3, "Image")


def test_agrees_with_the_published_summary():
    with shared("published", "ucr_summary.csv").open(encoding="utf-8", newline="") as file:
        published = {
            row["dataset"]: (row["n_train"], row["n_test"], row["length"], row["n_classes"])
            for row in csv.DictReader(file)
        }
    ours = {
        name: tuple(map(str, (entry.n_train, entry.n_test, entry.length, entry.n_classes)))
        for name, entry in ARCHIVE.items()
    }
    assert ours == published


def test_sktimes_list_has_the_same_names():
    # Both lists have 128 names; sktime's has a later dataset in place of Yoga.
    ours, sktimes = set(ARCHIVE), set(univariate)
    assert len(sktimes) == 128
    assert ours - sktimes <= {"Yoga"}
    assert sktimes - ours <= {"AsphaltObstacles"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("gunpoint", "GunPoint"), ("CofFee", "Coffee"), ("ItalyPowerDemnd", "ItalyPowerDemand")],
)
def test_nearest_name_comes_first(typed, meant):
    assert close_matches(typed, ARCHIVE)[0] == meant


def test_nothing_is_near_nonsense():
    assert close_matches("zzzzzz", ARCHIVE) == []
