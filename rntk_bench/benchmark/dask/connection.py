"""Reaching a Dask scheduler whose workers run the same code as this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rntk_bench.benchmark.dask.tasks import Identity, identity, refusal, with_networks
from rntk_bench.errors import ClusterError, ExtraError
from rntk_bench.methods import Method

CONNECT_SECONDS = 10


@contextmanager
def connected(address: str, methods: Sequence[Method], say: Callable[[str], None]) -> Iterator[Any]:
    """A client of the scheduler at `address` whose workers can run the methods.

    Parameters
    ----------
    say : told if there is no worker yet; the first is waited for

    Raises
    ------
    ExtraError
        If Dask is not installed.
    ClusterError
        If no scheduler answers within ten seconds, or it or a worker has other code than this
        process.
    """
    try:
        import dask
        import distributed
    except ImportError:
        raise ExtraError("A Dask cluster", "Dask and distributed", "cluster") from None
    # What becomes of the connection is said once, by the error.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    _check_scheduler(address)
    settings = {
        "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
        # Data are sent once, and their size is what it is.
        "distributed.admin.large-graph-warning-threshold": "1TiB",
    }
    with (
        dask.config.set(settings),
        distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client,
    ):
        if not client.nthreads():
            say(f"The scheduler at {address} has no worker yet; waiting for the first ...")
            client.wait_for_workers(1)
        _check_code(client, methods)
        yield client


def _check_scheduler(address: str) -> None:
    """Connect once, without a client: one that does not get through does not end cleanly."""
    from distributed import Security
    from distributed.comm import connect

    async def probe() -> None:
        security = Security().get_connection_args("client")
        comm = await connect(address, timeout=CONNECT_SECONDS, **security)
        await comm.close()

    try:
        asyncio.run(probe())
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address!r} within {CONNECT_SECONDS} s; start one with "
            "'dask scheduler' and give --scheduler the address that it prints."
        ) from error
    except TypeError as error:
        raise ClusterError(
            f"{address!r} needs certificates; name them in Dask's configuration, "
            "distributed.comm.tls."
        ) from error


def _check_code(client: Any, methods: Sequence[Method]) -> None:
    """The workers compute with it, and the scheduler reads what it passes on."""
    networks = with_networks(methods)
    ours = identity(networks)
    found: dict[str, Identity | Exception] = {}
    try:
        found["the scheduler"] = client.run_on_scheduler(identity, networks)
    except (ImportError, AttributeError) as error:
        found["the scheduler"] = error
    for worker, theirs in client.run(identity, networks, on_error="return").items():
        found[f"the worker {worker}"] = theirs
    for process, told in found.items():
        if reason := refusal(process, told, ours):
            raise ClusterError(reason)
