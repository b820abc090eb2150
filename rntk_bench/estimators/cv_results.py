"""The table of what cross-validation found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import rankdata

from rntk_bench.types import FloatArray


def table(
    axes: Mapping[str, Sequence[Any]], scores: FloatArray, means: FloatArray
) -> dict[str, Any]:
    """`cv_results_` as scikit-learn's searches have it.

    Parameters
    ----------
    axes : values of each parameter; the N rows are their combinations, the last varying fastest
    scores : (N, n_folds) of each fold, NaN where it was not evaluated
    means : (N,) what the choice goes by, the larger the better, NaN where it was not evaluated

    Returns
    -------
    dict with `params`, a masked array `param_<name>` a parameter, `split<i>_test_score`,
    `mean_test_score`, `std_test_score` and `rank_test_score`; settings without a mean come last
    """
    params = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    found: dict[str, Any] = {"params": params}
    for name in axes:
        values = np.ma.empty(len(params), dtype=object)
        values[:] = [setting[name] for setting in params]
        found[f"param_{name}"] = values
    found |= {f"split{i}_test_score": score for i, score in enumerate(scores.T)}
    found["mean_test_score"] = means
    found["std_test_score"] = scores.std(axis=1)
    ranks = rankdata(np.where(np.isnan(means), np.inf, -means), method="min")
    found["rank_test_score"] = ranks.astype(np.int32)
    return found
