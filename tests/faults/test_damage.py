"""Damaged and foreign files: never a traceback, never a wrong number, made anew where possible."""

import os
import pickle
import re
import shutil
from zipfile import ZipFile

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.datasets import ARCHIVE, download
from rntk_bench.storage.records import read_records
from tests.faults import process_harness
from tests.faults.conftest import SEED, scaled, write_dataset

CASES = scaled(67)
"""In each of three folders."""
CONFIG = """
[experiment]
datasets = ["A", "B", "Beef"]
methods = ["rntk", "rbf"]
[svm]
n_folds = 3
C = [1, 10]
[grid.rntk]
sigma_w = [1.4]
sigma_b = [0.0, 0.1]
sigma_h = [0.0]
[grid.rbf]
alpha = [1, 10]
"""


class Trap:
    """Makes the folder `sprung` where it is unpickled."""

    def __init__(self, sprung):
        self.sprung = sprung

    def __reduce__(self):
        return os.mkdir, (str(self.sprung),)


def truncated(content, rng, _):
    return content[: rng.integers(len(content))]


def zeroed(content, rng, _):
    start, stop = np.sort(rng.integers(len(content) + 1, size=2))
    return content[:start] + bytes(stop - start) + content[stop:]


def flipped(content, rng, _):
    changed = bytearray(content)
    for position in rng.integers(len(content), size=rng.integers(1, 9)):
        changed[position] ^= 1 << rng.integers(8)
    return bytes(changed)


def foreign(content, rng, folder):
    return [
        b"",
        b"\x89PNG\r\n\x1a\n" + rng.bytes(200),
        rng.bytes(len(content)),
        b"[" * 20_000,
        b'{"schema": 1}',
        b"# a note\n",
        pickle.dumps(Trap(folder / "sprung")),
        content + content,
    ][rng.integers(8)]


DAMAGES = (truncated, zeroed, flipped, foreign)


def invoke(folder, *arguments):
    command = (
        *(*arguments, "-c", folder / "plan.toml", "--results", folder / "results"),
        *(("--data-dir", folder / "data", "--cache-dir", folder / "cache", "-j", 1)),
    )
    return CliRunner().invoke(main, [str(a) for a in command], catch_exceptions=False)


@pytest.fixture
def mirror(tmp_path_factory, monkeypatch):
    """Beef can be downloaded, without a network."""
    source = tmp_path_factory.mktemp("mirror")
    entry = ARCHIVE["Beef"]
    rng = np.random.default_rng(0)
    with ZipFile(source / "Beef.zip", "w") as archive:
        for split, n in (("TRAIN", entry.n_train), ("TEST", entry.n_test)):
            rows = [
                "\t".join(map(str, [1 + i % 5, *rng.random(entry.length).round(3).tolist()]))
                for i in range(n)
            ]
            archive.writestr(f"Beef_{split}.tsv", "\n".join(rows))
    monkeypatch.setenv("RNTK_BENCH_MIRROR", source.as_uri())
    monkeypatch.setattr(download, "PAUSES_S", (0.0,))


@pytest.fixture
def whole(tmp_path, mirror):
    """A folder with data, results, Grams and a download, and what its records say."""
    folder = tmp_path / "whole"
    write_dataset(folder / "data", "A")
    write_dataset(folder / "data", "B", n=12, length=9)
    for path in list((folder / "data" / "B").iterdir()):
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        text = "".join(f"{','.join(values)}:{label}\n" for label, *values in rows)
        path.with_suffix(".ts").write_text(f"@classLabel true 0 1\n@data\n{text}")
        path.unlink()
    (folder / "plan.toml").write_text(CONFIG)
    outcome = invoke(folder, "run")
    assert outcome.exit_code == 0, outcome.output
    assert (
        len(process_harness.files(folder / "cache")) == 3 + 3
    )  # Grams; two splits and their digests
    return folder, recorded(folder)


def recorded(folder):
    """What the records say, but for whether a dataset was downloaded just now."""
    return {
        name: text.replace('"source": "download"', '"source": "cache"')
        for name, text in process_harness.records(folder / "results").items()
    }


def damage(folder, place, rng):
    """Damage one file, or put something else in its place, and return its path."""
    files = sorted(path for path in (folder / place).rglob("*") if path.is_file())
    path = files[rng.integers(len(files))]
    content = path.read_bytes()
    if rng.random() < 0.06:
        path.unlink()
        path.mkdir()
    elif rng.random() < 0.06:
        path.unlink()
        path.symlink_to(path)
    else:
        path.write_bytes(DAMAGES[rng.integers(len(DAMAGES))](content, rng, folder))
    return path


def assert_said(outcome, codes):
    assert outcome.exit_code in codes, outcome.output
    for line in outcome.stderr.splitlines():
        assert line.strip(), outcome.output


@pytest.mark.parametrize("place", ["cache", "results", "data"])
def test_damaged_files(whole, tmp_path, place):
    pristine, expected = whole
    rng = np.random.default_rng([SEED, len(place)])
    noticed = 0
    for case in range(CASES):
        folder = tmp_path / "case"
        shutil.copytree(pristine, folder)
        path = damage(folder, place, rng)
        if place == "results":
            found, problems = read_records(folder / "results")
            noticed += len(problems)
            assert_said(invoke_table(folder), (0, 2))
            whole_again = {f"{record.dataset}/{record.method}" for record in found}
            assert len(found) + len(problems) == 6 or path.is_symlink(), (case, path)
            assert len(whole_again) == len(found)
        outcome = invoke(folder, "run", "--overwrite", "always" if place == "cache" else "missing")
        assert_said(outcome, (0, 2) if place == "data" else (0,) if path.is_file() else (0, 2, 3))
        assert not (folder / "sprung").exists()
        agree(recorded(folder), expected, place, outcome)
        noticed += "damaged" in outcome.stderr
        shutil.rmtree(folder)
    if place != "data":
        assert noticed > CASES // 4


def invoke_table(folder):
    command = ["table", "--results", str(folder / "results"), "--no-paper"]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def agree(found, expected, place, outcome):
    """What is recorded is what the data say."""
    if outcome.exit_code == 0:
        assert found.keys() == expected.keys()
    for name, text in found.items():
        if text != expected[name]:
            # Other numbers come from other data only, and say so.
            assert place == "data", name
            assert fingerprint(text) != fingerprint(expected[name])


def fingerprint(record):
    return re.search('"fingerprint": "([0-9a-f]{64})"', record)[1]
