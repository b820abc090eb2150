"""Generated and mutated inputs: exit code 0 or 2 with one clear sentence, in bounded memory."""

import resource
import shutil
import time

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rntk_bench.cli import main
from rntk_bench.datasets.csv_series import read_column, read_prices
from rntk_bench.errors import DataError
from tests.faults.conftest import DRAWN_ANEW, scaled
from tests.paths import CONFIGS

MORE_MEMORY = 1 << 29
"""Bytes that all inputs together may add to what the process has ever used."""
SECONDS = 20.0
"""Of the processor, for one input; hundreds of times what a good one takes."""

fuzzed = settings(
    max_examples=scaled(500),
    deadline=None,
    derandomize=not DRAWN_ANEW,
    database=None,
    suppress_health_check=list(HealthCheck),
)

TOKENS = [
    *(
        b"\t",
        b",",
        b":",
        b"\n",
        b"\r\n",
        b" ",
        b'"',
        b"'",
        b"=",
        b"[",
        b"]",
        b"{",
        b"}",
        b"#",
        b".",
    ),
    *(b"nan", b"inf", b"-inf", b"?", b"1e400", b"-1e308", b"5e-324", b"0", b"-0", b"1_0", b"0x1f"),
    *(b"1e999999", b"9" * 400, b"18446744073709551616", b"true", b"@data\n", b"@timestamps true\n"),
    *(b"@classLabel true 0 1\n", b"\0", b"\xff", b"\xef\xbb\xbf", "٣é\u2028".encode(), b"a" * 300),
    *(b"2020-01-01", b"0000-00-00", b"2020-01-01T00:00+02:00", b"Close", b"Date", b"[grid.rbf]\n"),
    *(b"n_layers = [1000000000]\n", b"alpha = [0]\n", b"C = [-1]\n", b"tolerance = inf\n"),
]


@st.composite
def mutated(draw, *bases):
    """One of the bases after a few cuts, copies, replacements and insertions; or anything."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=300))
    text = bytearray(draw(st.sampled_from(bases)))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 40)))
        token = draw(st.sampled_from(TOKENS) | st.binary(max_size=4))
        kind = draw(st.sampled_from(["cut", "copy", "replace", "insert"]))
        if kind == "copy":
            token = bytes(text[start:stop]) * draw(st.integers(1, 3))
        text[start : start if kind in ("insert", "copy") else stop] = (
            b"" if kind == "cut" else token
        )
    return bytes(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(autouse=True)
def memory():
    """What all inputs of a test together may use."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) * 1024 < MORE_MEMORY


def invoke(*arguments, codes=(0, 2)):
    """Run the command; the answer must be one of those that are promised."""
    started = time.process_time()
    outcome = CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)
    assert time.process_time() - started < SECONDS
    assert outcome.exit_code in codes, outcome.output
    if outcome.exit_code == 2:
        # Click's own answers to bad options begin with the usage.
        (sentence,) = outcome.stderr.splitlines()
        assert sentence.endswith((".", "!", "?", ")")), sentence
        assert len(sentence) < 1000
    return outcome


ROWS = [(i % 2, [round((i * 37 + t * 11) % 17 / 7 - 1, 3) for t in range(6)]) for i in range(8)]
TSV = "".join("\t".join(map(str, [label, *x])) + "\n" for label, x in ROWS).encode()
PADDED = TSV.replace(b"\n", b"\tNaN\tNaN\n")
COMMAS = TSV.replace(b"\t", b",")
TS = b"@problemName Fuzz\n@timestamps false\n@classLabel true 0 1\n@data\n" + b"".join(
    f"{','.join(map(str, x))}:{label}\n".encode() for label, x in ROWS
)
PLANES = TS.replace(b":", b":1,2,3,4,5,6:")
QUICK = "[svm]\nn_folds = 2\nC = [1]\n[grid.rbf]\nalpha = [1]\n[grid.rntk]\nsigma_w = [1.4]\n"
SMALL = "sigma_b = [0.1]\nsigma_h = [0.0]\n"


def benchmark(folder, suffix, content):
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    (data / "Fuzz").mkdir(parents=True)
    (data / "Fuzz" / f"Fuzz_TRAIN{suffix}").write_bytes(content)
    (data / "Fuzz" / f"Fuzz_TEST{suffix}").write_bytes(TS if suffix == ".ts" else TSV)
    (folder / "quick.toml").write_text(QUICK + SMALL)
    shutil.rmtree(folder / "results", ignore_errors=True)
    return invoke(
        *("run", "-d", "Fuzz", "-m", "rbf", "-m", "rntk", "-c", folder / "quick.toml", "-j", 1),
        *("--data-dir", data, "--results", folder / "results", "--no-cache"),
    )


@fuzzed
@given(mutated(TSV, PADDED, COMMAS))
def test_tsv(folder, content):
    benchmark(folder, ".tsv", content)


@fuzzed
@given(mutated(TS, PLANES))
def test_ts(folder, content):
    benchmark(folder, ".ts", content)


CSV = b"Date,Close,Note\n" + b"".join(
    f"2020-01-{day:02},{100 + day * 7 % 5},\n".encode() for day in range(1, 29)
)
QUOTED = CSV.replace(b"Note\n", b'"No, te"\n').replace(b",\n", b',"a\nb"\n')


@fuzzed
@given(mutated(CSV, QUOTED, CSV.replace(b"\n", b"\r\n")))
def test_csv(folder, content):
    path = folder / "own.csv"
    path.write_bytes(content)
    for read in (lambda: read_prices(path), lambda: read_column(path, "Close")):
        started = time.process_time()
        values, said = [], "."
        try:
            values = list(read())
        except DataError as error:
            said = str(error)
        assert said.endswith(".")
        assert "\n" not in said
        assert all(abs(value) < float("inf") for value in values)
        assert time.process_time() - started < SECONDS


@settings(fuzzed, max_examples=scaled(10))
@given(mutated(CSV))
def test_regress_csv(folder, content):
    path = folder / "own.csv"
    path.write_bytes(content)
    common = ("-c", folder / "quick.toml", "-m", "rbf", "--out", folder / "out")
    (folder / "quick.toml").write_text(QUICK)
    invoke("regress", "csv", path, "--column", "Close", "--length", 3, *common)


TOML = [path.read_bytes() for path in sorted(CONFIGS.glob("*.toml"))]
TINY = f"""[experiment]
name = "fuzz"
datasets = ["Fuzz"]
methods = ["rbf", "rntk"]
seed = 0
{QUICK}{SMALL}[network]
max_epochs = 2
n_folds = 2
"""


VALUES = [
    *("inf", "-inf", "nan", "-1", "0", "0.0", "2", "3.5", "1e308", "5e-324", "9" * 30, "true"),
    *('""', '"nan"', '"rbf"', '"../x"', '"\\u0000"', '"relu"', '"both"', "[]", "[[1]]", "{a = 1}"),
    *("1979-05-27", "[1]", "[0.5, 0.5]", "[inf]", "[-1]", "[1e200]", '["a", 1]', '["rbf", "rbf"]'),
    *("[100000000]", f"[{'9' * 30}]", str(list(range(200))), "[1e-300]", "[true]", '["erf"]'),
]
TABLES = {
    "experiment": ["name", "datasets", "methods", "seed"],
    "svm": ["C", "n_folds", "tolerance", "max_iterations"],
    "network": [
        *("n_folds", "max_epochs", "patience", "batch_size", "decay", "epsilon"),
        *("input", "criterion", "clip", "final"),
    ],
    "grid.rbf": ["alpha", "beta"],
    "grid.rntk": ["sigma_w", "sigma_b", "sigma_h", "sigma_u", "sigma_v", "n_layers", "activation"],
    "grid.ntk": ["n_layers", "sigma_w"],
    "grid.poly": ["degree", "r"],
    "grid.gru": ["width", "n_layers", "learning_rate"],
}


@st.composite
def configurations(draw):
    """Tables of an experiment with values of every kind in their keys."""
    text = ""
    for table in draw(st.lists(st.sampled_from(list(TABLES)), unique=True, max_size=3)):
        keys = draw(st.lists(st.sampled_from(TABLES[table]), unique=True, max_size=2))
        lines = [f"{key} = {draw(st.sampled_from(VALUES))}" for key in keys]
        text += "\n".join([f"[{table}]", *lines, ""])
    if "grid.rntk" not in text:
        text += "[grid.rntk]\nsigma_w = [1.4]\n"
    for key in ("sigma_w", "sigma_b", "sigma_h"):
        if f"\n{key} =" not in text.partition("[grid.rntk]")[2]:
            text = text.replace("[grid.rntk]", f"[grid.rntk]\n{key} = [1.0]")
    return text.encode()


def configure(folder, content, methods, codes=(0, 2)):
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    (data / "Fuzz").mkdir(parents=True)
    for split in ("TRAIN", "TEST"):
        (data / "Fuzz" / f"Fuzz_{split}.tsv").write_bytes(TSV)
    path = folder / "fuzz.toml"
    path.write_bytes(content)
    shutil.rmtree(folder / "results", ignore_errors=True)
    return invoke(
        *("run", "-c", path, "-d", "Fuzz", *methods, "-j", 1, "-q", "--no-cache"),
        *("--data-dir", data, "--results", folder / "results"),
        codes=codes,
    )


@settings(fuzzed, max_examples=scaled(250))
@given(mutated(TINY.encode(), TINY.encode(), *TOML))
def test_toml(folder, content):
    configure(folder, content, ("-m", "rbf", "-m", "poly"))


@settings(fuzzed, max_examples=scaled(250))
@given(configurations())
def test_configurations(folder, content):
    outcome = configure(folder, content, ("-m", "rntk", "-m", "rbf"), codes=(0, 1, 2))
    if outcome.exit_code == 1:  # it may be asked for what cannot be computed
        assert "can be used on Fuzz: the Gram" in outcome.stderr
