import io

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.datasets import load_dataset, locate
from rntk_bench.estimators import (
    KernelClassifier,
    KernelRegressor,
    MultiscaleRNTKClassifier,
    save_model,
)


def invoke(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


def test_the_model_of_a_dataset_is_the_benchmarks(tmp_path):
    train, test = locate("ArrowHead").paths
    model, output = tmp_path / "model.npz", tmp_path / "predictions.csv"
    fitted = invoke("fit", train, "-o", model, "-m", "rbf")
    assert fitted.exit_code == 0, fitted.output
    assert "36 series of 251 steps, 3 classes" in fitted.output
    assert "rbf: validation 92.50 % (alpha=10, C=10, 2 tied)" in fitted.output
    predicted = invoke("predict", model, test, "-o", output)
    assert predicted.exit_code == 0, predicted.output
    assert "accuracy 82.29 % (144 of 175)" in predicted.output
    assert predicted.output.splitlines()[-3].split() == ["0", "53", "3", "13"]
    table = pd.read_csv(output)
    y = load_dataset("ArrowHead", download=False).y_test
    assert (table["prediction"] == y).sum() == 144
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


def test_csv_to_the_output_and_scores_to_the_error_stream(user_model, tmp_path):
    labelled = tmp_path / "test.csv"
    labelled.write_text("label,t0,t1,t2\na,0.1,0.2,0.3\nb,1.1,0.8,\n,1,1,1\n")
    done = invoke("predict", user_model, labelled)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(io.StringIO(done.stdout))
    assert list(table) == ["series", "label", "prediction", "p(a)", "p(b)"]
    assert table["label"].fillna("?").tolist() == ["a", "b", "?"]
    assert done.stderr.startswith("accuracy ")
    assert "of 2; 1 without a label not scored)" in done.stderr


def test_files_without_labels(user_model, tmp_path):
    plain = tmp_path / "plain.tsv"
    plain.write_text("0.1\t0.2\n1.1\t0.9\n")
    done = invoke("predict", user_model, plain, "--no-labels")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "series,prediction,p(a),p(b)"
    assert len(done.stdout.splitlines()) == 3
    unlabelled = tmp_path / "plain.csv"
    unlabelled.write_text("t0,t1\n0.1,0.2\n1.1,0.9\n")
    assert invoke("predict", user_model, unlabelled).stdout == done.stdout


def test_errors_are_one_sentence_and_exit_2(user_model, tmp_path):
    train = tmp_path / "train.tsv"
    other_class = tmp_path / "other.tsv"
    other_class.write_text("a\t1\t2\nc\t2\t3\n")
    two = tmp_path / "two.ts"
    two.write_text("@classLabel true a b\n@data\n1,2:3,4:a\n")
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, x=np.ones(3))
    regressor = tmp_path / "regressor.npz"
    save_model(KernelRegressor("poly").fit(np.eye(6), np.arange(6.0)), regressor)
    vector, long = tmp_path / "vector.npz", tmp_path / "long.tsv"
    save_model(KernelClassifier("poly", n_folds=2).fit(np.eye(6), [0, 1] * 3), vector)
    long.write_text("0" + "\t1.5" * 7 + "\n")
    for arguments, named in (
        ((vector, long), "long.tsv: Series 0 (counted from 0) has 7 steps"),
        ((user_model, other_class), "other.tsv, row 2: the model has no class 'c'"),
        ((user_model, two), "two.ts, row 3: the series has 2 values per step"),
        ((user_model, two, "--no-labels"), "omit --no-labels"),
        ((foreign, train), "foreign.npz is not a model"),
        ((regressor, train), "is a KernelRegressor"),
        ((tmp_path / "none.npz", train), "none.npz does not exist"),
    ):
        result = invoke("predict", *arguments)
        assert result.exit_code == 2, result.output
        assert named in result.output
        assert "Traceback" not in result.output


def test_what_cannot_be_written_is_said_before_the_work(user_model, tmp_path):
    output = tmp_path / "none" / "out.csv"
    result = invoke("predict", user_model, tmp_path / "train.tsv", "-o", output)
    assert result.exit_code == 3
    assert "choose another file with --output" in result.output


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


def test_a_multiscale_classifier_predicts_too(tmp_path):
    data = load_dataset("GunPoint", download=False)
    labels = np.array(data.classes)[data.y_train]
    save_model(MultiscaleRNTKClassifier().fit(data.X_train, labels), tmp_path / "model.npz")
    (path,) = (path for path in locate("GunPoint").paths if "TEST" in path.name)
    outcome = CliRunner().invoke(main, ["predict", str(tmp_path / "model.npz"), str(path)])
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stderr.startswith("accuracy 98.67 % (148 of 150)")
