from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.storage.records import read_records, write_record
from tests.paths import REFERENCE


@pytest.fixture
def results(tmp_path):
    """Two datasets' records of two kernels, and one that failed."""
    records = [
        record
        for record in read_records(REFERENCE)[0]
        if record.dataset in ("Coffee", "GunPoint") and record.method in ("rntk", "rbf")
    ]
    for record in records:
        write_record(tmp_path / "runs", record)
    outcome = {"status": "failed", "test": None, "selection": None, "error": "A & <b>B</b>"}
    write_record(tmp_path / "runs", replace(records[0], dataset="Ham", **outcome))
    return tmp_path / "runs"


def run(*arguments):
    return CliRunner().invoke(main, ["report", *map(str, arguments)])


def test_it_writes_the_page_into_a_new_folder_and_names_it(results, tmp_path):
    path = tmp_path / "new" / "page.html"
    outcome = run("--results", results, "-o", path)
    assert outcome.exit_code == 0
    assert outcome.stdout == f"{path}\n"
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    for name in ("Coffee", "GunPoint", "Ham"):
        assert f'id="dataset-{name}"' in page
    assert "A &amp; &lt;b&gt;B&lt;/b&gt;" in page


def test_a_link_stays_a_link(results, tmp_path):
    page, link = tmp_path / "page.html", tmp_path / "link.html"
    page.touch()
    link.symlink_to(page)
    assert run("--results", results, "-o", link, "-d", "Coffee").exit_code == 0
    assert link.is_symlink()
    assert "Coffee" in page.read_text(encoding="utf-8")


def test_it_keeps_what_is_asked_for(results, tmp_path):
    path = tmp_path / "page.html"
    assert run("--results", results, "-o", path, "-d", "Coffee", "--no-paper").exit_code == 0
    page = path.read_text(encoding="utf-8")
    assert 'id="dataset-GunPoint"' not in page
    assert ">paper<" not in page


def test_published_accuracies_stand_beside_ones_own(results, tmp_path):
    (tmp_path / "others.csv").write_text("dataset,ROCKET\nCoffee,1.0\nGunPoint,0.98\n")
    path = tmp_path / "page.html"
    assert run("--results", results, "-o", path, "--with", tmp_path / "others.csv").exit_code == 0
    page = path.read_text(encoding="utf-8")
    assert "RNTK against ROCKET" in page
    for name, value in (("Methods", 2), ("Published", 1), ("Results", 4), ("Without a record", 1)):
        assert f"<dt>{name}</dt><dd>{value}</dd>" in page


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--data-dir", "no"], 2, "The data folder no does not exist"),
        (["-d", "Beef"], 2, "There is no record of dataset 'Beef'; there are"),
        (["-o", "file/page.html"], 3, "Cannot write file/page.html: "),
        (["--results", "."], 2, "There are no run records in ."),
    ],
)
def test_what_cannot_be_done_is_one_sentence(results, tmp_path, monkeypatch, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    outcome = run("--results", results, *arguments)
    assert outcome.exit_code == code
    assert outcome.stderr.startswith(f"Error: {says}")
    assert len(outcome.stderr.splitlines()) == 1
