"""The results of a cross-validation, in the format of scikit-learn's `cv_results_`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy.stats import rankdata

from rntk_bench.types import FloatArray


def cv_results_dict(
    axes: Mapping[str, Sequence[Any]], scores: FloatArray, means: FloatArray
) -> dict[str, Any]:
    """Return `cv_results_` as in scikit-learn's `GridSearchCV`.

    Parameters
    ----------
    axes : values of each parameter; the N rows are their combinations, the last varying fastest
    scores : (N, n_folds) score of each fold, NaN where not evaluated
    means : (N,) mean scores, the largest is the best, NaN where not evaluated

    Returns
    -------
    dict with `params`, a masked array `param_<name>` per parameter, `split<i>_test_score`,
    `mean_test_score`, `std_test_score` and `rank_test_score`; settings without a mean come last
    """
    params = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    results: dict[str, Any] = {"params": params}
    for name in axes:
        values = np.ma.empty(len(params), dtype=object)
        values[:] = [setting[name] for setting in params]
        results[f"param_{name}"] = values
    results |= {f"split{i}_test_score": score for i, score in enumerate(scores.T)}
    results["mean_test_score"] = means
    results["std_test_score"] = scores.std(axis=1)
    ranks = rankdata(np.where(np.isnan(means), np.inf, -means), method="min")
    results["rank_test_score"] = ranks.astype(np.int32)
    return results
