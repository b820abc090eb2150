"""Curves of Figure 4: the average SNR against segment length, noise or training size."""

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

from rntk_bench.errors import InputError, RntkBenchError
from rntk_bench.methods import KernelMethod
from rntk_bench.regression.experiment import N_FOLDS, Conditions, Family, Signal, repeat
from rntk_bench.storage.checkpoint import Checkpoint
from rntk_bench.svm.ridge import RIDGES

BATCH = 10
"""Repeats that are computed and stored together."""
VALUES: Final[Mapping[str, tuple[float, ...]]] = {
    "length": (0, 10, 20, 30, 40),
    "noise": (0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    "train": (10, 20, 30, 40, 50),
}
"""What is varied, and its values; the paper prints none."""


@dataclass(frozen=True)
class Panel:
    """A signal, which of `Conditions` varies, and over which values."""

    signal: Signal
    vary: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.vary == "noise" and self.signal.name != "sine":
            raise InputError("Only the sine has noise to vary; take --vary length or train.")
        for value in self.values:
            whole = self.vary == "noise" or float(value).is_integer()
            if not (math.isfinite(value) and value >= 0 and whole):
                kind = "a number" if self.vary == "noise" else "an integer"
                raise InputError(f"--value is {value:g}, but {self.vary} must be {kind} >= 0.")

    def conditions(self, value: float) -> Conditions:
        """The conditions of one point."""
        changed: dict[str, Any] = {self.vary: value if self.vary == "noise" else int(value)}
        return replace(Conditions(), **changed)


def snr_curves(
    panel: Panel,
    methods: Sequence[KernelMethod],
    repeats: int,
    seed: int,
    n_jobs: int,
    partial: Path,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Average SNR of each method at each value.

    Repeats are kept in the file `partial` as they are done, and not computed again; the result is
    the same for any number of jobs.

    Returns
    -------
    DataFrame with columns value, method, snr (dB), standard_error, repeats

    Raises
    ------
    StorageError
        If `partial` cannot be written to.
    RntkBenchError
        If a process that computes is ended from outside.
    """
    journal = Checkpoint(partial, _header(panel, methods, seed))
    found = {(entry["value"], entry["start"]): entry["snr"] for entry in journal.entries}
    wanted = [(value, start) for value in panel.values for start in range(0, repeats, BATCH)]
    missing = [point for point in wanted if point not in found]
    pool = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    done = len(wanted) - len(missing)
    if progress is not None:
        progress(done, len(wanted))
    try:
        for value, start, ratios in pool(
            delayed(_batch)(panel.signal, panel.conditions(value), methods, seed, value, start)
            for value, start in missing
        ):
            journal.append({"value": value, "start": start, "snr": ratios})
            found[value, start] = ratios
            done += 1
            if progress is not None:
                progress(done, len(wanted))
    except BrokenExecutor:
        raise RntkBenchError(
            "A process that computes repeats was ended from outside, perhaps for lack of memory; "
            "run the same command again, which keeps what is done, with fewer --jobs."
        ) from None
    rows = []
    for value in panel.values:
        for method in methods:
            ratios = [
                ratio
                for start in range(0, repeats, BATCH)
                for ratio in found[value, start][method.name]
            ][:repeats]
            error = np.std(ratios, ddof=1) / math.sqrt(repeats) if repeats > 1 else math.nan
            rows.append((value, method.name, np.mean(ratios), error, repeats))
    return pd.DataFrame(rows, columns=["value", "method", "snr", "standard_error", "repeats"])


def _header(panel: Panel, methods: Sequence[KernelMethod], seed: int) -> dict[str, Any]:
    """Everything that decides a repeat but its number and the value that varies."""
    grids = {method.name: [list(axis) for axis in method.grid.items()] for method in methods}
    return {
        **panel.signal.describe(),
        "vary": panel.vary,
        "conditions": asdict(Conditions()),
        "grids": grids,
        "ridges": list(RIDGES),
        "n_folds": N_FOLDS,
        "batch": BATCH,
        "seed": seed,
    }


def _batch(
    signal: Signal,
    conditions: Conditions,
    methods: Sequence[KernelMethod],
    seed: int,
    value: float,
    start: int,
) -> tuple[float, int, dict[str, list[float]]]:
    families = [Family.of(method) for method in methods]
    ratios = [
        repeat(signal, conditions, families, seed, number) for number in range(start, start + BATCH)
    ]
    return value, start, {name: [ratio[name] for ratio in ratios] for name in ratios[0]}
