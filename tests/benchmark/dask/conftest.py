import pytest

from rntk_bench.benchmark.dask.connection import connected
from tests.benchmark.dask.cluster import scheduler, worker


@pytest.fixture(scope="package")
def address(tmp_path_factory):
    """The address of a scheduler with two workers."""
    with (
        scheduler(tmp_path_factory.mktemp("scheduler")) as (_, address),
        worker(address, "--no-nanny"),
        worker(address, "--no-nanny"),
    ):
        with connected(address, (), print) as client:
            client.wait_for_workers(2, timeout=120)
        yield address


@pytest.fixture
def data(write_dataset):
    write_dataset("Other", n=20, length=30)
    return write_dataset("Mine", n=16)
