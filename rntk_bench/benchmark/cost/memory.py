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
NETWORKS = 270 << 20
"""Bytes to compile the loops that train networks, and of JAX, which is asked for an accelerator."""
WEIGHTS = 8
"""How often a training run holds the weights: with their scales, gradients, moving means, those of
the best epoch and so on."""


def estimate_memory(size: Size, method: Method, experiment: Experiment, n_jobs: int = 1) -> int:
    """Estimated peak memory of an evaluation in bytes.

    Parameters
    ----------
    size : Size
        A dataset, or an entry of the archive's table.
    method : Method
    experiment : Experiment
    n_jobs : int
        Number of threads.
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
    # Beside the Gram matrix a machine has its validation columns and two matrices of a pair.
    job = family.buffer_size(batch, (n, n), T) + n * n + 2 * pair * pair
    test = family.buffer_size(batch[:1], (n, m), T) * (n_jobs if method.is_fittable else 1) + n * n
    if not family.uses_time:
        held += PRODUCTS * n * n
        test += PRODUCTS * n * m
    return BASE + 8 * (held + max(n_jobs * job, test))


def _network_memory(size: Size, method: NetworkMethod, experiment: Experiment, n_jobs: int) -> int:
    from rntk_bench.networks.compiled.layout import Shape
    from rntk_bench.networks.compiled.training import buffer_values
    from rntk_bench.networks.models import Classifier

    protocol = experiment.network
    shapes = [
        Shape.of(
            Classifier(
                method.name,
                int(setting["width"]),
                int(setting["n_layers"]),
                size.n_dimensions,
                size.n_classes,
            )
        )
        for setting in method.settings
    ]
    batch = min(protocol.batch_size, size.n_train)
    jobs = (
        WEIGHTS * shape.n_weights + buffer_values(shape, size.length, batch) for shape in shapes
    )
    # The best weights of every run whose setting may still be chosen.
    kept = protocol.n_folds * sum(shape.n_weights for shape in shapes)
    mini_batches = protocol.n_folds * protocol.max_epochs * size.n_train
    # In single precision, with room to the next power of two.
    padded = 2 * max(size.n_train, size.n_test) * size.length * size.n_dimensions
    singles = n_jobs * max(jobs) + kept + 2 * mini_batches + padded
    return BASE + NETWORKS + 8 * SERIES * _values(size) + 4 * singles


def _values(size: Size) -> int:
    """Number of values in all series of a dataset."""
    return (size.n_train + size.n_test) * size.length * size.n_dimensions
