"""What commands write, and what they say where it cannot be written."""

import os
import sys

import pytest
from click.testing import CliRunner

from rntk_bench.cli import _output, main
from rntk_bench.errors import StorageError
from tests.paths import REFERENCE, ROOT

COMMANDS = [
    ("fit", "INPUT", "-o", "OUTPUT"),
    ("fit", "other.tsv", "-c", "INPUT", "-o", "OUTPUT"),
    ("predict", "INPUT", "other.tsv", "-o", "OUTPUT"),
    ("predict", "model.npz", "INPUT", "-o", "OUTPUT"),
    ("gram", "INPUT", "-o", "OUTPUT"),
    ("table", "--with", "other.csv", "--with", "INPUT", "-o", "OUTPUT"),
    ("compare", "--with", "INPUT", "-o", "OUTPUT"),
    ("report", "--with", "INPUT", "-o", "OUTPUT"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("through_a_link", [False, True])
def test_no_command_overwrites_what_it_reads(tmp_path, command, through_a_link):
    read = output = tmp_path / "read"
    read.write_text("what is read")
    if through_a_link:
        output = tmp_path / "link"
        output.symlink_to("read")
    outcome = run(*({"INPUT": read, "OUTPUT": output}.get(word, word) for word in command))
    assert outcome.exit_code == 2
    assert f"{output} would be overwritten, but the command reads it" in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert read.read_text() == "what is read"


@pytest.mark.parametrize(
    "command",
    [
        ("table", "--results", "FOLDER"),
        ("report", "--data-dir", "FOLDER"),
        ("compare", "--with", "FOLDER"),
        ("table", "-d", "@LIST"),
    ],
    ids=" ".join,
)
def test_records_datasets_and_lists_are_not_overwritten(tmp_path, command):
    inside = tmp_path / "Coffee" / "read"
    inside.parent.mkdir()
    inside.write_text("Coffee\n")
    words = [word.replace("FOLDER", str(tmp_path)).replace("LIST", str(inside)) for word in command]
    outcome = run(*words, "-o", inside)
    assert outcome.exit_code == 2
    assert f"{inside} would be overwritten" in outcome.stderr
    assert inside.read_text() == "Coffee\n"


@pytest.mark.parametrize("command", COMMANDS[:-1], ids=lambda words: " ".join(words[:2]))
def test_a_missing_folder_is_noticed_before_anything_is_read(tmp_path, command):
    places = {"INPUT": tmp_path / "unread", "OUTPUT": tmp_path / "none" / "file"}
    outcome = run(*(places.get(word, word) for word in command))
    assert outcome.exit_code == 3
    assert outcome.stderr.startswith(f"Error: Cannot write {places['OUTPUT']}: its folder is")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_folder_is_no_output(tmp_path, command):
    places = {"INPUT": tmp_path / "unread", "OUTPUT": tmp_path}
    outcome = run(*(places.get(word, word) for word in command))
    assert outcome.exit_code == 2
    assert "is a directory" in outcome.stderr


def test_tables_are_written_where_a_link_points_to(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    assert run("audit", "1", "-o", link).exit_code == 0
    assert link.is_symlink()
    assert "Table" in path.read_text()


def test_tables_replace_a_file_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "audit.txt"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    outcome = run("audit", "1", "-o", path)
    assert outcome.exit_code == 3
    assert "No space left" in outcome.stderr
    assert path.read_text() == "old"


SOME = ("--results", REFERENCE, "-m", "rntk", "-m", "rbf")
SELECT = "rntk_bench.cli._selection.load_results"
WRITING = [
    ("table", *SOME, "-o"),
    ("compare", *SOME, "-o"),
    ("audit", "-o"),
    ("report", *SOME, "-d", "Coffee", "-o"),
    ("plot", "cd", *SOME, "--out"),
    ("plot", "scatter", "rntk", "rbf", *SOME, "--out"),
    ("plot", "box", *SOME, "--out"),
    ("plot", "grid", "Coffee", "rbf", *SOME[:2], "--out"),
    ("figure", "2", "--quick", "--out"),
    ("figure", "3", "--quick", "--out"),
    ("figure", "4", "--from", ROOT / "results" / "regression", "--out"),
    ("figure", "training", "--quick", "--out"),
    ("figure", "scaling", "--quick", "--out"),
    ("sensitivity", "-d", "Mine", "--data-dir", "data", "--out"),
    ("regress", "sine", "--out"),
    ("regress", "csv", "series.csv", "--column", "x", "--out"),
    ("fit", "data/Mine/Mine_TRAIN.tsv", "-m", "rbf", "-o"),
    ("gram", "data/Mine/Mine_TRAIN.tsv", "-m", "rbf", "-o"),
    ("run", "-d", "Mine", "-m", "rbf", "--data-dir", "data", "--results"),
]


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.mark.parametrize("command", WRITING, ids=lambda command: "-".join(map(str, command[:2])))
def test_where_nothing_can_be_written_the_exit_code_is_3(
    command, tmp_path, monkeypatch, write_dataset
):
    write_dataset("Mine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "series.csv").write_text("x\n" + "\n".join(map(str, range(200))) + "\n")
    (tmp_path / "file").write_text("in the way")
    outcome = run(*command, "file/below")
    assert outcome.exit_code == 3
    assert "Error: Cannot write " in outcome.stderr
    assert "file" in outcome.stderr
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_cache_that_cannot_be_emptied_has_exit_code_3(tmp_path):
    entry = tmp_path / "grams" / "ab" / f"{'ab' * 16}.gram"
    entry.parent.mkdir(parents=True, mode=0o700)
    entry.parent.parent.chmod(0o700)
    entry.mkdir()  # which unlink refuses, whoever asks
    outcome = run("cache", "clear", "--cache-dir", tmp_path)
    assert outcome.exit_code == StorageError.exit_code == 3
    assert f"Cannot remove {entry}" in outcome.stderr


def test_a_name_that_is_no_text_is_written_with_a_plain_mark(tmp_path):
    _output.write_text("caf\udce9 –\n", tmp_path / "table.txt")
    assert (tmp_path / "table.txt").read_text(encoding="utf-8") == "caf? –\n"


@pytest.mark.parametrize(
    ("command", "package", "before"),
    [
        (("plot", "cd", *SOME), "matplotlib", SELECT),
        (("plot", "cd", *SOME), "networkx", SELECT),
        (("plot", "box", *SOME), "matplotlib", SELECT),
        (("plot", "scatter", "rntk", "rbf", *SOME), "matplotlib", SELECT),
        (("plot", "grid", "Coffee", "rbf", *SOME[:2]), "matplotlib", SELECT),
        (("report", *SOME), "matplotlib", SELECT),
        (("report", *SOME), "networkx", SELECT),
        (("figure", "4"), "matplotlib", "rntk_bench.report.plots.regression.read_curves"),
        (("figure", "2"), "matplotlib", "rntk_bench.theory.convergence.compute_convergence"),
    ],
)
def test_a_missing_package_is_noticed_before_anything_is_computed(
    command, package, before, tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise AssertionError("computed")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(before, fail)
    outcome = run(*command)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        f"Error: A figure needs {package}; install it with pip install 'rntk-bench[figures]'.\n"
    )
    assert not list(tmp_path.iterdir())
