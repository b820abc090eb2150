"""The README names every command and option, and what it shows works."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHARED = "Options that many commands have"
# What computes for long or asks the network is parsed only, as what reads one's own files.
PARSED_ONLY = ("run", "figure", "regress", "sensitivity", "fetch", "speed")
OUT = ("-o", "--output", "--out")


def leaves(command, path=()):
    """Every command that does something, by its names."""
    if not isinstance(command, click.Group):
        return {path: command}
    return {
        found: leaf
        for name, each in command.commands.items()
        for found, leaf in leaves(each, (*path, name)).items()
    }


COMMANDS = leaves(main)


def sections():
    """The README's text below each of its headings, fenced blocks included."""
    found, title, fenced = {}, "", False
    for line in README.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if not fenced and (heading := re.match("#+ (.+)", line)):
            title = heading[1]
        else:
            found[title] = found.get(title, "") + line
    return found


def section_of(path):
    """The text below the headings that name the command, or its group."""
    return "".join(text for title, text in sections().items() if f"`rntk-bench {path[0]}`" in title)


def examples(text, *languages):
    """Contents of the fenced blocks of these languages."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for language, block in blocks if language in languages]


def command_lines():
    """Each shown command as its arguments, without the name of the program."""
    lines = []
    for block in examples(README, "", "sh", "bash", "console"):
        given = block.replace("\\\n", " ").splitlines()
        # A block with prompts shows output too.
        given = [line[2:] for line in given if line.startswith("$ ")] or given
        for line in given:
            command = re.sub(r'^eval "\$\((.*?)\)"', r"\1", line)
            if match := re.match(r"(?:\w+=\S+ )*rntk-bench (.*)", command):
                words = shlex.split(match[1], comments=True)
                stops = [words.index(word) for word in ("|", ">", "<", "&&") if word in words]
                lines.append(tuple(words[: min(stops, default=len(words))]))
    return list(dict.fromkeys(lines))


def leaf_of(arguments):
    """The command that is meant."""
    found = [path for path in COMMANDS if arguments[: len(path)] == path]
    assert found, f"README.md shows rntk-bench {' '.join(arguments)}, which is no command"
    return found[0]


def files_of_the_reader(arguments):
    """Files that a command would read and that are not in a checkout."""
    written = {after for flag, after in pairwise(arguments) if flag in OUT}
    files = [word for word in arguments if re.fullmatch(r"[\w./-]*\w\.[a-z]+", word)]
    return [name for name in files if name not in written and not (ROOT / name).exists()]


LINES = command_lines()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_documented(path):
    section, shared = section_of(path), sections()[SHARED]
    assert section, f"README.md has no section on `rntk-bench {path[0]}`"
    words = " ".join(path)
    assert f"rntk-bench {words}" in section, f"README.md shows no use of rntk-bench {words}"
    missing = [
        max(names, key=len)
        for parameter in COMMANDS[path].params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for names in [[*parameter.opts, *parameter.secondary_opts]]
        if not any(re.search(rf"(?<![\w-]){n}(?![\w-])", section + shared) for n in names)
    ]
    assert not missing, f"README.md's section on rntk-bench {path[0]} lacks {', '.join(missing)}"


def test_the_shared_options_are_shared():
    rows = re.findall(r"^\| (`-.*?) \|", sections()[SHARED], flags=re.MULTILINE)
    assert rows
    for row in rows:
        for names in re.findall(r"`(-[^`]+)`", row):
            users = [
                path
                for path, command in COMMANDS.items()
                if any(names in (*p.opts, *p.secondary_opts) for p in command.params)
            ]
            assert len(users) > 1, f"{names} is an option of {users}"


def test_every_environment_variable_is_documented():
    parameters = [parameter for command in COMMANDS.values() for parameter in command.params]
    for name in {parameter.envvar for parameter in parameters if parameter.envvar}:
        assert f"`{name}`" in README


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder like a checkout, to which a command may write."""
    (tmp_path / "results").mkdir()
    for name in ("configs", "results/reference"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RNTK_BENCH_RESULTS", "results/reference")
    return tmp_path


@pytest.mark.parametrize("arguments", LINES, ids=" ".join)
def test_every_shown_command_has_valid_options(arguments, checkout, monkeypatch):
    reached = []
    leaf = leaf_of(arguments)
    monkeypatch.setattr(COMMANDS[leaf], "callback", lambda **_: reached.append(leaf))
    for name in files_of_the_reader(arguments):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    outcome = CliRunner().invoke(main, arguments)
    assert outcome.exit_code == 0, outcome.output
    assert reached == [leaf]


ONLY_READ = [line for line in LINES if line[0] not in PARSED_ONLY and not files_of_the_reader(line)]


@pytest.mark.parametrize("arguments", ONLY_READ, ids=" ".join)
def test_shown_commands_that_only_read_run(arguments, checkout):
    outcome = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")  # sktime's own
@pytest.mark.parametrize("example", examples(README, "python"))
def test_python_examples_run(example, checkout):
    exec(compile(example, "README.md", "exec"), {"__name__": "__main__"})
