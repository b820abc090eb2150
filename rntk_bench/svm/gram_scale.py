"""What Gram matrices are divided by before support vector machines are trained on them."""

from __future__ import annotations

import numpy as np

from rntk_bench.types import FloatArray


def gram_divisor(gram: FloatArray, scale: str) -> float:
    """The number by which the kernel of a training set, and of others with it, is divided.

    Parameters
    ----------
    gram : (n, n), of the training set
    scale : str
        "none": 1. "centred": the mean diagonal of the Gram of the centred features,
        trace(K) / n - mean(K), which is half the mean squared distance between two series. With it
        one value of C means the same for every kernel.

    Returns
    -------
    Not negative except for rounding, and 0 if all series are equal in the feature space.
    """
    if scale == "none":
        return 1.0
    return float(np.trace(gram) / len(gram) - gram.mean())
