"""Every option of every command does something, or is refused."""

import ast
import inspect
import shlex
import shutil
import textwrap
from dataclasses import replace

import click
import pytest
from click.testing import CliRunner
from matplotlib.text import Text

from rntk_bench.cli import main
from rntk_bench.datasets import load_dataset
from rntk_bench.datasets.paper import PAPER_DATASETS
from rntk_bench.report.plots import figures
from rntk_bench.report.plots.regression import COLUMNS, FIGURE_4
from rntk_bench.storage.records import protocol_id, read_record, write_record
from tests import factories as made
from tests.paths import REFERENCE

# With fewer datasets that tie, the signed-rank tests go through all permutations.
DATASETS = PAPER_DATASETS[:15]
SIX = " ".join(f"-d {name}" for name in DATASETS[:6])

# To each option an example: what is given besides it, and the option. Without it the command must
# do something else.
SELECTION = {
    "--results": ("", "--results other"),
    "--dataset": ("", SIX),
    "--method": ("", "-m rntk -m ntk"),
    "--config": ("", "-c some.toml"),
    "--protocol": ("", f"--protocol {protocol_id({'seed': 0})}"),
}
RESAMPLES = {"--resamples": ("", "--resamples")}
PUBLISHED = {
    "--with": ("", "--with others.csv"),
    "--column": ("--with others.csv", "--column ROCKET"),
}
TABLES = {
    "--format": ("", "--format markdown"),
    "--standalone": ("--format html", "--standalone"),
    "--output": ("", "-o table.txt"),
}
COMPARED = {**SELECTION, **RESAMPLES, **PUBLISHED, "--paper": ("", "--paper")}
FOLDERS = {
    "--data-dir": ("", "--data-dir data"),
    "--cache-dir": ("", "--cache-dir cache"),
}
EXPORTED = "--format tsml"
DRAWN = {"--out": ("", "--out pictures")}
EXAMPLES = {
    "table": {
        **SELECTION,
        **RESAMPLES,
        **PUBLISHED,
        **TABLES,
        "--paper": ("", "--no-paper"),
        "--metrics": ("1", "--metrics"),
        "--sort": ("", "--sort -rbf"),
        "--digits": ("", "--digits 1"),
    },
    "compare": {**COMPARED, **TABLES, "--alpha": ("", "--alpha 0.3")},
    "plot cd": {
        **COMPARED,
        **DRAWN,
        "--alpha": ("", "--alpha 0.3"),
        "--nemenyi": ("", "--nemenyi"),
    },
    "plot scatter rntk": {
        **{name: (f"ntk {besides}", option) for name, (besides, option) in COMPARED.items()},
        "--paper": ("'RNTK (paper)'", "--paper"),
        "--out": ("ntk", "--out pictures"),
    },
    "plot box": {**COMPARED, **DRAWN},
    "plot grid Coffee gru": {
        **DRAWN,
        "--results": ("", f"--results {REFERENCE}"),
        "--protocol": ("--results full", "--protocol 883fcf67"),
        "--x": ("--results full", "--x n_layers"),
        "--resample": ("--results full", "--resample 2"),
        "--y": ("--results full", "--y n_layers"),
        "--out": ("--results full", "--out pictures"),
    },
    "report": {
        **SELECTION,
        **RESAMPLES,
        **PUBLISHED,
        **FOLDERS,
        "--paper": ("", "--no-paper"),
        "--output": ("", "-o page.html"),
    },
    "audit": TABLES,
    "datasets": {**FOLDERS, "--format": ("", "--format csv")},
    "cache info": {
        "--cache-dir": ("", "--cache-dir cache"),
        "--cache-limit": ("", "--cache-limit 1MiB"),
    },
    "cache clear": {"--cache-dir": ("", "--cache-dir cache")},
    "status": {
        "--archive": ("--results full", "--archive"),
        "--data-dir": ("-d 'ours*' -d Coffee", "--data-dir data"),
        "--cache-dir": ("--archive", "--cache-dir cache"),
        "--results": ("", "--results full"),
        "--dataset": ("", "-d Coffee"),
        "--all": ("", "--all"),
        "--method": ("", "-m rbf"),
        "--config": ("", "-c some.toml"),
        "--seed": ("--results full -d Coffee -m gru --format csv", "--seed 1"),
        "--resample": ("", "--resample 0-3"),
        "--format": ("", "--format csv"),
    },
    "show Coffee gru --results full": {
        **FOLDERS,
        "--results": ("", f"--results {REFERENCE}"),
        "--protocol": ("", "--protocol 883fcf67"),
        "--resample": ("", "--resample 2"),
        "--json": ("", "--json"),
    },
    "export predictions": {
        "--results": (f"{EXPORTED} --data-dir data", "--results predicted"),
        "--dataset": (f"{EXPORTED} --data-dir data --results predicted", "-d Mine"),
        "--method": (f"{EXPORTED} --data-dir data --results predicted", "-m rntk"),
        "--config": (f"{EXPORTED} --data-dir data --results predicted", "-c mine.toml"),
        "--protocol": (
            f"{EXPORTED} --data-dir data --results predicted",
            f"--protocol {protocol_id({'seed': 1})}",
        ),
        "--data-dir": (f"{EXPORTED} --results predicted", "--data-dir data"),
        "--cache-dir": (f"{EXPORTED} --results predicted", "--cache-dir cache"),
        "--format": ("--results predicted --data-dir data", EXPORTED),
    },
    "methods": {
        "--method": ("", "-m rbf"),
        "--config": ("", "-c some.toml"),
        "--json": ("", "--json"),
    },
    "env": {**FOLDERS, "--results": ("", "--results other"), "--json": ("", "--json")},
    "completion bash": {},
    "figure 4": {"--from": ("", "--from curves"), "--out": ("--from curves", "--out pictures")},
}

# Commands that compute: their code is read, not run.
COMPUTING = {
    *("run", "fit", "predict", "gram", "sensitivity", "speed", "fetch", "ceilings", "protocols"),
    *("regress sine", "regress prices", "regress csv"),
    *("figure 2", "figure 3", "figure training", "figure scaling"),
}

REFUSED = [
    ("table 2 --metrics", "--metrics"),
    ("table --column ROCKET", "--column"),
    ("table --standalone", "--standalone"),
    ("plot scatter rntk ntk --paper", "--paper"),
    ("compare --format csv --standalone", "--standalone"),
    ("audit --format markdown -s", "--standalone"),
    ("show Coffee gru --results full --json --data-dir data", "--data-dir"),
    ("show Coffee --results full --cache-dir cache", "--cache-dir"),
    ("show Coffee --results full --resample 2", "--resample"),
    ("status --all -d Coffee", "--all"),
    ("status --archive -d Coffee", "--archive"),
    ("run --archive --all", "--archive"),
    ("fetch --all Coffee", "--all"),
    ("figure 2 --quick --width 16 --width 32", "--quick"),
    ("figure 3 --quick --pairs 2", "--quick"),
    ("figure training --quick --draws 2 --width 16 --width 32", "--quick"),
    ("sensitivity -d Coffee --quick --pairs 2", "--quick"),
    ("sensitivity -d Coffee --layers 1 --layers 2 --sigma-w 1 --sigma-w 2", "--sigma-w"),
    ("run -d Coffee --scheduler tcp://127.0.0.1:1", "--scheduler"),
    ("run -d Coffee --backend dask", "--scheduler"),
    ("run -d Coffee --backend dask --scheduler tcp://127.0.0.1:1 --jobs 2", "--jobs"),
    ("run -d Coffee --backend dask --scheduler tcp://127.0.0.1:1 --dry-run", "--dry-run"),
]


def leaves(command, path=()):
    """Every command that does something, by its names."""
    if not isinstance(command, click.Group):
        return {" ".join(path): command}
    return {
        found: leaf
        for name, each in command.commands.items()
        for found, leaf in leaves(each, (*path, name)).items()
    }


COMMANDS = leaves(main)


def command_of(line):
    return max((name for name in COMMANDS if f"{line} ".startswith(f"{name} ")), key=len)


def options(command):
    """The longest name of each option."""
    return {
        max(parameter.opts, key=len)
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Records under two protocols, others' accuracies, data, curves and a configuration."""
    root = tmp_path_factory.mktemp("options")
    for k, dataset in enumerate(DATASETS):
        for m, method in enumerate(("rntk", "ntk", "rbf")):
            correct = 50 + (7 * k + 5 * m) % 23 + 2 * m
            for name, more in (("results/runs", 0), ("other", (k * m) % 5)):
                protocol = {"seed": 0}
                for resample in (0, 1):
                    protocol |= {"resample": resample} if resample else {}
                    n_correct = correct + more - resample * (k + m)
                    entry = made.record(dataset, method, n_correct, 100, protocol=protocol)
                    write_record(root / name, entry)
    write_record(root / "results/runs", made.record(DATASETS[0], "rntk", 9, 100, None, {"seed": 1}))
    for path in (REFERENCE / "Coffee").glob("gru-*.json"):
        (root / "full" / "Coffee").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / "full" / "Coffee")
        record = read_record(path)
        resampled = replace(record, protocol=record.protocol | {"resample": 2})
        write_record(root / "full", resampled)
    rows = [f"{name},{0.5 + k / 50},{0.6 - k / 70}" for k, name in enumerate(DATASETS)]
    (root / "others.csv").write_text("\n".join(["dataset,ROCKET,HC2", *rows]) + "\n")
    names = ", ".join(f'"{name}"' for name in DATASETS[:6])
    (root / "some.toml").write_text(
        f'[experiment]\ndatasets = [{names}]\nmethods = ["rntk", "ntk"]\n'
    )
    (root / "mine.toml").write_text('[experiment]\nmethods = ["ntk"]\n')
    for name in ("Coffee", DATASETS[0], "Mine", "Yours", "Ours"):
        for place in (root / "data" / name, root / "cache" / "datasets" / name):
            place.mkdir(parents=True, exist_ok=True)
            for split in ("TRAIN", "TEST"):
                (place / f"{name}_{split}.tsv").write_text("1\t0.5\t1.5\n2\t1.5\t0.5\n")
    for dataset, method, seed in (
        *(("Mine", "rntk", 0), ("Mine", "ntk", 0), ("Yours", "ntk", 0), ("Yours", "ntk", 1)),
    ):
        data = load_dataset(dataset, data_dir=root / "data")
        write_record(root / "predicted", made.predicted(data, method, {"seed": seed}))
    (root / "curves").mkdir()
    for panel in FIGURE_4:
        line = ",".join(COLUMNS)
        (root / "curves" / f"{panel.name}.csv").write_text(f"{line}\n1,rbf,2.0,0.1,3\n")
    return root


def contents(folder):
    """The bytes of each file, and None for each folder, by its path in the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def restore(folder, before, after):
    """Remove and write only what differs, of some 200 files."""
    for name in sorted(after.keys() - before.keys(), reverse=True):
        path = folder / name
        path.unlink() if path.is_file() else path.rmdir()
    for name, data in before.items():
        if name not in after and data is None:
            (folder / name).mkdir()
        elif after.get(name) != data:
            (folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def before(folder):
    return contents(folder)


@pytest.fixture(scope="module")
def known():
    """What command lines answered before."""
    return {}


@pytest.fixture
def outcome(folder, before, known, monkeypatch):
    """What a command line answers and leaves in the folder, which is put back as it was."""

    def texts(figure, kind):
        shown = [text.get_text() for text in figure.findobj(Text)]
        return f"<svg>{shown} {len(figure.findobj())}</svg>".encode()

    monkeypatch.setattr(figures, "render", texts)
    monkeypatch.delenv("RNTK_BENCH_RESULTS")  # The records are where they are by default.

    def run(line):
        if line not in known:
            known[line] = answer(line)
        return known[line]

    def answer(line):
        monkeypatch.chdir(folder)
        result = CliRunner().invoke(main, shlex.split(line))
        assert result.exception is None or isinstance(result.exception, SystemExit), line
        after = contents(folder)
        written = {
            name: data
            for name, data in after.items()
            if data is not None and data != before.get(name)
        }
        restore(folder, before, after)
        return result.exit_code, result.output.replace(str(folder), ""), written

    return run


def test_every_command_and_every_option_has_an_example():
    named = {command_of(line): set(examples) for line, examples in EXAMPLES.items()}
    assert named == {
        name: options(command) for name, command in COMMANDS.items() if name not in COMPUTING
    }
    assert set(COMMANDS) >= COMPUTING


@pytest.mark.parametrize(
    ("line", "besides", "option"),
    [
        pytest.param(line, *example, id=f"{command_of(line)} {name}")
        for line, examples in EXAMPLES.items()
        for name, example in examples.items()
    ],
)
def test_an_option_changes_what_a_command_does(outcome, line, besides, option):
    without = outcome(f"{line} {besides}")
    given = outcome(f"{line} {besides} {option}")
    assert given[0] == 0, given[1]
    assert given != without


@pytest.mark.parametrize("name", sorted(COMPUTING))
def test_a_computing_command_reads_each_of_its_parameters(name):
    callback = inspect.unwrap(COMMANDS[name].callback)
    (function,) = ast.parse(textwrap.dedent(inspect.getsource(callback))).body
    read = {
        node.id
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    arguments = function.args
    named = {each.arg for each in (*arguments.args, *arguments.kwonlyargs)}
    rest = {arguments.kwarg.arg} if arguments.kwarg else set()
    assert named | rest <= read
    assert rest or {parameter.name for parameter in COMMANDS[name].params} == named


@pytest.mark.parametrize(("line", "option"), REFUSED, ids=[line for line, _ in REFUSED])
def test_an_option_that_would_do_nothing_is_refused(outcome, line, option):
    code, said, written = outcome(line)
    assert code == 2
    assert option in said
    assert not written


def test_what_stands_in_the_environment_is_not_refused(outcome, monkeypatch):
    monkeypatch.setenv("RNTK_BENCH_CACHE_DIR", "cache")
    assert outcome("show Coffee --results full")[0] == 0


def test_a_configuration_is_named_or_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    common = ("status", "--results", "runs", "--format", "csv", "-d", "Coffee")

    def methods(config):
        done = CliRunner().invoke(main, [*common, "-c", config])
        return done.exit_code, [line.split(",")[1] for line in done.stdout.splitlines()[1:]]

    named = methods("networks-literal")
    assert named == (0, ["rnn-gaussian", "rnn-identity", "gru"])
    (tmp_path / "networks-literal").write_text('[experiment]\nmethods = ["rbf"]\n')
    (tmp_path / "other").write_text('[experiment]\nmethods = ["poly"]\n')
    (tmp_path / "quick").mkdir()
    assert methods("networks-literal") == named
    assert methods("./networks-literal") == (0, ["rbf"])
    assert methods("other") == (0, ["poly"])
    assert methods("quick")[0] == 0
    monkeypatch.setenv("RNTK_BENCH_CONFIG", "networks-literal")
    by_variable = CliRunner().invoke(main, common)
    assert [line.split(",")[1] for line in by_variable.stdout.splitlines()[1:]] == named[1]
    wrong = CliRunner().invoke(main, [*common, "-c", "quik"])
    assert wrong.exit_code == 2
    assert "neither a configuration nor a file named 'quik'; name a TOML file, or one of" in (
        wrong.stderr
    )
