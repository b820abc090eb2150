import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score

from rntk_bench.estimators import KernelClassifier, load_model, save_model
from rntk_bench.estimators.sktime_adapters import PanelClassifier

rng = np.random.default_rng(0)
code = np.arange(24) % 2
X = np.sin(np.arange(10) * (0.4 + 0.5 * code[:, None])) + 0.1 * rng.standard_normal((24, 10))
MODEL = KernelClassifier("rbf", grid={"alpha": [1.0, 3.0]}, n_folds=3)


def objects(zero, one):
    found = np.empty(len(code), dtype=object)
    found[:] = [one if each else zero for each in code]
    return found


LABELS = {
    "fractions": np.where(code, 1.5, 0.5),
    "list of fractions": np.where(code, 1.5, 0.5).tolist(),
    "single precision": np.where(code, 0.2, 0.1).astype("f4"),
    "objects of integers": objects(1, 2),
    "objects of fractions": objects(0.5, 1.5),
    "objects of booleans": objects(False, True),
    "booleans": code == 1,
    "categories": pd.Categorical(np.where(code, "b", "a"), categories=["b", "a"]),
    "categories of fractions": pd.Series(objects(0.5, 1.5)).astype("category"),
    "text of pandas": pd.Series(np.where(code, "b", "a"), dtype="string"),
    "text of numpy": np.where(code, "b", "a").astype(np.dtypes.StringDType()),
    "text that float would merge": np.where(code, "1_1", "11"),
    "leading zeros": np.where(code, "001", "1"),
    "more digits than a float has": objects(2**53, 2**53 + 1),
    "more digits than an integer has": objects(2**70, 2**70 + 1),
}


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
def test_labels_of_any_type_are_classes_as_they_are(y, tmp_path):
    model = MODEL.fit(X, y)
    predicted = model.predict(X)
    assert len(model.classes_) == 2
    assert all(a == b for a, b in zip(predicted.tolist(), list(y), strict=True))
    assert model.score(X, y) == 1.0
    assert model.score(X[:1], list(y)[:1]) == 1.0
    if "integer has" not in str([name for name, each in LABELS.items() if each is y]):
        save_model(model, tmp_path / "model.npz")
        assert load_model(tmp_path / "model.npz").predict(X).tolist() == predicted.tolist()


def test_scores_of_fractions_go_through_scikit_learns_tools_and_sktime():
    y = LABELS["fractions"]
    np.testing.assert_array_equal(cross_val_score(MODEL, X, y, cv=3), 1.0)
    assert PanelClassifier(MODEL).fit(X[:, None], y).score(X[:, None], y) == 1.0


def test_a_score_is_the_weighted_fraction_of_right_predictions():
    model = MODEL.fit(X, LABELS["fractions"])
    wrong = LABELS["fractions"].copy()
    wrong[0] = 1.5
    assert model.score(X, wrong) == pytest.approx(23 / 24)
    assert model.score(X, wrong, sample_weight=np.eye(24)[0]) == 0.0
    with pytest.raises(ValueError, match="y holds text, but the classifier was fitted to numbers"):
        model.score(X, np.where(code, "b", "a"))
    with pytest.raises(ValueError, match="inconsistent"):
        model.score(X, wrong[:3])


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (rng.standard_normal(24), "Unknown label type: continuous. All 24 values of y differ"),
        (objects(1, "a"), "y holds numbers and text"),
        (objects(None, "a"), "y holds a NoneType and text"),
        (objects((1, 2), (1, 3)), "y holds a tuple"),
        (objects(b"a", b"b"), "y holds a bytes"),
        (np.where(code, 1.0, np.nan), "NaN"),
        (pd.Categorical(np.where(code, "a", None)), "NaN|NoneType"),
        (np.c_[code, code], "1d array"),
    ],
)
def test_what_are_no_labels_is_refused(y, said):
    with pytest.raises(ValueError, match=said):
        MODEL.fit(X, y)
