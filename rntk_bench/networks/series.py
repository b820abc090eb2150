"""Series and mini-batches padded to a few shapes, so that compiled functions can be reused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rntk_bench.errors import DataError
from rntk_bench.types import FloatArray, IntArray

Float32Array = NDArray[np.float32]
Int32Array = NDArray[np.int32]

EVALUATION_BATCH_SIZE = 64
"""The number of series in one forward pass outside training."""


class PaddedSeries(NamedTuple):
    """Labelled series of one dataset, padded to a common length.

    Attributes
    ----------
    X : (N, T, m)
        The series at the end of their rows, with zeros before them.
    lengths : (N,)
    y : (N,)
    n_classes : ()
        The number of classes that occur, at most the classifier's.
    """

    X: Float32Array
    lengths: Int32Array
    y: Int32Array
    n_classes: Int32Array


def round_up_size(n: int, significant: int = 0) -> int:
    """The smallest integer >= n with at most 1 + `significant` significant bits."""
    step = 1 << max(n.bit_length() - 1 - significant, 0)
    return -(-n // step) * step


def pad_series(X: FloatArray | list[FloatArray], y: IntArray, n_classes: int) -> PaddedSeries:
    """Pad series (T,) or (T, m) at their starts, to a rounded length and a rounded number.

    The length is at most 1/16 more than the longest series, the number at most twice theirs.
    """
    longest, m = max(map(len, X)), 1 if X[0].ndim == 1 else X[0].shape[1]
    padded = np.zeros((round_up_size(len(X)), round_up_size(longest, 4), m), dtype=np.float32)
    lengths = np.zeros(len(padded), dtype=np.int32)
    labels = np.zeros(len(padded), dtype=np.int32)
    if max(np.abs(x).max() for x in X) > np.finfo(np.float32).max:
        raise DataError(
            "Networks read series in single precision, which has no values beyond 3.4e38; scale "
            "them down."
        )
    for i, x in enumerate(X):
        padded[i, padded.shape[1] - len(x) :] = x.reshape(len(x), m)
        lengths[i] = len(x)
    labels[: len(y)] = y
    return PaddedSeries(padded, lengths, labels, np.array(n_classes, dtype=np.int32))


def mini_batches(
    rows: IntArray, size: int, n_epochs: int, rng: np.random.Generator
) -> tuple[Int32Array, int]:
    """Draw the mini-batches of all epochs.

    In each epoch the rows are shuffled and split into as few batches as possible, of at most `size`
    rows and of nearly equal sizes.

    Returns
    -------
    batches : (E, K, B) ndarray
        The rows in each batch; -1 is padding.
    n_batches : int
        The number of batches in an epoch, at most K.
    """
    n_batches = -(-len(rows) // size)
    shuffled = rng.permuted(np.tile(rows, (n_epochs, 1)), axis=1)
    split = np.array_split(shuffled, n_batches, axis=1)
    shape = n_epochs, round_up_size(n_batches), _multiple_of_four(split[0].shape[1])
    batches = np.full(shape, -1, dtype=np.int32)
    for k, batch in enumerate(split):
        batches[:, k, : batch.shape[1]] = batch
    return batches, n_batches


def chunks(rows: IntArray) -> tuple[Int32Array, int]:
    """Split rows into chunks that are evaluated together.

    Returns
    -------
    chunks : (Q, V) ndarray
        The rows in each chunk; -1 is padding.
    n_chunks : int
        The number of chunks, at most Q.
    """
    size = min(_multiple_of_four(len(rows)), EVALUATION_BATCH_SIZE)
    n_chunks = -(-len(rows) // size)
    result = np.full((round_up_size(max(n_chunks, 1)), size), -1, dtype=np.int32)
    result.ravel()[: len(rows)] = rows
    return result, n_chunks


def pad_to_common_shape(arrays: Sequence[Int32Array]) -> list[Int32Array]:
    """Pad arrays with -1 to the smallest shape that holds each of them."""
    shape = np.max([array.shape for array in arrays], axis=0)
    return [
        np.pad(array, [(0, n) for n in shape - array.shape], constant_values=-1) for array in arrays
    ]


def _multiple_of_four(n: int) -> int:
    """The smallest multiple of four >= n, and at least four."""
    return max(-(-n // 4) * 4, 4)
