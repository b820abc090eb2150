from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix

from rntk_bench.datasets import load_dataset
from rntk_bench.datasets.readers import Split
from rntk_bench.errors import DataError
from rntk_bench.estimators import KernelClassifier, load_model, save_model
from rntk_bench.user_data.classifier import name_classes, predict_split, training_set


def split(labels, series=None, labelling="partial"):
    found = Split(Path("own.tsv"), labelling=labelling)
    for row, label in enumerate(labels, start=1):
        x = np.arange(4.0) + row if series is None else np.asarray(series[row - 1])
        found.append(row, label, x if x.ndim == 2 else x[:, None])
    return found


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["1", "2.0", "10", "1e1"], ["1", "2", "10", "10"]),
        (["-1", "1", "-1.0", "1"], ["-1", "1", "-1", "1"]),
        (["10.5", "2", "0.5", "2"], ["10.5", "2", "0.5", "2"]),
        (["01", "a", "1", "a"], ["01", "a", "1", "a"]),
        (["None", "nan", "None", "nan"], ["None", "nan", "None", "nan"]),
    ],
)
def test_classes_are_texts_and_numbers_among_them_sorted_by_value(labels, expected):
    X, codes, classes = training_set(split(labels))
    assert [classes[code] for code in codes] == expected
    assert X.shape == (4, 4)


def test_lengths_are_kept():
    X, _, _ = training_set(split("ab", [np.ones(3), np.ones(5)]))
    assert [len(x) for x in X] == [3, 5]


def test_one_class_and_several_dimensions_are_refused():
    with pytest.raises(DataError, match="single class 'a'"):
        training_set(split("aa"))
    with pytest.raises(DataError, match="row 2: the series has dimension 2"):
        training_set(split("ab", [np.ones((3, 1)), np.ones((3, 2))]))


def test_predictions_are_scored_as_scikit_learn_does():
    dataset = load_dataset("ArrowHead", download=False)
    model = KernelClassifier("rbf").fit(dataset.X_train, dataset.y_train)
    labels = [str(c) for c in dataset.y_test]
    labels[:3] = ["?", "?", "1.0"]
    found = predict_split(model, split(labels, dataset.X_test))
    y, predicted = dataset.y_test[2:].copy(), model.predict(dataset.X_test)
    y[0] = 1
    assert found.n_known == len(y)
    assert found.n_correct / found.n_known == pytest.approx(accuracy_score(y, predicted[2:]))
    np.testing.assert_array_equal(found.confusion, confusion_matrix(y, predicted[2:]))
    table = found.table
    assert list(table) == ["series", "label", "prediction", "p(0)", "p(1)", "p(2)"]
    assert table["prediction"].tolist() == [str(c) for c in predicted]
    assert table["label"].isna().tolist() == [True, True] + [False] * 173
    np.testing.assert_array_equal(table.filter(like="p("), model.predict_proba(dataset.X_test))


def fitted(labels="abab"):
    grid = {"sigma_w": 1.4, "sigma_b": 0.1, "sigma_h": 0.0}
    series = np.random.default_rng(0).standard_normal((len(labels), 5))
    X, codes, classes = training_set(split(labels, series))
    model = KernelClassifier(grid=grid, n_folds=2).fit(X, codes)
    name_classes(model, classes)
    return model


def test_a_file_without_labels_has_no_score():
    found = predict_split(fitted(), split("??"))
    assert list(found.table) == ["series", "prediction", "p(a)", "p(b)"]
    assert found.n_known == 0


@pytest.mark.parametrize(
    ("labels", "unknown"), [("abab", "c"), (["1", "2"] * 2, "x"), (["1", "2"] * 2, "3")]
)
def test_a_label_that_the_model_does_not_know_is_named(labels, unknown):
    with pytest.raises(DataError, match=rf"own.tsv, row 2: the model has no class '{unknown}'"):
        predict_split(fitted(labels), split([labels[0], unknown]))


def test_another_dimension_is_named():
    with pytest.raises(DataError, match=r"own.tsv, row 1: the series has 2 values per step"):
        predict_split(fitted(), split("a", [np.ones((3, 2))]))


@pytest.mark.parametrize(
    "labels",
    [["10.5", "2.5"] * 2, ["1_1", "11"] * 2, ["007", "7"] * 2, ["9" * 30, "9" * 29 + "8"] * 2],
)
def test_predictions_are_named_as_the_labels(labels, tmp_path):
    save_model(fitted(labels), tmp_path / "model.npz")
    found = predict_split(load_model(tmp_path / "model.npz"), split(labels))
    assert found.table["label"].tolist() == labels
    assert set(found.table["prediction"]) <= set(labels)
    assert found.n_known == 4


def test_the_gram_of_the_series_is_computed_once(monkeypatch):
    model = fitted("abcabc")
    called = []
    gram = model._gram_with_training_series
    monkeypatch.setattr(model, "_gram_with_training_series", lambda X: called.append(X) or gram(X))
    found = predict_split(model, split("abc", np.eye(3, 5)))
    assert len(called) == 1
    monkeypatch.undo()
    assert found.table["prediction"].tolist() == model.predict(list(np.eye(3, 5))).tolist()


@pytest.mark.parametrize(
    "classes", [np.array(["1", "1.0"]), np.array([0.5, 1.0]), np.array([1, 7])]
)
def test_classes_of_a_model_that_was_fitted_in_python_keep_their_names(classes):
    model = fitted("abab")
    model.classes_ = classes
    labels = list(map(str, classes.tolist()))
    found = predict_split(model, split(labels))
    assert found.table["label"].tolist() == labels
    assert set(found.table["prediction"]) <= set(labels)
