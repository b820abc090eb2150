"""The installation beyond the versions in a record: BLAS libraries, threads and extras."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Any

from joblib import cpu_count
from packaging.requirements import Requirement
from threadpoolctl import threadpool_info

_DEVELOPMENT_EXTRAS = ("test", "lint", "docs", "dist")
_PREFIXES = ("OMP_", "OPENBLAS_", "MKL_", "BLIS_", "VECLIB_", "NUMBA_", "JAX_", "XLA_", "RNTK_")


def threads() -> dict[str, Any]:
    """Number of threads that `--jobs -1` uses, and environment variables that affect speed.

    Returns
    -------
    dict
        `jobs`, an integer, and `variables`, name to value.
    """
    names = sorted(name for name in os.environ if name.startswith(_PREFIXES))
    return {"jobs": cpu_count(), "variables": {name: os.environ[name] for name in names}}


def blas() -> list[dict[str, Any]]:
    """The BLAS libraries of NumPy and SciPy: `library`, `version`, `threads` and `kernels`."""
    import numpy as np  # noqa: F401  # threadpoolctl finds loaded libraries only
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
    """The optional packages of each extra with their versions, None if not installed.

    A version that the extra does not allow counts as not installed.
    """
    try:
        package = metadata("rntk-bench")
    except PackageNotFoundError:
        return {}
    requirements = [Requirement(line) for line in package.get_all("Requires-Dist") or ()]
    return {
        extra: {
            requirement.name: _allowed_version(requirement)
            for requirement in requirements
            if requirement.marker is not None and requirement.marker.evaluate({"extra": extra})
        }
        for extra in package.get_all("Provides-Extra") or ()
        if extra not in _DEVELOPMENT_EXTRAS
    }


def _allowed_version(requirement: Requirement) -> str | None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return None
    return installed if requirement.specifier.contains(installed, prereleases=True) else None
