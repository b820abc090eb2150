"""What is installed here beside the packages that a record names: BLAS, threads and extras."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Any

from joblib import cpu_count
from packaging.requirements import Requirement
from threadpoolctl import threadpool_info

_OF_DEVELOPMENT = ("test", "lint", "docs")
_PREFIXES = ("OMP_", "OPENBLAS_", "MKL_", "BLIS_", "VECLIB_", "NUMBA_", "JAX_", "XLA_", "RNTK_")


def threads() -> dict[str, Any]:
    """Threads that `--jobs -1` uses, and the environment's variables that bear on speed.

    Returns
    -------
    dict
        `jobs`, a number, and `variables`, name to value.
    """
    names = sorted(name for name in os.environ if name.startswith(_PREFIXES))
    return {"jobs": cpu_count(), "variables": {name: os.environ[name] for name in names}}


def blas() -> list[dict[str, Any]]:
    """Linear algebra libraries of NumPy and SciPy: `library`, `version`, `threads`, `kernels`."""
    import numpy as np  # noqa: F401  # threadpoolctl sees what is loaded
    import scipy.linalg  # noqa: F401

    pools = [
        {
            "library": pool["internal_api"],
            "version": pool["version"],
            "threads": pool["num_threads"],
            "kernels": pool.get("architecture"),
        }
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return sorted(pools, key=lambda pool: f"{pool['library']} {pool['version']}")


def extras() -> dict[str, dict[str, str | None]]:
    """The optional packages of each extra and their versions, None for what is not installed.

    A version outside the extra's bounds counts as not installed.
    """
    try:
        described = metadata("rntk-bench")
    except PackageNotFoundError:
        return {}
    wanted = [Requirement(line) for line in described.get_all("Requires-Dist") or ()]
    return {
        extra: {
            requirement.name: _fitting(requirement)
            for requirement in wanted
            if requirement.marker is not None and requirement.marker.evaluate({"extra": extra})
        }
        for extra in described.get_all("Provides-Extra") or ()
        if extra not in _OF_DEVELOPMENT
    }


def _fitting(requirement: Requirement) -> str | None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return None
    return installed if requirement.specifier.contains(installed, prereleases=True) else None
