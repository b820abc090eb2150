"""`rntk-bench` without a command."""

import re
import shlex
import subprocess
import sys

import click
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.version import __version__

HEAVY = "{'numba', 'sktime', 'sklearn', 'pandas', 'scipy', 'numpy', 'tqdm'}"


def test_alone_it_says_three_commands_to_begin_with():
    alone = CliRunner().invoke(main, [])
    assert alone.exit_code == 0
    commands = re.findall(r"^  rntk-bench (.*?)  ", alone.stdout, flags=re.MULTILINE)
    assert len(commands) == 3
    for line in commands:
        name, *arguments = shlex.split(line)
        command = main.commands[name]
        assert isinstance(command, click.Command)
        command.make_context(name, arguments)  # an error if an option is not one
    assert "'rntk-bench --help'" in alone.stdout
    assert max(map(len, alone.stdout.splitlines())) <= 100


def test_help_and_wrong_commands_are_as_before():
    for word in ("--help", "-h"):
        shown = CliRunner().invoke(main, [word])
        assert shown.exit_code == 0
        assert "Commands:" in shown.stdout
    wrong = CliRunner().invoke(main, ["rnu"])
    assert wrong.exit_code == 2
    assert "No such command 'rnu'" in wrong.stderr


def test_the_version_is_the_packages():
    assert CliRunner().invoke(main, ["--version"]).stdout == f"rntk-bench, version {__version__}\n"


def test_it_imports_nothing_heavy():
    script = (
        "import sys; from rntk_bench.cli import main\n"
        "try: main([])\n"
        "except SystemExit: pass\n"
        f"heavy = {HEAVY} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
