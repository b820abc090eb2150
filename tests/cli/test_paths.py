import os

import click
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.cli._paths import FILE, FOLDER, PathType


def parameters(command, path=()):
    """Every parameter of every command, with the names of its command."""
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from parameters(each, (*path, name))
    else:
        yield from ((" ".join(path), parameter) for parameter in command.params)


@pytest.fixture
def convert():
    def run(kind, value):
        @click.command()
        @click.option("--it", type=kind, envvar="IT")
        def command(it):
            click.echo(repr(it))

        arguments = [] if value is None else [f"--it={value}"]
        return CliRunner().invoke(command, arguments)

    return run


def test_every_path_of_every_command_is_of_this_type():
    paths = [
        (command, parameter.name)
        for command, parameter in parameters(main)
        if isinstance(parameter.type, click.Path)
    ]
    assert len(paths) > 30
    ours = [
        (command, parameter.name)
        for command, parameter in parameters(main)
        if isinstance(parameter.type, PathType)
    ]
    assert paths == ours


@pytest.mark.parametrize("kind", [FILE, FOLDER])
def test_the_home_folder_is_expanded_in_options_and_variables(kind, convert, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert repr(tmp_path / "x") in convert(kind, "~/x").output
    monkeypatch.setenv("IT", "~/y")
    assert repr(tmp_path / "y") in convert(kind, None).output


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "it is empty"),
        ("a" * 300, "longer than a file's name"),
        ("a\0b", "null character"),
        ("~nobody-here/x", "home folder that this stands for is not known"),
    ],
)
@pytest.mark.parametrize("kind", [FILE, FOLDER])
def test_names_that_no_file_has_are_refused(kind, value, sentence, convert):
    outcome = convert(kind, value)
    assert outcome.exit_code == 2
    assert sentence in outcome.stderr


def test_what_is_of_the_other_kind_is_refused(convert, tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert convert(FILE, file).exit_code == convert(FOLDER, tmp_path).exit_code == 0
    assert convert(FILE, tmp_path).exit_code == convert(FOLDER, file).exit_code == 2
    assert "is not a folder" in convert(FOLDER, os.devnull).stderr
    assert convert(FOLDER, file / "below").exit_code == 0  # whoever makes it says why it cannot be
