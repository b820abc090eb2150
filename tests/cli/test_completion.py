"""What shells complete, through Click's interface and through the shells themselves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.cli.completion import SHELLS
from rntk_bench.datasets import dataset_names
from rntk_bench.methods import KERNEL_METHODS, METHODS, NETWORK_METHODS
from tests.paths import CONFIGS, REFERENCE, ROOT

RECORDS = str(REFERENCE)


def completed(*arguments):
    """What is offered for the last of the arguments."""
    shell = ShellComplete(main, {}, "rntk-bench", "_RNTK_BENCH_COMPLETE")
    return [item.value for item in shell.get_completions(list(arguments[:-1]), arguments[-1])]


def commands(command, path=()):
    """Every command below a group with its names."""
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, (*path, name))
    else:
        yield path, command


def test_every_option_that_takes_a_dataset_or_method_completes_it():
    seen = 0
    for path, command in commands(main):
        for option in command.params:
            if not {"--dataset", "--method", "--config", "--protocol"} & set(option.opts):
                continue
            flag = max(option.opts, key=len)
            where = ["--results", RECORDS] * any("--results" in p.opts for p in command.params)
            assert completed(*path, *where, flag, ""), (path, flag)
            seen += 1
    assert seen >= 10


def test_commands_options_and_choices():
    assert "sensitivity" in completed("s")
    assert "--dry-run" in completed("run", "--d")
    assert completed("table", "--format", "mark") == ["markdown"]
    assert completed("completion", "") == list(SHELLS)


@pytest.mark.parametrize(
    "before", [("run", "-d"), ("speed", "-d"), ("sensitivity", "-d"), ("fetch",)]
)
def test_datasets_are_the_archives_in_whatever_case(before):
    assert completed(*before, "") == dataset_names()
    assert completed(*before, "gunpoint") == [
        *("GunPoint", "GunPointAgeSpan", "GunPointMaleVersusFemale", "GunPointOldVersusYoung")
    ]
    assert not completed(*before, "Nothing")


def test_ones_own_datasets_are_completed_too(write_dataset, monkeypatch):
    data = write_dataset("Mine")
    (data / "Notes").mkdir()
    (data / "Notes" / "README.txt").touch()
    assert completed("run", "--data-dir", str(data), "-d", "m") == [
        *(name for name in dataset_names(data) if name.casefold().startswith("m"))
    ]
    assert "Mine" in completed("run", "--data-dir", str(data), "-d", "")
    assert not completed("run", "-d", "Mine")
    monkeypatch.setenv("RNTK_BENCH_DATA_DIR", str(data))
    assert completed("run", "-d", "Mine") == ["Mine"]


@pytest.mark.parametrize("folder", ["nothing/here", "~nobody-of-this-name/data"])
def test_a_folder_that_cannot_be_read_has_no_names(folder):
    assert completed("run", "--data-dir", folder, "-d", "") == dataset_names()
    assert completed("table", "--results", folder, "-d", "") == []


def test_methods_are_those_that_the_command_takes():
    assert completed("run", "-m", "") == list(METHODS)
    assert completed("regress", "sine", "-m", "") == list(KERNEL_METHODS)
    assert completed("speed", "-m", "") == list(NETWORK_METHODS)
    assert completed("run", "-m", "RNTK-A") == ["rntk-avg"]


def test_what_has_a_record_is_completed_where_records_are_read(monkeypatch):
    recorded = sorted(path.name for path in Path(RECORDS).iterdir())
    assert completed("table", "--results", RECORDS, "-d", "") == recorded
    methods = {path.stem.rpartition("-")[0] for path in Path(RECORDS).glob("*/*.json")}
    assert completed("table", "--results", RECORDS, "-m", "") == sorted(methods)
    assert "7ad9149e" in completed("table", "--results", RECORDS, "--protocol", "7a")
    monkeypatch.setenv("RNTK_BENCH_RESULTS", RECORDS)
    assert completed("table", "-d", "") == recorded


def test_configurations_are_toml_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mine.toml", "notes.txt", "configs/quick.toml", "deep/down.toml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    shipped = sorted(path.stem for path in CONFIGS.glob("*.toml"))
    assert completed("run", "-c", "") == [*shipped, "configs/quick.toml", "mine.toml"]
    assert completed("run", "-c", "q") == ["quick"]
    assert completed("run", "-c", "configs/q") == ["configs/quick.toml"]
    assert completed("table", "-c", "deep/") == ["deep/down.toml"]
    shell = ShellComplete(main, {}, "rntk-bench", "_RNTK_BENCH_COMPLETE")
    (file,) = shell.get_completions(["run", "-c"], "../some")
    assert (file.type, file.value) == ("file", "../some")


def test_completing_names_imports_nothing_heavy():
    script = (
        "import sys; from rntk_bench.cli import main\n"
        "try: main(prog_name='rntk-bench')\n"
        "except SystemExit: pass\n"
        "heavy = {'numba', 'sktime', 'sklearn', 'pandas', 'scipy', 'numpy', 'jax'}\n"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    for words, expected in {
        "rntk-bench run -d GunP": "plain,GunPoint\n",
        "rntk-bench run -m rntk-a": "plain,rntk-avg\n",
        f"rntk-bench table --results {RECORDS} -d Cof": "plain,Coffee\n",
    }.items():
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | asked | {"_RNTK_BENCH_COMPLETE": "bash_complete"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout


@pytest.fixture
def in_shell(tmp_path, monkeypatch):
    """Run a script in a shell that finds the command `rntk-bench`."""
    command = tmp_path / "bin" / "rntk-bench"
    command.parent.mkdir()
    command.write_text(
        f"#!{sys.executable}\nfrom rntk_bench.cli import main\nmain(prog_name='rntk-bench')\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))

    def run(shell, script):
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        done = subprocess.run(
            [shell, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert not done.stderr
        return done.stdout.splitlines()

    return run


def test_bash_completes_by_the_printed_script(in_shell):
    call = (
        'eval "$(rntk-bench completion bash)"; complete -p rntk-bench\n'
        "COMP_WORDS=(rntk-bench run -m rnn); COMP_CWORD=3\n"
        '_rntk_bench_completion rntk-bench; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    registered, *names = in_shell("bash", call)
    assert "_rntk_bench_completion" in registered
    assert names == ["rnn-gaussian", "rnn-identity"]


def test_zsh_completes_by_the_printed_script(in_shell):
    # What zsh's completion system would be told, without a terminal to show it in.
    call = (
        "compdef() { :; }; compadd() { :; }\n"
        '_describe() { print -l "${completions_with_descriptions[@]}"; }\n'
        'eval "$(rntk-bench completion zsh)"\n'
        "words=(rntk-bench run -m rnn); CURRENT=4; _rntk_bench_completion"
    )
    assert in_shell("zsh", call) == ["rnn-gaussian:Gaussian RNN", "rnn-identity:Identity RNN"]


def test_fish_completes_by_the_printed_script(in_shell):
    call = "rntk-bench completion fish | source; complete -C 'rntk-bench run -m rnn'"
    assert in_shell("fish", call) == ["rnn-gaussian\tGaussian RNN", "rnn-identity\tIdentity RNN"]


def test_the_script_is_that_of_click_and_other_shells_are_refused():
    for shell in SHELLS:
        printed = CliRunner().invoke(main, ["completion", shell])
        by_click = CliRunner().invoke(
            main, prog_name="rntk-bench", env={"_RNTK_BENCH_COMPLETE": f"{shell}_source"}
        )
        assert printed.exit_code == 0
        assert printed.stdout == by_click.stdout
    refused = CliRunner().invoke(main, ["completion", "tcsh"])
    assert refused.exit_code == 2
    assert "tcsh" in refused.stderr
