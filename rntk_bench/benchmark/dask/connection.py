"""Connects to a Dask scheduler whose workers run the same code as this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from rntk_bench.benchmark.dask.tasks import Identity, identity, mismatch, with_networks
from rntk_bench.errors import ClusterError, ExtraError
from rntk_bench.methods import Method

CONNECT_SECONDS = 10
GREETINGS = 10
"""How often a client is tried whose greeting was not alone."""


@contextmanager
def connected(address: str, methods: Sequence[Method], say: Callable[[str], None]) -> Iterator[Any]:
    """A client of the scheduler at `address`, whose workers can run the methods.

    Parameters
    ----------
    address : str
    methods : sequence of Method
    say : callable
        Receives a message if there is no worker yet; the function then waits for the first.

    Raises
    ------
    ExtraError
        If Dask is not installed.
    ClusterError
        If no scheduler answers within ten seconds or it greets no client, or if it or a worker has
        other code than this process.
    """
    try:
        import dask
        import distributed  # noqa: F401
    except ImportError:
        raise ExtraError("A Dask cluster", "Dask and distributed", "cluster") from None
    # A lost connection is reported once, by the error.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    _check_scheduler(address)
    settings = {
        "distributed.comm.timeouts.connect": f"{CONNECT_SECONDS}s",
        # Datasets are sent once, and may be large.
        "distributed.admin.large-graph-warning-threshold": "1TiB",
    }
    with dask.config.set(settings), _client(address) as client:
        if not client.nthreads():
            say(f"The scheduler at {address} has no worker yet; waiting for the first ...")
            client.wait_for_workers(1)
        _check_code(client, methods)
        yield client


def _client(address: str) -> Any:
    """A client of the scheduler, tried again where its greeting was not alone.

    A scheduler may send a message to all its clients just when it greets a new one. Both then
    arrive together, which the new client takes for a broken connection, by an assertion.
    """
    from distributed import Client

    class ClosedOnFailure(Client):  # type: ignore[misc]
        """A client that does not wait for the garbage collector, which may hang in closing it."""

        def start(self, **kwargs: Any) -> None:
            try:
                super().start(**kwargs)
            except AssertionError:
                self.close()
                raise

    for _ in range(GREETINGS):
        with suppress(AssertionError):
            return ClosedOnFailure(address, timeout=CONNECT_SECONDS, set_as_default=False)
    raise ClusterError(
        f"The Dask scheduler at {address} sends other messages in place of a greeting, tried "
        f"{GREETINGS} times; try again when it is less busy."
    )


def _check_scheduler(address: str) -> None:
    """Connect once without a client, since a client that cannot connect does not stop cleanly."""
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
    """Raise ClusterError if a worker, or the scheduler that unpickles tasks, has other code."""
    networks = with_networks(methods)
    ours = identity(networks)
    identities: dict[str, Identity | Exception] = {}
    try:
        identities["the scheduler"] = client.run_on_scheduler(identity, networks)
    except (ImportError, AttributeError) as error:
        identities["the scheduler"] = error
    for worker, answer in client.run(identity, networks, on_error="return").items():
        identities[f"the worker {worker}"] = answer
    for process, theirs in identities.items():
        if reason := mismatch(process, theirs, ours):
            raise ClusterError(reason)
