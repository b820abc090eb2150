"""What -d names: exact names, other cases, patterns, lists, and everything at hand."""

from csv import DictReader
from pathlib import Path

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.cli._dataset_names import (
    expand_dataset,
    expand_datasets,
    known_datasets,
    plan_datasets,
)
from rntk_bench.config import Experiment
from rntk_bench.datasets import ARCHIVE, dataset_names, locate
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.errors import DataError, InputError

KNOWN = ["Beef", "Coffee", "Gun*", "GunPoint", "GunPointAgeSpan", "Ham", "Odd[1]", "@home", "ham2"]


def expand(*words, known=KNOWN):
    return expand_datasets(words, known)


@pytest.mark.parametrize(
    ("words", "names", "said"),
    [
        (["Coffee", "Beef", "Coffee"], ["Coffee", "Beef"], ""),
        (["coffee", "HAM"], ["Coffee", "Ham"], "coffee is read as Coffee, HAM is read as Ham."),
        (
            ["gunp*"],
            ["GunPoint", "GunPointAgeSpan"],
            "'gunp*' stands for GunPoint, GunPointAgeSpan.",
        ),
        (["?eef", "Beef"], ["Beef"], "'?eef' stands for Beef."),
        (["[BC]*", "Ham"], ["Beef", "Coffee", "Ham"], "'[BC]*' stands for Beef, Coffee."),
        (["Ham*", "Ham"], ["Ham", "ham2"], "'Ham*' stands for Ham, ham2."),
        # What is exactly a name is that name, whatever characters it has.
        (["Gun*"], ["Gun*"], ""),
        (["Odd[1]"], ["Odd[1]"], ""),
        (["@home"], ["@home"], ""),
        # What reads an unknown name says what is wrong with it.
        (["Cofee", "Ham"], ["Cofee", "Ham"], ""),
    ],
)
def test_words_are_names_in_any_case_and_patterns(words, names, said, capsys):
    assert expand(*words) == names
    assert capsys.readouterr().err == (f"Note: {said}\n" if said else "")
    assert expand_datasets(words, KNOWN, quiet=True) == names
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "known", "sentence"),
    [
        (["Gnu*"], KNOWN, "No dataset matches 'Gnu*'; 'rntk-bench datasets' lists them all."),
        (["HAM"], ["Ham", "ham"], "'HAM' may be Ham or ham; write it as one of these."),
        (["@"], KNOWN, "names no file"),
        ([""], KNOWN, "-d '' names no dataset; write for example -d Coffee."),
        (["Coffee,Ham"], KNOWN, "is one name with a comma; give each dataset with its own -d"),
        (["/usr/bin"], KNOWN, "-d /usr/bin is a folder; write -d bin --data-dir /usr."),
        (["@none.txt"], KNOWN, "none.txt does not exist; write one dataset per line"),
        (["@."], KNOWN, "cannot be read as a list of datasets: Is a directory; name another"),
        (["@a\0b"], KNOWN, "cannot be read as a list of datasets"),
    ],
)
def test_a_word_without_a_meaning_is_one_sentence(words, known, sentence):
    with pytest.raises(InputError) as caught:
        expand_datasets(words, known)
    assert sentence in str(caught.value)


def test_case_alone_chooses_between_two_names():
    assert expand("ham", known=["Ham", "ham"]) == ["ham"]
    assert expand("Ham", known=["Ham", "ham"]) == ["Ham"]
    assert expand("H?m", known=["Ham", "ham"]) == ["Ham", "ham"]


def test_a_list_has_names_patterns_and_comments(tmp_path, capsys):
    path = tmp_path / "list.txt"
    path.write_text(
        "# my favourites\n\nCoffee\n  beef   # with a remark\r\nGunPoint*\t# two\nOdd[1]\n"
        "#Ham\n@home\n",
        encoding="utf-8-sig",
    )
    names = ["ham2", "Coffee", "Beef", "GunPoint", "GunPointAgeSpan", "Odd[1]", "@home"]
    assert expand("ham2", f"@{path}", "Coffee") == names
    assert capsys.readouterr().err == (
        "Note: 'GunPoint*' stands for GunPoint, GunPointAgeSpan.\nNote: beef is read as Beef.\n"
    )


def test_a_list_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "list.txt").write_text("Ham")
    assert expand("@~/list.txt") == ["Ham"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "lists no dataset; write one name or pattern per line into it."),
        (b"\n  # nothing yet\n\n", "lists no dataset"),
        (b"Coffee\nGnu*\n", "line 2: No dataset matches 'Gnu*'"),
        (b"# names\n\nHAM\n", "line 3: 'HAM' may be Ham or ham"),
        (b"@other.txt\n", "line 1: a list cannot name another"),
        (b"\xff\xfe\x00", "is not a text in UTF-8"),
        (b"Coffee\n" * 200_000, "is larger than any list of datasets"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_line(tmp_path, content, sentence):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        expand(f"@{path}", known=[*KNOWN, "ham"])
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


def test_a_command_about_one_dataset_takes_what_stands_for_one(capsys):
    assert expand_dataset("COFFEE", KNOWN) == "Coffee"
    assert expand_dataset("Cof*", KNOWN) == "Coffee"
    assert capsys.readouterr().err == "Note: COFFEE is read as Coffee.\n"
    with pytest.raises(InputError, match="stands for 2 datasets, and this command reads one"):
        expand_dataset("GunP*", KNOWN)


def test_known_are_the_archives_and_those_in_ones_own_folder(write_dataset, tmp_path):
    data = write_dataset("Mine")
    (data / "Mine" / "Mine_TRAIN.tsv").chmod(0)
    (data / "Notes").mkdir()
    (data / "Notes" / "Other_TRAIN.tsv").touch()
    assert set(known_datasets(data)) == {*known_datasets(None), "Mine"}
    assert known_datasets(tmp_path / "nowhere") == known_datasets(None) == dataset_names()


def plan(experiment=Experiment(), cache=None, **options):  # noqa: B008 - it is immutable
    chosen = {"datasets": (), "everything": False, "archive": False, "data_dir": None} | options
    return plan_datasets(**chosen, experiment=experiment, cache_dir=cache)


def test_a_plan_has_the_datasets_of_its_options_or_of_its_configuration(tmp_path):
    mine = Experiment(datasets=("B", "A", "B"))
    assert plan() == []
    assert plan(mine) == plan(mine, everything=True) == ["B", "A"]
    assert plan(everything=True) == list(PAPER_DATASETS)
    assert plan(mine, datasets=("coffee",)) == ["Coffee"]
    assert plan(datasets=("recorded",), recorded={"Recorded"}) == ["Recorded"]


def test_the_archive_at_hand_is_what_needs_no_download(write_dataset, tmp_path, capsys):
    data = write_dataset("Beef")
    write_dataset("Mine")
    for split in ("TRAIN", "TEST"):
        path = tmp_path / "cache" / "datasets" / "Wine" / f"Wine_{split}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    in_packages = [name for name in ARCHIVE if locate(name).source != "download"]
    assert "GunPoint" in in_packages
    names = plan(archive=True, data_dir=data, cache=tmp_path / "cache")
    assert set(names) == {*in_packages, "Beef", "Wine"}
    assert names == [name for name in ARCHIVE if name in names]
    assert capsys.readouterr().err == (
        f"Note: {len(names)} of the archive's 128 datasets are on this machine; 'rntk-bench fetch "
        "--all' downloads the others.\n"
    )


def test_a_dataset_at_hand_that_is_incomplete_is_named_and_left_out(write_dataset, capsys):
    data = write_dataset("Beef")
    (data / "Beef" / "Beef_TEST.tsv").unlink()
    assert "Beef" not in plan(archive=True, data_dir=data, quiet=True)
    (warning,) = capsys.readouterr().err.splitlines()
    assert "Beef_TRAIN.tsv but not both" in warning


def test_an_archive_in_another_folder_is_named_in_few_warnings(write_dataset, tmp_path, capsys):
    for name in ("Beef", "Wine", "Car", "Fish", "Yoga"):
        write_dataset(name)
    assert "GunPoint" in plan(archive=True, data_dir=tmp_path)
    *warnings, said = capsys.readouterr().err.splitlines()
    assert "its folder data has; use" in warnings[0]
    assert warnings[3:] == ["Warning: 2 more datasets are left out for such reasons."]
    assert said.startswith("Note: ")
    with pytest.raises(DataError, match="does not exist"):
        plan(archive=True, data_dir=tmp_path / "nowhere")


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)


@pytest.mark.usefixtures("_at_home")
def test_run_status_show_and_table_read_names_alike(write_dataset):
    data = write_dataset("Mine")
    write_dataset("MineToo")
    Path("list.txt").write_text("mine\n")
    Path("rbf.toml").write_text("[grid.rbf]\nalpha = [1]\n")
    common = ("-m", "rbf", "-c", "rbf.toml")
    done = invoke("run", "-d", "@list.txt", *common, "--data-dir", data)
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith("Note: mine is read as Mine.\n")
    assert done.stdout.startswith("Mine rbf: test")
    state = invoke("status", "-d", "MINE*", *common, "--data-dir", data, "--format", "csv")
    assert [(row["dataset"], row["state"]) for row in DictReader(state.stdout.splitlines())] == [
        ("Mine", "done"),
        ("MineToo", "missing"),
    ]
    shown = invoke("show", "mine", "rbf", "--data-dir", data)
    assert shown.exit_code == 0
    assert "record           Mine, rbf" in shown.stdout
    table = invoke("table", "2", "-d", "m*")
    assert table.exit_code == 0
    assert table.stderr == "Note: 'm*' stands for Mine.\n"
    missing = invoke("table", "2", "-d", "z*")
    assert missing.exit_code == 2
    assert missing.stderr == ("Error: No dataset matches 'z*'; there are records of Mine.\n")


@pytest.mark.usefixtures("_at_home")
def test_quiet_says_nothing_of_names(write_dataset):
    data = write_dataset("Mine")
    done = invoke("run", "-q", "-d", "mine", "-m", "rbf", "--data-dir", data, "--dry-run")
    assert done.exit_code == 0
    assert "is read as" not in done.stderr


def test_fetch_reads_names_in_the_same_way():
    done = invoke("fetch", "COFFEE", "Gun*oint")
    assert done.exit_code == 0, done.output
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["Coffee", "GunPoint"]


@pytest.fixture
def _at_home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
