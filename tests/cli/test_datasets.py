"""The commands `datasets` and `fetch`."""

import csv

import pytest
from click.testing import CliRunner

from rntk_bench import datasets as data
from rntk_bench.cli import main
from rntk_bench.datasets import download
from rntk_bench.errors import DataError


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("RNTK_BENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("RNTK_BENCH_DATA_DIR", raising=False)

    def invoke(*arguments):
        return CliRunner().invoke(main, list(map(str, arguments)))

    return invoke


@pytest.fixture
def own(tmp_path):
    """A folder with a sound dataset and one without a test split."""
    folder = tmp_path / "data"
    for name, splits in (("Mine", ("TRAIN", "TEST")), ("Half", ("TRAIN",))):
        (folder / name).mkdir(parents=True)
        for split in splits:
            path = folder / name / f"{name}_{split}.tsv"
            path.write_text("a\t1\t2\t3\nb\t4\t5\t6\n", encoding="utf-8")
    return folder


def test_datasets_as_text(run):
    result = run("datasets")
    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[0] == ["name", "source", "n_train", "n_test", "length", "n_classes"]
    assert ["ArrowHead", "sktime", "36", "175", "251", "3"] in lines
    assert ["Beef", "download", "30", "30", "470", "5"] in lines
    assert ["BasicMotions", "sktime", "40", "40", "100", "4"] in lines
    assert len(lines) == 1 + 128 + 2
    assert len(set(map(len, result.output.splitlines()))) == 1


def test_datasets_as_csv_with_the_users_own(run, own):
    result = run("datasets", "--format", "csv", "--data-dir", own)
    assert result.exit_code == 0
    assert "Warning: " in result.output
    assert "Half has Half_TRAIN.tsv but not both" in result.output
    lines = [line for line in result.output.splitlines() if not line.startswith("Warning")]
    rows = {row["name"]: row for row in csv.DictReader(lines)}
    assert list(rows["Mine"].values()) == ["Mine", "folder", "2", "2", "3", "2"]
    assert list(rows["Half"].values()) == ["Half", "unusable", "-", "-", "-", "-"]


def test_datasets_of_a_folder_that_does_not_exist(run, tmp_path):
    result = run("datasets", "--data-dir", tmp_path / "absent")
    assert result.exit_code == 2
    assert result.output.startswith("Error: The data folder ")


def test_fetch_says_what_is_here(run, own):
    result = run("fetch", "ArrowHead", "Mine", "--data-dir", own)
    assert result.exit_code == 0
    here, mine = result.output.splitlines()
    assert here.startswith("ArrowHead: already here, from sktime (")
    assert mine == f"Mine: already here, from folder ({own / 'Mine'})"


def test_fetch_goes_on_after_a_failure(run, tmp_path, monkeypatch):
    def fetch_dataset(name, *, cache_dir, sktime):
        if name == "Beef":
            raise DataError("Beef cannot be downloaded.")
        return cache_dir / name

    monkeypatch.setattr(data, "fetch_dataset", fetch_dataset)
    monkeypatch.setattr(download, "missing_source_hint", lambda: "Hint: install it.")
    result = run("fetch", "Beef", "caar", "Car")
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        "Hint: install it.",  # once, before the first download
        "Error: Beef cannot be downloaded.",
        "Error: There is no dataset named 'caar': did you mean Car?",
        f"Car: downloaded to {tmp_path / 'cache' / 'Car'}",
    ]


def test_fetch_all(run, monkeypatch):
    asked = []
    monkeypatch.setenv("RNTK_BENCH_MIRROR", "https://example.org")
    monkeypatch.setattr(data, "fetch_dataset", lambda name, **options: asked.append(name))
    result = run("fetch", "--all")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) == 128
    assert result.stderr == ""
    assert "Beef" in asked
    assert "ArrowHead" not in asked


@pytest.mark.parametrize("arguments", [(), ("--all", "Beef")])
def test_fetch_wants_names_or_all(run, arguments):
    result = run("fetch", *arguments)
    assert result.exit_code == 2
    assert "Give the names of the datasets, or --all." in result.output
