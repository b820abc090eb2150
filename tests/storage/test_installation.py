from importlib.metadata import version

import pytest
from packaging.requirements import Requirement

from rntk_bench.storage import installation


def test_the_extras_for_users_are_listed_with_their_packages():
    found = installation.extras()
    assert {"offline", "finite", "figures"} <= set(found)
    assert not {"docs", "lint", "test"} & set(found)
    assert set(found["finite"]) == {"jax", "optax"}
    assert found["figures"]["matplotlib"] in (None, version("matplotlib"))


@pytest.mark.parametrize(
    ("line", "fits"), [("numpy>=1", True), ("numpy<1", False), ("no-such-package", False)]
)
def test_a_version_outside_the_bounds_counts_as_not_installed(line, fits):
    expected = version("numpy") if fits else None
    assert installation._allowed_version(Requirement(line)) == expected


def test_blas_is_that_of_numpy_and_has_threads():
    assert all(pool["threads"] >= 1 for pool in installation.blas())


def test_threads_names_only_variables_that_bear_on_speed(monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    monkeypatch.setenv("A_SECRET", "x")
    found = installation.threads()
    assert found["variables"]["NUMBA_NUM_THREADS"] == "3"
    assert "A_SECRET" not in found["variables"]
    assert found["jobs"] >= 1
