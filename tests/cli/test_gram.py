import os

import numpy as np
import pytest
from click.testing import CliRunner

from rntk_bench import NTK, RNTK, MultiscaleRNTK
from rntk_bench.cli import main
from rntk_bench.datasets import InputScaling
from rntk_bench.datasets.readers import read_split
from rntk_bench.storage.locks import output_lock
from rntk_bench.user_data import large_gram


@pytest.fixture
def files(tmp_path):
    """Two files of labelled series, 12 and 7 of length 9."""
    rng = np.random.default_rng(0)
    paths = []
    for name, n in (("a", 12), ("b", 7)):
        rows = np.column_stack([np.arange(n) % 2, rng.standard_normal((n, 9))])
        paths.append(tmp_path / f"{name}.tsv")
        np.savetxt(paths[-1], rows, delimiter="\t")
    return paths


def gram(*arguments):
    return CliRunner().invoke(main, ["gram", *map(str, arguments)], catch_exceptions=False)


def test_the_file_is_the_gram_of_the_kernel_with_its_own_defaults(files, tmp_path):
    outcome = gram(files[0], "-o", tmp_path / "gram.npy")
    assert outcome.exit_code == 0, outcome.output
    assert "12 x 12" in outcome.stdout
    X = InputScaling("unit-norm")(np.stack(read_split(files[0]).series))
    np.testing.assert_allclose(np.load(tmp_path / "gram.npy"), RNTK()(X), rtol=1e-13)


def test_parameters_and_two_files_as_they_are(files, tmp_path):
    path = tmp_path / "gram.npy"
    options = ("-m", "ntk", "--set", "n_layers=3", "--set", "sigma_b=0.5", "--as-is", "-q")
    outcome = gram(*files, "-o", path, *options, "--memory-limit", "1GiB")
    assert outcome.exit_code == 0, outcome.output
    assert outcome.output == ""
    X, Y = (np.stack(read_split(file).series) for file in files)
    expected = NTK(n_layers=3, sigma_b=0.5)(X, Y)
    np.testing.assert_allclose(np.load(path), expected, rtol=1e-13)


def test_a_method_keeps_what_its_grid_fixes(files, tmp_path):
    outcome = gram(files[0], "-o", tmp_path / "gram.npy", "-m", "rntk-avg")
    assert "pooling='average'" in outcome.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--set", "sigma_x=1"], "must be NAME=VALUE with a NAME among sigma_w"),
        (["--set", "sigma_w"], "must be NAME=VALUE"),
        (["--set", "sigma_w=1", "--set", "sigma_w=2"], "--set sigma_w is given twice"),
        (["--set", "sigma_w=-1"], "at least 0|finite number >= 0"),
        (["--set", "n_layers=two"], "integers"),
        (["-m", "gru"], "takes kernels only"),
        (["-m", "nothing"], "no method 'nothing'"),
        (["--memory-limit", "1KiB"], "memory limit is 1.0 KiB"),
    ],
)
def test_what_cannot_be_is_one_sentence(files, tmp_path, options, sentence):
    outcome = gram(files[0], "-o", tmp_path / "gram.npy", *options)
    assert outcome.exit_code == 2
    assert outcome.stderr.count("\n") == 1
    assert np.any([part in outcome.stderr for part in sentence.split("|")]), outcome.stderr


def test_a_missing_file_or_folder_is_one_sentence(files, tmp_path):
    assert gram(tmp_path / "none.tsv", "-o", tmp_path / "gram.npy").exit_code == 2
    outcome = gram(files[0], "-o", tmp_path / "none" / "gram.npy")
    assert outcome.exit_code == 3
    assert "Cannot write" in outcome.stderr


@pytest.mark.parametrize("link", ["itself", "symbolic", "hard"])
def test_an_output_that_is_an_input_is_refused(files, tmp_path, link):
    output = tmp_path / "link.npy"
    if link == "itself":
        output = files[1]
    elif link == "symbolic":
        output.symlink_to(files[1])
    else:
        output.hardlink_to(files[1])
    before = files[1].read_bytes()
    outcome = gram(*files, "-o", output)
    assert outcome.exit_code == 2
    assert outcome.stderr == (
        f"Error: {output} would be overwritten, but the command reads it; choose another output.\n"
    )
    assert files[1].read_bytes() == before


def test_an_output_that_is_a_folder_is_refused(files, tmp_path):
    outcome = gram(files[0], "-o", tmp_path)
    assert outcome.exit_code == 2
    assert "is a directory" in outcome.stderr


def test_two_commands_do_not_mix_their_grams(files, tmp_path):
    path = tmp_path / "gram.npy"
    with output_lock(path):
        outcome = gram(files[0], "-o", path)
    assert outcome.exit_code == 3
    assert outcome.stderr.startswith(f"Error: Process {os.getpid()} is writing {path}; ")
    assert outcome.stderr.count("\n") == 1
    assert not path.exists()


def test_a_gram_that_overflows_leaves_no_file(files, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    outcome = gram(files[0], "-o", folder / "gram.npy", "--set", "sigma_w=1e200")
    assert outcome.exit_code == 2
    assert "float64" in outcome.stderr
    assert not list(folder.iterdir())


def test_too_little_memory_is_one_sentence(files, tmp_path, monkeypatch):
    def exhausted(*arguments):
        raise MemoryError("Unable to allocate 1. TiB")

    monkeypatch.setattr(large_gram, "_compute_tile", exhausted)
    outcome = gram(files[0], "-o", tmp_path / "gram.npy", "-j", 1)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: The memory does not suffice (Unable to allocate")


def test_inputs_and_relative_parameters_may_be_set(files, tmp_path):
    path = tmp_path / "gram.npy"
    options = ("--set", "input=raw", "--set", "memory=0.5", "--set", "bandwidth=half")
    outcome = gram(*files, "-o", path, "-m", "rntk-shared", *options)
    assert outcome.exit_code == 0, outcome.output
    X, Y = (np.stack(read_split(file).series) for file in files)
    rms = np.sqrt((X**2).mean())
    sigma_w = np.sqrt(2) * np.exp(-1 / 9)
    kernel = RNTK(sigma_w, sigma_b=0.3, pooling="shared", bandwidth=5 / 9)
    np.testing.assert_allclose(np.load(path), kernel(X / rms, Y / rms), rtol=1e-12)


def test_without_settings_series_are_scaled_as_the_method_prefers(files, tmp_path):
    path = tmp_path / "gram.npy"
    assert gram(files[0], "-o", path, "-m", "rntk-shared").exit_code == 0
    X = InputScaling("z")(np.stack(read_split(files[0]).series))
    sigma_w = np.sqrt(2) * np.exp(-1 / 2)
    expected = RNTK(sigma_w, sigma_b=0.3, pooling="shared", bandwidth=0.5)(X)
    np.testing.assert_allclose(np.load(path), expected, rtol=1e-12)
    outcome = gram(files[0], "-o", path, "-m", "rntk-shared", "--as-is")
    assert outcome.exit_code == 2
    assert "--set input=NAME; leave it out" in outcome.stderr


def test_a_multiscale_kernel_is_fitted_to_the_first_file(files, tmp_path):
    X, Y = (np.stack(read_split(file).series) for file in files)
    kernel, expected = MultiscaleRNTK().fit(X)
    path = tmp_path / "gram.npy"
    assert gram(files[0], "-o", path, "-m", "rntk-multiscale").exit_code == 0
    np.testing.assert_allclose(np.load(path), expected, rtol=1e-12)
    assert gram(*files, "-o", path, "-m", "rntk-multiscale").exit_code == 0
    np.testing.assert_allclose(np.load(path), kernel(X, Y), rtol=1e-12)
