import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from rntk_bench import RNTK
from rntk_bench.errors import StorageError
from rntk_bench.estimators import (
    KernelClassifier,
    KernelRegressor,
    MultiscaleRNTKClassifier,
    RNTKClassifier,
    RNTKRegressor,
    load_model,
    save_model,
)
from rntk_bench.estimators.portable import ModelError
from rntk_bench.methods import KernelMethod

SMALL = {"sigma_w": [1.2, 1.4], "sigma_b": np.array([0.1, 0.3]), "sigma_h": 0.0}
RNG = np.random.default_rng(0)
SETS = {
    "one length": RNG.standard_normal((20, 7)),
    "two dimensions": RNG.standard_normal((20, 7, 2)),
    "lengths": [RNG.standard_normal(T) for T in RNG.integers(3, 8, 20)],
}
LABELS = {
    "numbers": np.arange(20) % 3,
    "text": np.array(list("abcd"))[np.arange(20) % 4],
    "objects": np.array(["no", "yes"], dtype=object)[np.arange(20) % 2],
    "truths": np.arange(20) % 2 == 0,
}


def classifier(X=SETS["one length"], y=LABELS["numbers"], **changes):
    return RNTKClassifier(**{"grid": SMALL, "n_folds": 3} | changes).fit(X, y)


def assert_same(loaded, model):
    assert type(loaded) is type(model)
    assert loaded.kernel_ == model.kernel_
    assert loaded.best_params_ == model.best_params_
    assert (loaded.best_index_, loaded.best_score_) == (model.best_index_, model.best_score_)
    assert loaded.cv_results_.keys() == model.cv_results_.keys()
    for name, column in model.cv_results_.items():
        np.testing.assert_array_equal(loaded.cv_results_[name], column)


@pytest.mark.parametrize("y", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("X", SETS.values(), ids=SETS)
def test_a_classifier_comes_back_the_same(X, y, tmp_path):
    model = classifier(X, y)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert_same(loaded, model)
    assert loaded.classes_.dtype == model.classes_.dtype
    assert loaded.n_ties_ == model.n_ties_
    for method in ("predict", "decision_function", "predict_proba"):
        np.testing.assert_array_equal(getattr(loaded, method)(X), getattr(model, method)(X))
    for attribute in ("n_features_in_", "n_dimensions_in_"):
        assert getattr(loaded, attribute, None) == getattr(model, attribute, None)
    # It can be saved and fitted again.
    save_model(loaded, tmp_path / "again.npz")
    assert_same(load_model(tmp_path / "again.npz"), model)
    assert_same(loaded.fit(X, y), model)


@pytest.mark.parametrize("X", SETS.values(), ids=SETS)
def test_a_multiscale_classifier_comes_back_the_same(X, tmp_path):
    # A constant summand: all series have the same differences.
    for series in (X, [np.full(9, float(i)) for i in range(20)]):
        for y in LABELS.values():
            model = MultiscaleRNTKClassifier(C=3.0).fit(series, y)
            save_model(model, tmp_path / "model.npz")
            loaded = load_model(tmp_path / "model.npz")
            assert type(loaded) is MultiscaleRNTKClassifier
            assert (loaded.kernel_, loaded.get_params()) == (model.kernel_, model.get_params())
            for method in ("predict", "decision_function", "predict_proba"):
                actual, expected = (getattr(each, method)(series) for each in (loaded, model))
                np.testing.assert_array_equal(actual, expected)
            assert loaded.n_dimensions_in_ == model.n_dimensions_in_
    rewritten(tmp_path / "model.npz", weights=np.full(4, -1.0))
    with pytest.raises(ModelError, match="is damaged"):
        load_model(tmp_path / "model.npz")


@pytest.mark.parametrize("X", SETS.values(), ids=SETS)
def test_a_regressor_comes_back_the_same(X, tmp_path):
    y = RNG.standard_normal(20)
    for model in (RNTKRegressor(grid=SMALL), KernelRegressor("rbf", unit_norm=True)):
        save_model(model.fit(X, y), tmp_path / "model.npz")
        loaded = load_model(tmp_path / "model.npz")
        assert_same(loaded, model)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        assert loaded.ridge_ == model.ridge_


def test_columns_of_a_frame_are_kept(tmp_path):
    frame = pd.DataFrame(SETS["one length"], columns=list("abcdefg"))
    model = classifier(frame)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
    with pytest.raises(ValueError, match="feature names"):
        loaded.predict(frame[list("gfedcba")])


def test_the_file_is_what_its_description_says(tmp_path):
    model = classifier(SETS["lengths"])
    save_model(model, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        arrays = {name: file[name] for name in file.files}
    assert (header["format"], header["version"]) == ("rntk-bench model", 1)
    assert header["estimator"] == "RNTKClassifier"
    assert header["features"] is None
    assert len(arrays["values"]) == arrays["lengths"].sum()
    # The description is enough to predict without this package's estimators.
    *own, _ = header["grid"]
    rows = np.unravel_index(header["best_index"], [len(axis) for axis in header["grid"].values()])
    setting = {name: header["grid"][name][i] for name, i in zip(own, rows, strict=False)}
    series = np.split(arrays["values"], arrays["lengths"].cumsum()[:-1])
    X = [x[:, None] / np.linalg.norm(x) for x in SETS["lengths"]]
    decisions = arrays["coefficients"] @ RNTK(**setting)(series, X) + arrays["biases"][:, None]
    votes = np.zeros((20, 3))
    for (a, b), decision in zip([(0, 1), (0, 2), (1, 2)], decisions, strict=True):
        votes[:, a] += decision > 0
        votes[:, b] += decision <= 0
    expected = arrays["classes"][votes.argmax(axis=1)]
    np.testing.assert_array_equal(expected, model.predict(SETS["lengths"]))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lambda: classifier(random_state=np.random.RandomState(0)), "random_state"),
        (
            lambda: KernelClassifier(
                KernelMethod("mine", {"sigma_w": (1.0,)}, RNTK), n_folds=3
            ).fit(SETS["one length"], LABELS["numbers"]),
            "KernelMethod",
        ),
    ],
)
def test_what_only_python_can_read_is_refused(model, said, tmp_path):
    fitted = model()
    with pytest.raises(ModelError, match=said):
        save_model(fitted, tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(StorageError, match="none"):
        save_model(classifier(), tmp_path / "none" / "model.npz")


def rewritten(path, **changes):
    """Replace arrays of a file, or entries of its header; None leaves out."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(arrays["header"].tobytes())
    for name, value in changes.items():
        target = arrays if name in arrays else header
        if value is None:
            del target[name]
        else:
            target[name] = value
    if "header" in arrays:
        arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"version": "new"},
        {"estimator": "SVC"},
        {"parameters": {"method": "gru"}},
        {"parameters": {"method": "rntk", "odd": 1}},
        {"grid": {}},
        {"best_index": 10**6},
        {"grid": {"sigma_w": [1.0], "C": [1.0]}},
        {"version": float("inf")},
        {"biases": np.full(3, np.nan)},
        {"features": 8},
        {"header": None},
        {"lengths": np.array([7] * 19 + [8])},
        {"lengths": np.array([])},
        {"values": np.zeros(140)},
        {"values": np.full((140, 1), np.nan)},
        {"coefficients": np.zeros((3, 19))},
        {"biases": np.zeros(2)},
        {"biases": np.zeros(3, dtype=np.float16)},
        {"values": np.zeros((140, 1), dtype=complex)},
        {"classes": np.array(["a"])},
        {"scores": None},
        {"means": np.zeros(3)},
        {"inverse_temperature": np.zeros(2)},
        {"classes": np.array([1, "b", None], dtype=object)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_damaged_and_foreign_contents_are_one_sentence(change, tmp_path):
    path = tmp_path / "model.npz"
    save_model(classifier(), path)
    rewritten(path, **change)
    with pytest.raises(ModelError, match=r"model.npz is not a model of rntk-bench, or is damaged"):
        load_model(path)


def damaged(kind, path):
    content = path.read_bytes()
    if kind == "truncated":
        return content[: len(content) // 2]
    if kind == "flipped":
        at = 600  # in the values of the series; NumPy ignores parts of the headers between arrays
        return content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]
    if kind == "empty":
        return b""
    if kind == "text":
        return b"not a model\n"
    if kind == "pickle":
        return b"\x80\x04\x95\x00."
    file = io.BytesIO()
    if kind == "npy":
        np.save(file, np.ones(3))
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("header.npy", "odd")
    return file.getvalue()


@pytest.mark.parametrize("kind", ["truncated", "flipped", "empty", "text", "pickle", "npy", "zip"])
def test_damaged_and_foreign_files_are_one_sentence(kind, tmp_path):
    path = tmp_path / "model.npz"
    save_model(classifier(), path)
    path.write_bytes(damaged(kind, path))
    with pytest.raises(ModelError, match=r"not a model of rntk-bench, or is damaged; fit it again"):
        load_model(path)


def test_later_versions_and_missing_files_say_so(tmp_path):
    path = tmp_path / "model.npz"
    with pytest.raises(ModelError, match="does not exist"):
        load_model(path)
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(tmp_path)
    save_model(classifier(), path)
    rewritten(path, version=2)
    with pytest.raises(ModelError, match="version 2"):
        load_model(path)


@pytest.mark.parametrize("method", ["rntk-shared", "rntk-multiscale", "rbf"])
@pytest.mark.parametrize("X", SETS.values(), ids=SETS)
def test_inputs_scales_and_fitted_kernels_come_back_the_same(method, X, tmp_path):
    inputs = {} if method == "rntk-multiscale" else {"grid": {"input": ["raw"]}}
    scaled = [3.0 + x for x in X] if isinstance(X, list) else 3.0 + X
    model = KernelClassifier(method, gram_scale="centred", n_folds=3, n_repeats=2, **inputs)
    model.fit(scaled, LABELS["numbers"])
    assert model.gram_divisor_ != 1.0
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert_same(loaded, model)
    assert (loaded.input_, loaded.gram_divisor_) == (model.input_, model.gram_divisor_)
    np.testing.assert_array_equal(loaded.decision_function(scaled), model.decision_function(scaled))


@pytest.mark.parametrize("name", ["training_rms", "gram_divisor"])
def test_a_file_without_scales_has_none_and_a_damaged_scale_is_refused(name, tmp_path):
    path = tmp_path / "model.npz"
    model = classifier()
    save_model(model, path)
    rewritten(path, **{name: None})
    np.testing.assert_array_equal(
        load_model(path).predict(SETS["one length"]), model.predict(SETS["one length"])
    )
    for damage in (np.array(0.0), np.array(np.nan), np.ones(2)):
        save_model(model, path)
        rewritten(path, **{name: damage})
        with pytest.raises(ModelError, match="is damaged"):
            load_model(path)


def test_a_model_from_a_machine_with_another_order_of_bytes_predicts_the_same(tmp_path):
    model, path = classifier(), tmp_path / "model.npz"
    save_model(model, path)
    with np.load(path) as file:
        arrays = {name: file[name].astype(file[name].dtype.newbyteorder()) for name in file.files}
    np.savez(path, **arrays)
    X = SETS["one length"]
    np.testing.assert_array_equal(load_model(path).predict_proba(X), model.predict_proba(X))
