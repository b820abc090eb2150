"""Saving fitted estimators to a file without pickles, and loading them.

The file is a NumPy ``.npz`` archive, which any program that reads ZIP and ``.npy`` can open.
``header`` holds the bytes of a JSON object:

- ``format``, "rntk-bench model", and ``version``, 1;
- ``estimator``, its class, and ``parameters``, as its constructor takes them;
- ``grid``, the values of each of the kernel's parameters and of C or the ridge; the rows of
  ``scores`` are their combinations, the last varying fastest, and ``best_index`` is the chosen row;
- for a classifier ``ties``, and ``text``, whether the labels were Python strings;
- ``features``, T if X was one array, else null, and ``names`` of a data frame's columns or null;
- ``packages``, the versions that wrote it.

The other arrays, of float64, are: ``values`` (sum T_i, m), the concatenated training series
(normalised, a classifier's sorted by class), and ``lengths`` (n,), their T_i; ``scores``
(N, folds) and ``means`` (N,) of the search. For a classifier also ``classes`` (k,), and
``coefficients`` (k (k - 1) / 2, n), ``biases`` and ``inverse_temperature`` () of its SVMs; for
a regressor ``dual_coef`` (n,) and ``ridge`` ().
"""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from rntk_bench.errors import InputError
from rntk_bench.estimators.base import KernelEstimator
from rntk_bench.estimators.classifier import KernelClassifier, RNTKClassifier
from rntk_bench.estimators.cv_results import cv_results_dict
from rntk_bench.estimators.regressor import KernelRegressor, RNTKRegressor
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.storage.atomic import write_atomically
from rntk_bench.storage.environment import environment
from rntk_bench.svm.svc import OneVsOneSVC

Arrays = dict[str, NDArray[Any]]
FORMAT, VERSION = "rntk-bench model", 1
ESTIMATORS: dict[str, type[KernelEstimator]] = {
    cls.__name__: cls for cls in (KernelClassifier, KernelRegressor, RNTKClassifier, RNTKRegressor)
}


_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""Exceptions raised by contents of unexpected types and shapes."""


class ModelError(InputError, ValueError):
    """A model cannot be saved, or a file is not a model that this version can load."""


def save_model(model: KernelEstimator, path: str | Path) -> None:
    """Save a fitted estimator.

    Parameters
    ----------
    model : KernelClassifier, KernelRegressor, or their RNTK versions
    path : str or Path
        The file, in an existing folder; an existing file is replaced.

    Raises
    ------
    ModelError
        If the model holds something that only Python can read, or the file cannot be written.
    """
    check_is_fitted(model)
    header, arrays = _serialize(model)
    arrays["header"] = np.frombuffer(_json(header).encode(), dtype=np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    try:
        write_atomically(Path(path), file.getvalue())
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written: {error.strerror}; choose another file."
        ) from error


def load_model(path: str | Path) -> Any:
    """Load an estimator that `save_model` saved; its predictions are the same.

    Returns
    -------
    model : KernelClassifier, KernelRegressor, RNTKClassifier or RNTKRegressor

    Raises
    ------
    ModelError
        If the file cannot be read, is not a model, is damaged, or has a later version.
    """
    damaged = ModelError(f"{path} is not a model of rntk-bench, or is damaged; fit it again.")
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        header = json.loads(arrays["header"].tobytes())
        known = header["format"] == FORMAT
        version = int(header["version"])
    except FileNotFoundError:
        raise ModelError(f"{path} does not exist; rntk-bench fit writes a model.") from None
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read: {error.strerror or error}; name another file."
        ) from error
    except (*_MALFORMED, EOFError, BadZipFile, zlib.error):
        raise damaged from None
    if known and version > VERSION:
        raise ModelError(
            f"{path} is a model of version {version}, but this rntk-bench reads version {VERSION}; "
            "install a newer one."
        )
    try:
        if not known or not _are_consistent(arrays):
            raise damaged
        return _deserialize(header, arrays)
    except _MALFORMED:
        raise damaged from None


def _serialize(model: KernelEstimator) -> tuple[dict[str, Any], Arrays]:
    """Return the header and the arrays of a model."""
    parameters = model.get_params(deep=False)
    if type(model) not in ESTIMATORS.values():
        raise ModelError(f"A {type(model).__name__} cannot be written; use joblib instead.")
    if not isinstance(model.method, str):
        raise ModelError("A custom KernelMethod cannot be written; use joblib instead.")
    results = model.cv_results_
    header = {
        "format": FORMAT,
        "version": VERSION,
        "estimator": type(model).__name__,
        "parameters": parameters,
        "grid": model.grid_,
        "best_index": model.best_index_,
        "features": getattr(model, "n_features_in_", None),
        "names": getattr(model, "feature_names_in_", None),
        "packages": environment()["packages"],
    }
    series = [np.reshape(x, (len(x), -1)) for x in model.X_fit_]
    folds = sum(name.startswith("split") for name in results)
    arrays = {
        "values": np.concatenate(series),
        "lengths": np.array([len(x) for x in series]),
        "scores": np.stack([results[f"split{q}_test_score"] for q in range(folds)], axis=1),
        "means": results["mean_test_score"],
    }
    if isinstance(model, KernelClassifier):
        header |= {"ties": model.n_ties_, "text": model.classes_.dtype == object}
        arrays |= {
            "classes": _plain_labels(model.classes_),
            "coefficients": model.svc_.coefficients,
            "biases": model.svc_.biases,
            "inverse_temperature": np.array(model.inverse_temperature_),
        }
    elif isinstance(model, KernelRegressor):
        arrays |= {"dual_coef": model.dual_coef_, "ridge": np.array(model.ridge_)}
    return header, arrays


def _plain_labels(classes: NDArray[Any]) -> NDArray[Any]:
    """Convert labels to a type that NumPy can save without pickles."""
    if classes.dtype == object and all(isinstance(label, str) for label in classes):
        return classes.astype(str)
    if classes.dtype.kind not in "biufU":
        raise ModelError(
            f"Labels of type {classes.dtype} cannot be written; fit to numbers or text."
        )
    return classes


def _json(header: dict[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            return value.tolist()
        raise TypeError

    for name, value in header["parameters"].items():
        try:
            json.dumps(value, default=plain)
        except TypeError:
            raise ModelError(
                f"{name} cannot be written without a pickle; use joblib instead."
            ) from None
    return json.dumps(header, default=plain)


def _are_consistent(arrays: Arrays) -> bool:
    """Whether the shapes of the arrays match, and the coefficients are finite."""
    values, lengths, n = arrays["values"], arrays["lengths"], len(arrays["lengths"])
    if "dual_coef" in arrays:
        shapes = {"dual_coef": (n,), "ridge": ()}
    else:
        k = len(arrays["classes"])
        pairs = k * (k - 1) // 2
        shapes = {"coefficients": (pairs, n), "biases": (pairs,), "inverse_temperature": ()}
    return bool(
        values.ndim == 2
        and np.isfinite(values).all()
        and lengths.min() > 0
        and lengths.sum() == len(values)
        and arrays["scores"].ndim == 2
        and arrays["means"].shape == arrays["scores"].shape[:1]
        and all(arrays[name].shape == shape for name, shape in shapes.items())
        and all(np.isfinite(arrays[name]).all() for name in shapes)
    )


def _deserialize(header: dict[str, Any], arrays: Arrays) -> KernelEstimator:
    parameters = header["parameters"]
    model = ESTIMATORS[header["estimator"]](**parameters)
    model.grid_ = {name: tuple(axis) for name, axis in header["grid"].items()}
    model.cv_results_ = cv_results_dict(model.grid_, arrays["scores"], arrays["means"])
    if len(model.cv_results_["params"]) != len(arrays["means"]):
        raise ValueError
    model.best_index_ = header["best_index"]
    model.best_params_ = model.cv_results_["params"][model.best_index_]
    model.best_score_ = float(arrays["means"][model.best_index_])
    *kernel_parameters, _ = model.grid_
    setting = {name: model.best_params_[name] for name in kernel_parameters}
    model.kernel_ = KERNEL_METHODS[parameters["method"]].kernel(**setting)
    model.X_fit_, model.n_dimensions_in_ = _series(header, arrays)
    if header["features"] is not None:
        model.n_features_in_ = header["features"]
    if header["names"] is not None:
        model.feature_names_in_ = np.array(header["names"], dtype=object)
    if isinstance(model, KernelClassifier):
        text = object if header["text"] else arrays["classes"].dtype
        model.classes_ = arrays["classes"].astype(text)
        model.n_ties_ = header["ties"]
        n_classes = len(model.classes_)
        model.svc_ = OneVsOneSVC(arrays["coefficients"], arrays["biases"], n_classes)
        model.inverse_temperature_ = float(arrays["inverse_temperature"])
    else:
        model.dual_coef_, model.ridge_ = arrays["dual_coef"], float(arrays["ridge"])
    return model


def _series(header: dict[str, Any], arrays: Arrays) -> tuple[Any, int]:
    """Return the training series and their dimension."""
    values, lengths = arrays["values"], arrays["lengths"]
    m = values.shape[1]
    series = np.split(values, np.cumsum(lengths)[:-1])
    if header["features"] is None:
        return series, m
    stacked = np.stack(series)
    if stacked.shape[1] != header["features"]:
        raise ValueError
    return stacked[:, :, 0] if m == 1 else stacked, m
