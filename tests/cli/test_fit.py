import io
import stat

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.datasets import load_dataset, locate
from rntk_bench.estimators import KernelClassifier, KernelRegressor, load_model, save_model

TINY = (
    "[svm]\nC = [1, 10]\nn_folds = 3\n[grid.rntk]\nsigma_w = [1.4]\nsigma_b = [0.1]\n"
    "sigma_h = [0.0]\n[grid.ntk]\nn_layers = [1, 2]\nsigma_w = [1.4]\nsigma_b = [0.1]\n"
)


def invoke(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_too_little_memory_is_one_sentence(tmp_path, config, monkeypatch):
    def exhausted(*arguments):
        raise MemoryError("Unable to allocate 1. TiB")

    train = tmp_path / "train.tsv"
    train.write_text("a\t1\t2\nb\t2\t1\na\t1\t3\nb\t3\t1\n")
    monkeypatch.setattr(KernelClassifier, "fit", exhausted)
    outcome = invoke("fit", train, "-o", tmp_path / "model.npz", "-c", config)
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("Error: The memory does not suffice (Unable to allocate")
    assert outcome.stderr.count("\n") == 1


@pytest.fixture
def own(tmp_path, config):
    """Write a training file of two classes and fit a model to it; return its path."""
    rng = np.random.default_rng(0)
    rows = [[c, *(rng.standard_normal(9) + i % 2)] for i, c in enumerate("abababababab")]
    train = tmp_path / "train.tsv"
    train.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    model = tmp_path / "model.npz"
    done = invoke("fit", train, "-o", model, "-c", config, "-q")
    assert (done.exit_code, done.output) == (0, "")
    return model


def test_the_model_of_a_dataset_is_the_benchmarks(tmp_path):
    train, test = locate("ArrowHead").paths
    model, output = tmp_path / "model.npz", tmp_path / "predictions.csv"
    fitted = invoke("fit", train, "-o", model, "-m", "rbf")
    assert fitted.exit_code == 0, fitted.output
    assert "36 series of 251 steps, 3 classes" in fitted.output
    assert "rbf: validation 91.67 % (alpha=5, C=100, 1 tied)" in fitted.output
    predicted = invoke("predict", model, test, "-o", output)
    assert predicted.exit_code == 0, predicted.output
    assert "accuracy 85.14 % (149 of 175)" in predicted.output
    assert predicted.output.splitlines()[-3].split() == ["0", "56", "3", "10"]
    table = pd.read_csv(output)
    y = load_dataset("ArrowHead", download=False).y_test
    assert (table["prediction"] == y).sum() == 149
    np.testing.assert_allclose(table.filter(like="p(").sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("method", ["rntk", "ntk"])
def test_unequal_lengths_and_dimensions(method, tmp_path, config):
    train, test = locate("JapaneseVowels").paths
    model = tmp_path / "vowels.npz"
    fitted = invoke("fit", train, "-o", model, "-m", method, "-c", config)
    assert fitted.exit_code == 0, fitted.output
    assert "270 series of 7 to 26 steps, 9 classes" in fitted.output
    predicted = invoke("predict", model, test)
    if method == "rntk":
        assert predicted.exit_code == 0, predicted.output
        assert float(predicted.stderr.split()[1]) > 90.0
    else:  # one of the test series has 29 steps
        assert predicted.exit_code == 2
        assert "ntk treats series as vectors of the 26 steps" in predicted.stderr
        assert predicted.stderr.count("\n") == 1


def test_csv_to_the_output_and_scores_to_the_error_stream(own, tmp_path):
    labelled = tmp_path / "test.csv"
    labelled.write_text("label,t0,t1,t2\na,0.1,0.2,0.3\nb,1.1,0.8,\n,1,1,1\n")
    done = invoke("predict", own, labelled)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(io.StringIO(done.stdout))
    assert list(table) == ["series", "label", "prediction", "p(a)", "p(b)"]
    assert table["label"].fillna("?").tolist() == ["a", "b", "?"]
    assert done.stderr.startswith("accuracy ")
    assert "of 2; 1 without a label not scored)" in done.stderr


def test_files_without_labels(own, tmp_path):
    plain = tmp_path / "plain.tsv"
    plain.write_text("0.1\t0.2\n1.1\t0.9\n")
    done = invoke("predict", own, plain, "--no-labels")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "series,prediction,p(a),p(b)"
    assert len(done.stdout.splitlines()) == 3
    unlabelled = tmp_path / "plain.csv"
    unlabelled.write_text("t0,t1\n0.1,0.2\n1.1,0.9\n")
    assert invoke("predict", own, unlabelled).stdout == done.stdout


def test_a_seed_and_any_kernel_method(tmp_path, config):
    train, _ = locate("GunPoint").paths
    for method in ("nngp", "rntk-both", "poly"):
        grid = TINY.replace("grid.rntk]", f"grid.{method}]") if method != "poly" else TINY
        config.write_text(grid)
        model = tmp_path / f"{method}.npz"
        done = invoke("fit", train, "-o", model, "-m", method, "-c", config, "--seed", 3, "-j", 1)
        assert done.exit_code == 0, done.output
        loaded = load_model(model)
        assert (loaded.method, loaded.random_state) == (method, 3)


def test_warnings_are_sentences(tmp_path, config):
    train, _ = locate("GunPoint").paths
    config.write_text(TINY.replace("n_folds", "max_iterations = 1\nn_folds"))
    done = invoke("fit", train, "-o", tmp_path / "model.npz", "-c", config)
    assert done.exit_code == 0
    assert "Warning: In 1 settings an SVM stopped at max_iterations=1.\n" in done.stderr


def test_errors_are_one_sentence_and_exit_2(own, tmp_path):
    train = tmp_path / "train.tsv"
    one_class, other_class = tmp_path / "one.tsv", tmp_path / "other.tsv"
    one_class.write_text("a\t1\t2\na\t2\t3\n")
    other_class.write_text("a\t1\t2\nc\t2\t3\n")
    two = tmp_path / "two.ts"
    two.write_text("@classLabel true a b\n@data\n1,2:3,4:a\n")
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, x=np.ones(3))
    regressor = tmp_path / "regressor.npz"
    save_model(KernelRegressor("poly").fit(np.eye(6), np.arange(6.0)), regressor)
    new = tmp_path / "new.npz"
    for arguments, named in (
        (("fit", train), "--output"),
        (("fit", train, "-o", new, "-m", "rnkt"), "did you mean 'rntk'"),
        (("fit", train, "-o", new, "-m", "gru"), "kernels only"),
        (("fit", tmp_path / "none.tsv", "-o", new), "none.tsv cannot be read"),
        (("fit", tmp_path / "none.xlsx", "-o", new), ".csv"),
        (("fit", one_class, "-o", new), "single class 'a'"),
        (("predict", own, other_class), "other.tsv, row 2: the model has no class 'c'"),
        (("predict", own, two), "two.ts, row 3: the series has 2 values per step"),
        (("predict", own, two, "--no-labels"), "omit --no-labels"),
        (("predict", foreign, train), "foreign.npz is not a model"),
        (("predict", regressor, train), "is a KernelRegressor"),
        (("predict", tmp_path / "none.npz", train), "none.npz does not exist"),
    ):
        result = invoke(*arguments)
        assert result.exit_code == 2, result.output
        assert named in result.output
        assert "Traceback" not in result.output
        assert not new.exists()


def test_what_cannot_be_written_is_said_before_the_work(own, tmp_path):
    train = tmp_path / "train.tsv"
    for arguments in (
        ("fit", train, "-o", tmp_path / "none" / "model.npz"),
        ("predict", own, train, "-o", tmp_path / "none" / "out.csv"),
    ):
        result = invoke(*arguments)
        assert result.exit_code == 3
        assert "choose another file with --output" in result.output


def test_a_model_is_not_secret_and_replaced_whole(own, tmp_path):
    before = own.read_bytes()
    assert stat.S_IMODE(own.stat().st_mode) & stat.S_IRUSR
    assert invoke("fit", tmp_path / "train.tsv", "-o", own, "-m", "poly", "-q").exit_code == 0
    assert own.read_bytes() != before
    assert load_model(own).method == "poly"


def test_a_file_name_with_control_characters_takes_one_line(tmp_path):
    path = tmp_path / "my\nfile\x1b[31m.tsv"
    path.write_text("a\t1\t2\na\t2\t3\n")
    done = invoke("fit", path, "-o", tmp_path / "model.npz")
    assert done.exit_code == 2
    assert "my\\nfile\\x1b[31m.tsv has the single class" in done.stderr
    assert done.stderr.count("\n") == 1
    path.write_text("a\t1\t2\nb\t2\t3\na\t1\t1\nb\t3\t3\n")
    done = invoke("fit", path, "-o", tmp_path / "model.npz", "-m", "rbf")
    assert "my\\nfile\\x1b[31m.tsv: 4 series of 2 steps" in done.stdout


def test_a_class_with_a_line_break_takes_one_line(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text('label,t0,t1\n"up\nhill",1,2\nb,2,1\n"up\nhill",1,3\nb,3,1\n')
    assert invoke("fit", path, "-o", tmp_path / "model.npz", "-m", "rbf").exit_code == 0
    done = invoke("predict", tmp_path / "model.npz", path)
    assert len(done.stderr.splitlines()) == 5
    assert "up\\nhill" in done.stderr
    assert pd.read_csv(io.StringIO(done.stdout))["label"].tolist() == ["up\nhill", "b"] * 2


def test_only_an_empty_label_and_a_question_mark_are_not_scored(tmp_path):
    series = ["1,2,0", "0,2,1", "1,1,0", "0,1,2"]
    names = ["None", "NA", "None", "NA"]
    rows = [f"{name},{x}" for name, x in zip(names, series, strict=True)]
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("\n".join(["label,t0,t1,t2", *rows]))
    test.write_text("\n".join(["label,t0,t1,t2", *rows, f"?,{series[0]}", f",{series[1]}", ",,,"]))
    assert invoke("fit", train, "-o", tmp_path / "model.npz", "-m", "rbf").exit_code == 0
    done = invoke("predict", tmp_path / "model.npz", test)
    assert done.exit_code == 0, done.output
    assert "of 4; 2 without a label not scored)" in done.stderr
    assert done.stdout.splitlines()[0] == "series,label,prediction,p(NA),p(None)"
    assert len(done.stdout.splitlines()) == 7
