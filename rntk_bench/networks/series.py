"""Series and mini-batches as arrays of a few shapes, so that compiled functions are used again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]

EVALUATION_BATCH_SIZE = 64
"""Series in one forward pass outside training."""


class PaddedSeries(NamedTuple):
    """Labelled series of one dataset: X (N, T, m) filled from its end, lengths (N,), y (N,), and
    the number of classes that occur, at most the classifier's."""

    X: FloatArray
    lengths: IntArray
    y: IntArray
    n_classes: IntArray


def round_up_size(count: int, significant: int = 0) -> int:
    """The smallest integer >= count with at most 1 + `significant` significant bits."""
    step = 1 << max(count.bit_length() - 1 - significant, 0)
    return -(-count // step) * step


def pad_series(
    X: NDArray[np.float64] | list[NDArray[np.float64]], y: NDArray[np.int64], n_classes: int
) -> PaddedSeries:
    """Fill sequences (T,) or (T, m) into an array from its end, with room to the next bucket.

    T is at most 1/16 longer than the longest sequence, N at most twice their number.
    """
    longest, m = max(map(len, X)), 1 if X[0].ndim == 1 else X[0].shape[1]
    packed = np.zeros((round_up_size(len(X)), round_up_size(longest, 4), m), dtype=np.float32)
    lengths = np.zeros(len(packed), dtype=np.int32)
    labels = np.zeros(len(packed), dtype=np.int32)
    for i, x in enumerate(X):
        packed[i, packed.shape[1] - len(x) :] = x.reshape(len(x), m)
        lengths[i] = len(x)
    labels[: len(y)] = y
    return PaddedSeries(packed, lengths, labels, np.array(n_classes, dtype=np.int32))


def mini_batches(
    rows: NDArray[np.int64], size: int, n_epochs: int, rng: np.random.Generator
) -> tuple[IntArray, int]:
    """Rows (E, K, B) of every epoch's mini-batches, and how many of the K are real.

    The rows are shuffled anew in each epoch and dealt into as few batches of at most `size` as
    hold them, as equal as they go; -1 fills what is empty.
    """
    count = -(-len(rows) // size)
    shuffled = rng.permuted(np.tile(rows, (n_epochs, 1)), axis=1)
    parts = np.array_split(shuffled, count, axis=1)
    out = np.full((n_epochs, round_up_size(count), _rounded(parts[0].shape[1])), -1, dtype=np.int32)
    for k, part in enumerate(parts):
        out[:, k, : part.shape[1]] = part
    return out, count


def chunks(rows: NDArray[np.int64]) -> tuple[IntArray, int]:
    """Rows (Q, V) to be evaluated, V at a time, and how many of the Q are real; -1 fills up."""
    size = min(_rounded(len(rows)), EVALUATION_BATCH_SIZE)
    count = -(-len(rows) // size)
    out = np.full((round_up_size(max(count, 1)), size), -1, dtype=np.int32)
    out.ravel()[: len(rows)] = rows
    return out, count


def pad_to_common_shape(parts: Sequence[IntArray]) -> list[IntArray]:
    """Arrays filled up with -1 to their common largest shape."""
    shape = np.max([part.shape for part in parts], axis=0)
    padding = [
        [(0, wanted - has) for wanted, has in zip(shape, part.shape, strict=True)] for part in parts
    ]
    return [np.pad(part, pad, constant_values=-1) for part, pad in zip(parts, padding, strict=True)]


def _rounded(rows: int) -> int:
    """A multiple of four, at least four."""
    return max(-(-rows // 4) * 4, 4)
