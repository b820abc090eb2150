"""Estimates the peak memory of an evaluation, and how many jobs fit into a limit."""

from __future__ import annotations

from rntk_bench.benchmark.cost.formula import Size
from rntk_bench.config import Experiment
from rntk_bench.errors import InputError, format_bytes
from rntk_bench.methods import KernelMethod, Method, NetworkMethod

BASE = 192 << 20
"""Bytes of a process that has loaded and compiled what kernels need."""
SERIES, PRODUCTS = 8, 2
"""How often the series are held, as text, as read, normalised, sorted and laid out; and matrices
of the series' products, of kernels that see vectors. Fitted, with the above, to the four kernels on
six archive datasets, from Coffee to TwoPatterns."""
NETWORK_BASE, COMPILED, STATES = 280 << 20, 6 << 20, 7.5
"""Bytes of a process with JAX and of a compiled network, and how often a process holds the states
of all gates, layers and steps; fitted to CricketY and GunPoint."""


def estimate_memory(size: Size, method: Method, experiment: Experiment, n_jobs: int = 1) -> int:
    """Estimated peak memory of an evaluation in bytes, for all of its processes together.

    Parameters
    ----------
    size : Size
        A dataset, or an entry of the archive's table.
    method : Method
    experiment : Experiment
    n_jobs : int
        Number of threads, or of processes that train networks.
    """
    if isinstance(method, NetworkMethod):
        return _network_memory(size, method, experiment, n_jobs)
    assert isinstance(method, KernelMethod)
    return _kernel_memory(size, method, n_jobs)


def limit_jobs(
    limit: int | None, size: Size, method: Method, experiment: Experiment, n_jobs: int
) -> int:
    """The number of jobs that fit into a limit in bytes, at most `n_jobs`.

    Raises
    ------
    InputError
        If not even one job fits.
    """
    if limit is None:
        return n_jobs
    for jobs in range(n_jobs, 0, -1):
        if estimate_memory(size, method, experiment, jobs) <= limit:
            return jobs
    needed = estimate_memory(size, method, experiment)
    dimensions = f" in {size.n_dimensions} dimensions" if size.n_dimensions > 1 else ""
    raise InputError(
        f"{method.name} takes about {format_bytes(needed)} on {size.n_train} training and "
        f"{size.n_test} test series of length {size.length}{dimensions}, but may take "
        f"{format_bytes(limit)}; give it more with --memory-limit, or leave it out."
    )


def _kernel_memory(size: Size, method: KernelMethod, n_jobs: int) -> int:
    n, m, T = size.n_train, size.n_test, size.length
    family, batch = method.kernel, method.largest_batch(T)
    held = SERIES * _values(size)
    pair = 2 * n // size.n_classes
    # Beside the Gram matrix a machine has its validation columns and the matrix of a pair.
    job = family.buffer_size(batch, (n, n), T) + n * n + pair * pair
    test = family.buffer_size(batch[:1], (n, m), T) * (n_jobs if method.is_fittable else 1) + n * n
    if not family.uses_time:
        held += PRODUCTS * n * n
        test += PRODUCTS * n * m
    return BASE + 8 * (held + max(n_jobs * job, test))


def _network_memory(size: Size, method: NetworkMethod, experiment: Experiment, n_jobs: int) -> int:
    from rntk_bench.networks.models import RNN_CELLS

    gates = RNN_CELLS[method.name].gates
    data = 8 * SERIES * _values(size)
    # In single precision, with room to the next bucket.
    packed = 4 * 2 * max(size.n_train, size.n_test) * size.length * size.n_dimensions
    settings = [(int(s["n_layers"]), int(s["width"])) for s in method.settings()]
    networks = set(settings)
    # While settings tie, the evaluation holds the weights of all of their folds' best epochs.
    per_fold = sum(n * ((2 * n_layers - 1) * n + size.n_dimensions) for n_layers, n in settings)
    weights = 4 * experiment.network.n_folds * gates * per_fold
    largest = gates * max(n_layers * width for n_layers, width in networks)
    batch = min(experiment.network.batch_size, size.n_train)
    states = int(STATES * 4 * size.length * batch * largest)
    job = NETWORK_BASE + len(networks) * COMPILED + states + packed
    return NETWORK_BASE + data + weights + n_jobs * job


def _values(size: Size) -> int:
    """Number of values in all series of a dataset."""
    return (size.n_train + size.n_test) * size.length * size.n_dimensions
