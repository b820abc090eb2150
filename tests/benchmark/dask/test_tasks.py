import pytest

pytest.importorskip("distributed")

from rntk_bench.benchmark.dask.tasks import identity, mismatch


def test_mismatches_name_the_worker_and_what_differs():
    ours = identity(networks=False)
    assert mismatch("w", dict(ours), ours) is None
    assert "w has code abc" in mismatch("w", {**ours, "code": "abc"}, ours)
    assert "numpy missing instead of" in mismatch("w", {**ours, "numpy": "missing"}, ours)
    absent = ModuleNotFoundError("No module named 'rntk_bench'")
    assert "No module named 'rntk_bench'" in mismatch("w", absent, ours)
    assert identity(networks=True).keys() - ours.keys() == {"jax", "jaxlib", "optax"}
