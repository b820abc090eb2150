import os

import pytest
from click.testing import CliRunner

from rntk_bench.cli import main


def invoke(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)], catch_exceptions=False)


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
    outcome = invoke(*({"INPUT": read, "OUTPUT": output}.get(word, word) for word in command))
    assert outcome.exit_code == 2
    assert f"{output} would be overwritten, but the command reads it" in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert read.read_text() == "what is read"


@pytest.mark.parametrize("command", COMMANDS[:-1], ids=lambda words: " ".join(words[:2]))
def test_a_missing_folder_is_noticed_before_anything_is_read(tmp_path, command):
    places = {"INPUT": tmp_path / "unread", "OUTPUT": tmp_path / "none" / "file"}
    outcome = invoke(*(places.get(word, word) for word in command))
    assert outcome.exit_code == 3
    assert outcome.stderr.startswith(f"Error: Cannot write {places['OUTPUT']}: its folder is")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_folder_is_no_output(tmp_path, command):
    places = {"INPUT": tmp_path / "unread", "OUTPUT": tmp_path}
    outcome = invoke(*(places.get(word, word) for word in command))
    assert outcome.exit_code == 2
    assert "is a directory" in outcome.stderr


def test_tables_are_written_where_a_link_points_to(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path)
    assert invoke("audit", "1", "-o", link).exit_code == 0
    assert link.is_symlink()
    assert "Table" in path.read_text()


def test_tables_replace_a_file_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "audit.txt"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    outcome = invoke("audit", "1", "-o", path)
    assert outcome.exit_code == 3
    assert "No space left" in outcome.stderr
    assert path.read_text() == "old"
