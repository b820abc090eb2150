"""Versions and machine, on which results and speed may depend."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rntk_bench.version import __version__

_PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "numba", "joblib", "sktime"),
    *("jax", "jaxlib", "optax"),
)


def environment() -> dict[str, Any]:
    """Versions and machine as a JSON value, without names of users, hosts or paths.

    Returns
    -------
    environment : dict
        `python`, `platform`, `cpu` (name of the model), `cores` (usable by this process),
        `packages` (name to version, None if it is not installed) and `code`, the first digits of
        the digest of this package's source.
    """
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu(),
        "cores": _cores(),
        "packages": {
            "rntk-bench": __version__,
            **{name: _version(name) for name in _PACKAGES},
        },
        "code": _code(),
    }


@cache
def _code() -> str:
    return source_digest(Path(__file__).parents[1])[:12]


def source_digest(package: Path) -> str:
    """Hex SHA-256 of every Python file in the folder of a package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
