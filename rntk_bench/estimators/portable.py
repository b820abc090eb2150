"""Saving fitted estimators to a file without pickles, and loading them.

The file is a NumPy ``.npz`` archive, which any program that reads ZIP and ``.npy`` can open.
``header`` holds the bytes of a JSON object:

- ``format``, "rntk-bench model", and ``version``, 1;
- ``estimator``, its class, and ``parameters``, as its constructor takes them;
- for an estimator with a grid ``grid``, the values of each of the kernel's parameters and of C or
  the ridge; the rows of ``scores`` are their combinations, the last varying fastest, and
  ``best_index`` is the chosen row; for a classifier with a grid ``ties``;
- for a classifier ``text``, whether the labels were Python strings;
- ``features``, T if X was one array, else null, and ``names`` of a data frame's columns or null;
- ``packages``, the versions that wrote it.

The other arrays, of float64, are: ``values`` (sum T_i, m), the concatenated training series
(scaled as the kernel reads them, a classifier's sorted by class), and ``lengths`` (n,), their T_i.
For an estimator with a grid ``scores`` (N, folds) and ``means`` (N,) of the search,
``training_rms`` (), by which the input scaling "raw" divides series, and ``gram_divisor`` (), by
which the kernel is divided (both are 1 in files that lack them). For a classifier ``classes`` (k,),
and ``coefficients`` (k (k - 1) / 2, n), ``biases`` and ``inverse_temperature`` () of its SVMs; for
a regressor ``dual_coef`` (n,) and ``ridge`` (). For the multiscale RNTK ``weights`` of the kernels
that `MultiscaleRNTK().summands` lists for the training series.
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

from rntk_bench.datasets import InputScaling
from rntk_bench.errors import InputError, StorageError
from rntk_bench.estimators.base import KernelEstimator, SeriesEstimator
from rntk_bench.estimators.classifier import KernelClassifier, RNTKClassifier
from rntk_bench.estimators.cv_results import cv_results_dict
from rntk_bench.estimators.multiscale import MultiscaleRNTKClassifier
from rntk_bench.estimators.regressor import KernelRegressor, RNTKRegressor
from rntk_bench.estimators.support_vectors import SupportVectorClassifier
from rntk_bench.kernels import Kernel, MultiscaleRNTK, ScaledKernel, SumKernel
from rntk_bench.kernels.fittable import FittableKernel
from rntk_bench.kernels.normalised_sum import weighted_sum
from rntk_bench.methods import KERNEL_METHODS
from rntk_bench.methods.relative import absolute_parameters
from rntk_bench.storage.atomic import through_links, write_atomically
from rntk_bench.storage.environment import environment
from rntk_bench.svm.svc import OneVsOneSVC
from rntk_bench.types import FloatArray

Arrays = dict[str, NDArray[Any]]
FORMAT, VERSION = "rntk-bench model", 1
ESTIMATORS: dict[str, type[SeriesEstimator]] = {
    cls.__name__: cls
    for cls in (
        *(KernelClassifier, KernelRegressor, RNTKClassifier, RNTKRegressor),
        MultiscaleRNTKClassifier,
    )
}


_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""Exceptions raised by contents of unexpected types and shapes."""


class ModelError(InputError, ValueError):
    """A model cannot be saved, or a file is not a model that this version can load."""


def save_model(model: SeriesEstimator, path: str | Path) -> None:
    """Save a fitted estimator.

    Parameters
    ----------
    model : KernelClassifier, KernelRegressor, their RNTK versions, or MultiscaleRNTKClassifier
    path : str or Path
        The file, in an existing folder; an existing file is replaced.

    Raises
    ------
    ModelError
        If the model holds something that only Python can read.
    StorageError
        If the file cannot be written.
    """
    check_is_fitted(model)
    header, arrays = _serialize(model)
    arrays["header"] = np.frombuffer(_json(header).encode(), dtype=np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    try:
        write_atomically(through_links(Path(path)), file.getvalue())
    except OSError as error:
        raise StorageError(
            f"Cannot write {path}: {error.strerror}; choose another file."
        ) from error


def load_model(path: str | Path) -> Any:
    """Load an estimator that `save_model` saved; its predictions are the same.

    Returns
    -------
    model : the estimator, of the class that was saved

    Raises
    ------
    ModelError
        If the file cannot be read, is not a model, is damaged, or has a later version.
    """
    damaged = ModelError(f"{path} is not a model of rntk-bench, or is damaged; fit it again.")
    try:
        with Path(path).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            arrays = {name: _in_native_order(file[name]) for name in file.files}
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


def _in_native_order(array: NDArray[Any]) -> NDArray[Any]:
    """An array of a file from a machine that stores numbers in another order of bytes."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _serialize(model: SeriesEstimator) -> tuple[dict[str, Any], Arrays]:
    """Return the header and the arrays of a model."""
    parameters = model.get_params(deep=False)
    if type(model) not in ESTIMATORS.values():
        raise ModelError(f"A {type(model).__name__} cannot be written; use joblib instead.")
    header = {
        "format": FORMAT,
        "version": VERSION,
        "estimator": type(model).__name__,
        "parameters": parameters,
        "features": getattr(model, "n_features_in_", None),
        "names": getattr(model, "feature_names_in_", None),
        "packages": environment()["packages"],
    }
    series = [np.reshape(x, (len(x), -1)) for x in model.X_fit_]
    arrays = {
        "values": np.concatenate(series),
        "lengths": np.array([len(x) for x in series]),
    }
    if isinstance(model, KernelEstimator):
        if not isinstance(model.method, str):
            raise ModelError("A custom KernelMethod cannot be written; use joblib instead.")
        results = model.cv_results_
        folds = sum(name.startswith("split") for name in results)
        header |= {"grid": model.grid_, "best_index": model.best_index_}
        arrays |= {
            "scores": np.stack([results[f"split{q}_test_score"] for q in range(folds)], axis=1),
            "means": results["mean_test_score"],
            "training_rms": np.array(model.input_.training_rms),
            "gram_divisor": np.array(model.gram_divisor_),
        }
    if isinstance(model, KernelClassifier):
        header |= {"ties": model.n_ties_}
    unfitted = _unfitted_kernel(model)
    if isinstance(unfitted, FittableKernel):
        arrays |= {"weights": _summands_weights(unfitted, model)}
    if isinstance(model, SupportVectorClassifier):
        header |= {"text": model.classes_.dtype == object}
        arrays |= {
            "classes": _plain_labels(model.classes_),
            "coefficients": model.svc_.coefficients,
            "biases": model.svc_.biases,
            "inverse_temperature": np.array(model.inverse_temperature_),
        }
    elif isinstance(model, KernelRegressor):
        arrays |= {"dual_coef": model.dual_coef_, "ridge": np.array(model.ridge_)}
    return header, arrays


def _unfitted_kernel(model: SeriesEstimator) -> Kernel | FittableKernel:
    """The chosen kernel by its parameters, before it is fitted to a training set."""
    if not isinstance(model, KernelEstimator):
        return MultiscaleRNTK()
    method = KERNEL_METHODS[str(model.method)]
    *names, _ = model.grid_
    setting = {name: model.best_params_[name] for name in names if name != "input"}
    kernel: Kernel | FittableKernel = method.kernel(
        **absolute_parameters(setting, max(map(len, model.X_fit_)))
    )
    return kernel


def _summands_weights(unfitted: FittableKernel, model: SeriesEstimator) -> FloatArray:
    """Weights of the kernel's summands, 0 for those that the fit has left out."""
    assert isinstance(model.kernel_, SumKernel)
    scaled = [each for each in model.kernel_.summands if isinstance(each, ScaledKernel)]
    weights = {each.kernel: each.factor for each in scaled}
    return np.array([weights.get(each, 0.0) for each in unfitted.summands(model.X_fit_)])


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
        and all(arrays[name].dtype == np.float64 for name in (*shapes, "values"))
        and lengths.dtype.kind == "i"
        and np.isfinite(values).all()
        and lengths.min() > 0
        and lengths.sum() == len(values)
        and _are_valid_scores(arrays)
        and all(arrays[name].shape == shape for name, shape in shapes.items())
        and all(np.isfinite(arrays[name]).all() for name in shapes)
    )


def _are_valid_scores(arrays: Arrays) -> bool:
    """Whether the results of a search, if there was one, and the weights of a sum are valid."""
    scales = [arrays[name] for name in ("training_rms", "gram_divisor") if name in arrays]
    weights = arrays.get("weights", np.zeros(1))
    searched = "weights" not in arrays or "scores" in arrays
    return bool(
        all(scale.shape == () and 0.0 < scale < np.inf for scale in scales)
        and np.isfinite(weights).all()
        and (weights >= 0.0).all()
        and not (searched and arrays["scores"].ndim != 2)
        and not (searched and arrays["means"].shape != arrays["scores"].shape[:1])
    )


def _deserialize(header: dict[str, Any], arrays: Arrays) -> SeriesEstimator:
    model = ESTIMATORS[header["estimator"]](**header["parameters"])
    model.X_fit_, model.n_dimensions_in_ = _series(header, arrays)
    if header["features"] is not None:
        model.n_features_in_ = header["features"]
    if header["names"] is not None:
        model.feature_names_in_ = np.array(header["names"], dtype=object)
    if isinstance(model, KernelEstimator):
        _restore_search(model, header, arrays)
    if isinstance(model, KernelClassifier):
        model.n_ties_ = header["ties"]
    unfitted = _unfitted_kernel(model)
    if isinstance(unfitted, FittableKernel):
        model.kernel_ = weighted_sum(unfitted.summands(model.X_fit_), arrays["weights"])
    else:
        model.kernel_ = unfitted
    if isinstance(model, SupportVectorClassifier):
        text = object if header["text"] else arrays["classes"].dtype
        model.classes_ = arrays["classes"].astype(text)
        n_classes = len(model.classes_)
        model.svc_ = OneVsOneSVC(arrays["coefficients"], arrays["biases"], n_classes)
        model.inverse_temperature_ = float(arrays["inverse_temperature"])
    elif isinstance(model, KernelRegressor):
        model.dual_coef_, model.ridge_ = arrays["dual_coef"], float(arrays["ridge"])
    return model


def _restore_search(model: KernelEstimator, header: dict[str, Any], arrays: Arrays) -> None:
    """Set the grid, the results of the search, and what the chosen kernel reads."""
    model.grid_ = {name: tuple(axis) for name, axis in header["grid"].items()}
    model.cv_results_ = cv_results_dict(model.grid_, arrays["scores"], arrays["means"])
    if len(model.cv_results_["params"]) != len(arrays["means"]):
        raise ValueError
    model.best_index_ = header["best_index"]
    model.best_params_ = model.cv_results_["params"][model.best_index_]
    model.best_score_ = float(arrays["means"][model.best_index_])
    name = model.best_params_.get("input", "unit-norm" if model.unit_norm else "archive")
    model.input_ = InputScaling(name, float(arrays.get("training_rms", 1.0)))
    model.gram_divisor_ = float(arrays.get("gram_divisor", 1.0))


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
