"""What README.md and the manual show works: commands, their output, Python and configurations.

Blocks marked `console` hold commands after `$` with their output, `...` for its end being left out;
blocks marked `sh` hold commands alone; blocks marked `python` and `toml` are what they say.
"""

import re
import shlex
import shutil
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench import estimators
from rntk_bench.cli import main
from rntk_bench.config import read_experiment
from rntk_bench.datasets import locate
from tests.paths import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
OUT = ("-o", "--output", "--out")
READS_RECORDS = re.compile("--results results/(reference|unseen|seeds)")

# Commands of `sh` blocks that are not run but parsed: they compute for long or ask the network.
PARSED_ONLY = {
    "run": "computes for minutes",
    "figure": "computes for minutes",
    "regress": "computes for minutes",
    "protocols": "computes for hours",
    "fetch": "asks the network",
    "ceilings": "reads datasets that come with no package",
    "export": "needs the datasets of all records",
}
# Commands of `console` blocks of which the labels alone are compared, the words that begin the
# lines; the reason, and options that make the input smaller.
LABELS_ALONE = {
    "rntk-bench env": ("describes the machine and its installation", ()),
    "rntk-bench regress csv GOOG.csv --column Close": (
        "reads a made series in place of the prices",
        ("--train", "20", "--test", "0.1"),
    ),
}
# Commands of `console` blocks that are only parsed.
TIMES = "prints times of its machine; its words are tested in tests/cli/test_speed.py"
PUBLISHED = "reads published accuracies, which are not ours to copy"
_CLASSIFIERS = (
    "--with default_split_accuracy.csv --column ROCKET --column MiniROCKET --column HC2 "
    "--column InceptionTime --column 1NN-DTW"
)
NOT_RUN = {
    "rntk-bench table 1 --results results/reference -c reference --no-paper -m rntk -m rbf "
    f"-m rntk-shared -m rntk-multiscale {_CLASSIFIERS}": PUBLISHED,
    "rntk-bench table 1 --results results/unseen -c unseen --no-paper -m rntk -m rbf "
    f"-m rntk-shared -m rntk-multiscale {_CLASSIFIERS}": PUBLISHED,
    "rntk-bench compare pairs --results results/unseen -c unseen -m rntk-multiscale "
    f"{_CLASSIFIERS}": PUBLISHED,
    "rntk-bench table 1 --results results/unseen -c unseen-disjoint --no-paper -m rntk -m rbf "
    "-m rntk-shared -m rntk-multiscale --with default_split_accuracy.csv --column ROCKET "
    "--column HC2 --column 1NN-DTW": PUBLISHED,
    "rntk-bench table 1 --results results/reference -c reference -m rntk -m ntk "
    "-m rbf -m poly --no-paper --with default_split_accuracy.csv --column ROCKET --column 1NN-DTW "
    '--metrics --sort "friedman rank"': PUBLISHED,
    "rntk-bench speed -d GunPoint --whole": TIMES,
    "rntk-bench speed --regression": TIMES,
    "rntk-bench run -d GunPoint -d ArrowHead -m rntk -m rbf": "is interrupted by Ctrl-C",
}


class Shown(NamedTuple):
    """A command after `$` with the lines below it."""

    line: str
    output: list[str]


def blocks(page, *languages):
    """The fenced blocks of these languages on a page."""
    fence = re.compile(r"^```(\S*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
    return [text for language, text in fence.findall(TEXTS[page]) if language in languages]


def on_all_pages(language):
    """Each block of a language with its page, to be the parameters of a test."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page, language))
    ]


def shown(block):
    """The commands of a `console` block."""
    _, *parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    lines = [part.rstrip("\n").split("\n") for part in parts]
    return [Shown(line, output) for line, *output in lines]


def arguments_of(line):
    """Arguments of a shell's line that calls rntk-bench, else None."""
    line = re.sub(r'^eval "\$\((.*?)\)"', r"\1", line)
    if not (match := re.match(r"(?:\w+=\S+ )*rntk-bench (.*)", line)):
        return None
    words = shlex.split(match[1], comments=True)
    stops = [words.index(word) for word in ("|", ">", "<", "&&") if word in words]
    return tuple(words[: min(stops, default=len(words))])


def leaves(command, path=()):
    """Every command that does something, by its names."""
    if not isinstance(command, click.Group):
        return {path: command}
    return {
        names: leaf
        for name, each in command.commands.items()
        for names, leaf in leaves(each, (*path, name)).items()
    }


def leaf_of(arguments):
    """Names of the command that is meant."""
    names = [path for path in COMMANDS if arguments[: len(path)] == path]
    assert names, f"rntk-bench {' '.join(arguments)} is shown, but is no command"
    return names[0]


def files_of_the_reader(arguments):
    """Files that a command would read and that are not in a checkout."""
    written = {after for flag, after in pairwise(arguments) if flag in OUT}
    files = [word for word in arguments if re.fullmatch(r"[\w./-]*\w\.[a-z]+", word)]
    return [name for name in files if name not in written and not (ROOT / name).exists()]


COMMANDS = leaves(main)
SHOWN = {
    page: [each for block in blocks(page, "console") for each in shown(block)] for page in PAGES
}
LISTED = [
    arguments
    for page in PAGES
    for block in blocks(page, "sh")
    for line in block.replace("\\\n", " ").splitlines()
    if (arguments := arguments_of(line))
]
USED = list(
    dict.fromkeys([*LISTED, *(arguments_of(line) for each in SHOWN.values() for line, _ in each)])
)


def link_checkout(folder):
    """Make a folder like a checkout, to which a command may write."""
    (folder / "results").mkdir()
    for name in ("configs", "results/reference", "results/unseen", "results/seeds"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "results/protocols.csv", folder / "results")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    link_checkout(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def reader(checkout):
    """The files of a reader who follows the examples."""
    for path in locate("GunPoint").paths:
        shutil.copy(path, path.name)
    closes = 500 + np.cumsum(np.random.default_rng(0).standard_normal(250))
    rows = "".join(f"{close}\n" for close in closes)
    Path("GOOG.csv").write_text(f"Close\n{rows}", encoding="utf-8")


def invoke(arguments):
    outcome = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


@pytest.mark.parametrize("arguments", USED, ids=" ".join)
def test_every_shown_command_has_valid_options(arguments, checkout, monkeypatch):
    reached = []
    leaf = leaf_of(arguments)
    monkeypatch.setattr(COMMANDS[leaf], "callback", lambda **_: reached.append(leaf))
    for name in files_of_the_reader(arguments):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    invoke(arguments)
    assert reached == [leaf]


ONLY_READ = [
    arguments
    for arguments in dict.fromkeys(LISTED)
    if arguments[0] not in PARSED_ONLY and not files_of_the_reader(arguments)
]


@pytest.mark.parametrize("arguments", ONLY_READ, ids=" ".join)
def test_listed_commands_run(arguments, checkout, monkeypatch):
    monkeypatch.setenv("RNTK_BENCH_RESULTS", "results/reference")
    invoke(arguments)


def timeless(lines):
    """Without the times of runs, and what is printed once for a machine or once a minute."""
    kept = [re.sub(r"\[\d+\.\d s\]", "[]", line).rstrip() for line in lines]
    once = re.compile(r"Compiling |\d+ of \d+ evaluations done, ")
    return [line for line in kept if not once.match(line)]


def labels(lines):
    """The words that begin the lines which do not go on with the one before."""
    return [line.split()[0] for line in lines if line and not line.startswith(" ")]


@cache
def reading(arguments):
    """Output of a command that reads the project's records, which several pages show."""
    return invoke(arguments)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if SHOWN[page]], ids=lambda page: page.name
)
def test_commands_print_what_is_shown(page, reader):
    for line, output in SHOWN[page]:
        if line in NOT_RUN:
            continue
        _, smaller = LABELS_ALONE.get(line, ("", ()))
        run = reading if READS_RECORDS.search(line) else invoke
        printed = timeless(run((*arguments_of(line), *smaller)).rstrip("\n").split("\n"))
        expected = timeless(output)
        if line in LABELS_ALONE:
            printed, expected = labels(printed), labels(expected)
        elif expected[-1] == "...":
            del expected[-1], printed[len(expected) :]
        assert printed == expected, line


def test_exceptions_are_shown():
    lines = {line for each in SHOWN.values() for line, _ in each}
    assert lines >= {*LABELS_ALONE, *NOT_RUN}


@pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")  # sktime's own
@pytest.mark.parametrize("block", on_all_pages("python"))
def test_python_runs(block, checkout):
    exec(compile(block, "example", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("block", on_all_pages("toml"))
def test_configurations_are_read(block, tmp_path):
    path = tmp_path / "shown.toml"
    path.write_text(block, encoding="utf-8")
    assert read_experiment(path).grids


def test_every_block_says_what_it_is():
    known = {"console", "sh", "python", "py", "toml", "text", "bibtex"}
    fence = re.compile(r"^```(.*)\n(?:.*\n)*?```$", flags=re.MULTILINE)
    for page, text in TEXTS.items():
        for language in fence.findall(text):
            assert language in known or language.startswith("{"), f"{page.name}: {language!r}"


def test_every_command_is_used_in_an_example():
    """The reference describes each option; the manual shows each command at work."""
    assert {leaf_of(arguments) for arguments in USED} == set(COMMANDS)


def test_every_environment_variable_is_documented():
    text = "".join(TEXTS.values())
    parameters = [parameter for command in COMMANDS.values() for parameter in command.params]
    for name in {parameter.envvar for parameter in parameters if parameter.envvar}:
        assert f"`{name}`" in text


def test_every_option_explains_itself():
    """The command reference is generated from these texts."""
    for names, command in COMMANDS.items():
        assert command.help, names
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, (names, option.name)


def test_every_estimator_is_named():
    text = TEXTS[ROOT / "docs" / "estimators.md"]
    for name in (*estimators.__all__, "PanelKernel", "PanelClassifier"):
        assert name in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_linked_file_is_there(page):
    generated = re.compile(r"commands/[\w-]+\.rst")
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        target = target.partition("#")[0]
        if target and "://" not in target and not generated.fullmatch(target):
            assert (page.parent / target).is_file(), target


def test_links_to_the_command_reference_name_commands():
    for text in TEXTS.values():
        for name in re.findall(r"\(commands/([\w-]+)\.rst\)", text):
            assert name in main.commands


def test_the_differences_from_the_paper_are_those_of_the_records(checkout):
    methods = {"RNTK": "rntk", "NTK": "ntk", "RBF": "rbf", "Polynomial": "poly"}
    chosen = [word for name in methods.values() for word in ("-m", name)]
    place = ["--results", "results/reference", "-c", "configs/reference.toml"]
    digits = ["--digits", "4"]  # rounded once, below
    invoke(("table", "2", *place, *chosen, *digits, "--format", "csv", "-o", "table.csv"))
    table = pd.read_csv("table.csv", index_col="dataset")
    text = TEXTS[ROOT / "docs" / "results.md"]
    for title in methods:
        (row,) = re.findall(rf"^\| {title} \| (.*) \|$", text, flags=re.MULTILINE)
        large = table[f"{title} diff"][lambda differences: differences.abs() > 2]
        assert row == ", ".join(f"{name} {value:+.1f}" for name, value in large.items())


def test_figures_show_the_records(checkout):
    place = ["--results", "results/reference", "-c", "configs/reference.toml"]
    invoke(("plot", "cd", *place, "--out", "drawn"))
    invoke(("run", "-d", "GunPoint", "-m", "rntk", "--no-prune", "--results", "full"))
    invoke(("plot", "grid", "GunPoint", "--results", "full", "--out", "drawn"))
    for name in ("cd.csv", "grid-GunPoint-rntk.csv"):
        assert Path("drawn", name).read_text() == (ROOT / "results/figures" / name).read_text()


def test_the_readme_is_short():
    assert len(TEXTS[ROOT / "README.md"].splitlines()) <= 200
