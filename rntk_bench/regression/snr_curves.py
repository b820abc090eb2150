"""The curves of Figure 4: the average SNR against segment length, noise or training set size."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from rntk_bench.errors import InputError, RntkBenchError, format_bytes
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import N_FOLDS, Conditions, KernelGrid, Signal, run_repeat
from rntk_bench.storage.checkpoint import Checkpoint, checkpoint_path
from rntk_bench.svm.ridge import RIDGES

BATCH_SIZE = 10
"""Number of repeats that are computed and stored together."""
COPIES = 4.5
"""Peak memory of a repeat as a multiple of the Gram matrices of all settings. From 4.2 to 4.5 were
measured for 18 to 900 settings where these are most of it."""
DEFAULT_VALUES: Final[Mapping[str, tuple[float, ...]]] = {
    "length": (0, 10, 20, 30, 40),
    "noise": (0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    "train": (10, 20, 30, 40, 50),
}
"""The values of each parameter that can be varied. They are ours; the paper does not print them."""


@dataclass(frozen=True)
class VariedParameter:
    """A signal, the parameter of `Conditions` that is varied, and its values."""

    signal: Signal
    name: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.name == "noise" and self.signal.name != "sine":
            raise InputError("Only the sine has noise; use --vary length or --vary train.")
        for value in self.values:
            valid_type = self.name == "noise" or float(value).is_integer()
            if not (math.isfinite(value) and value >= 0 and valid_type):
                kind = "a number" if self.name == "noise" else "an integer"
                raise InputError(f"--value is {value:g}, but {self.name} must be {kind} >= 0.")

    def conditions(self, value: float) -> Conditions:
        """Return the default conditions with the parameter set to `value`."""
        changes: dict[str, Any] = {self.name: value if self.name == "noise" else int(value)}
        return replace(Conditions(), **changes)


def compute_snr_curves(
    varied: VariedParameter,
    methods: Sequence[KernelMethod],
    n_repeats: int,
    seed: int,
    n_jobs: int,
    checkpoint_path: Path,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Compute the average SNR of each method at each value of a parameter.

    Finished repeats are stored in the file `checkpoint_path` and not computed again. The result is
    the same for any number of jobs.

    Returns
    -------
    DataFrame
        Columns value, method, snr (in dB), standard_error and repeats.

    Raises
    ------
    StorageError
        If the checkpoint cannot be written.
    RntkBenchError
        If a worker process is ended from outside.
    """
    checkpoint = Checkpoint(checkpoint_path, _checkpoint_header(varied, methods, seed))
    batches = {(entry["value"], entry["start"]): entry["snr"] for entry in checkpoint.entries}
    starts = range(0, n_repeats, BATCH_SIZE)
    wanted = [(value, start) for value in varied.values for start in starts]
    missing = [key for key in wanted if key not in batches]
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    n_done = len(wanted) - len(missing)
    if progress is not None:
        progress(n_done, len(wanted))
    try:
        for value, start, ratios in parallel(
            delayed(_run_batch)(varied, methods, seed, value, start) for value, start in missing
        ):
            checkpoint.append({"value": value, "start": start, "snr": ratios})
            batches[value, start] = ratios
            n_done += 1
            if progress is not None:
                progress(n_done, len(wanted))
    except BrokenExecutor:
        raise RntkBenchError(
            "A worker process was ended from outside, perhaps for lack of memory; run the same "
            "command again with fewer --jobs, and it will continue from what is done."
        ) from None
    rows = []
    for value in varied.values:
        for method in methods:
            ratios = [ratio for start in starts for ratio in batches[value, start][method.name]][
                :n_repeats
            ]
            error = np.std(ratios, ddof=1) / math.sqrt(n_repeats) if n_repeats > 1 else math.nan
            rows.append((value, method.name, np.mean(ratios), error, n_repeats))
    return pd.DataFrame(rows, columns=["value", "method", "snr", "standard_error", "repeats"])


def limit_jobs(
    memory_limit: int | None,
    varied: VariedParameter,
    methods: Sequence[KernelMethod],
    n_jobs: int,
) -> int:
    """How many repeats fit in the memory at a time, at most n_jobs.

    Parameters
    ----------
    memory_limit : int or None
        In bytes; None for no limit.

    Raises
    ------
    InputError
        If not even one fits.
    """
    if memory_limit is None:
        return n_jobs
    n_train = max(varied.conditions(value).train for value in varied.values)
    n_settings = max(len(method.settings) for method in methods)
    needed = int(8 * n_train * (COPIES * n_settings * n_train + varied.signal.n_test))
    if needed > memory_limit:
        raise InputError(
            f"A repeat with {n_train} training segments and {n_settings} settings takes about "
            f"{format_bytes(needed)}, but there are {format_bytes(memory_limit)} of memory; use "
            "fewer segments, or a configuration with a smaller grid."
        )
    return min(n_jobs, memory_limit // max(needed, 1))


def snr_checkpoint_path(
    folder: Path, name: str, varied: VariedParameter, methods: Sequence[KernelMethod], seed: int
) -> Path:
    """The checkpoint of the curves of these values, methods and seed."""
    values = {"values": list(varied.values)}
    return checkpoint_path(folder, name, _checkpoint_header(varied, methods, seed) | values)


def _checkpoint_header(
    varied: VariedParameter, methods: Sequence[KernelMethod], seed: int
) -> dict[str, Any]:
    """Everything that determines a repeat, except its number and the value of the parameter."""
    grids = {method.name: [list(axis) for axis in method.grid.items()] for method in methods}
    return {
        **varied.signal.describe(),
        "vary": varied.name,
        "conditions": asdict(Conditions()),
        "grids": grids,
        "ridges": list(RIDGES),
        "n_folds": N_FOLDS,
        "batch": BATCH_SIZE,
        "seed": seed,
    }


def _run_batch(
    varied: VariedParameter, methods: Sequence[KernelMethod], seed: int, value: float, start: int
) -> tuple[float, int, dict[str, list[float]]]:
    """Run the repeats start, .., start + BATCH_SIZE - 1 at one value of the parameter."""
    grids = [KernelGrid.from_method(method) for method in methods]
    conditions = varied.conditions(value)
    ratios = [
        run_repeat(varied.signal, conditions, grids, seed, number)
        for number in range(start, start + BATCH_SIZE)
    ]
    return value, start, {name: [ratio[name] for ratio in ratios] for name in ratios[0]}
