"""The plan of a run: which methods are evaluated on which resamples of which datasets, and where
each record goes.

A plan reads and computes nothing; the runner does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rntk_bench.config import Experiment
from rntk_bench.methods import Method
from rntk_bench.storage.records import record_path

LOCKS = tuple(f".*-{8 * '[0-9a-f]'}{resample}.lock" for resample in ("", "-resample*"))
"""Patterns for the names of the locks of records, which no other program's files have."""


@dataclass(frozen=True)
class Evaluation:
    """A method that is to be evaluated on a dataset, or on a resample of it.

    Parameters
    ----------
    dataset : str
    method : Method
    experiment : Experiment
        Its `resample` is the evaluation's.
    results : Path
        Folder of the records.
    """

    dataset: str
    method: Method
    experiment: Experiment
    results: Path

    @property
    def key(self) -> tuple[str, str, int]:
        """The dataset, the method and the resample, which identify an evaluation in its plan."""
        return self.dataset, self.method.name, self.experiment.resample

    @property
    def title(self) -> str:
        """The key as text."""
        return evaluation_title(*self.key)

    @cached_property
    def protocol(self) -> dict[str, Any]:
        """Everything but the data on which the result depends, as JSON values."""
        return self.method.protocol(self.experiment)

    @cached_property
    def record_path(self) -> Path:
        """The file of the record.

        Raises
        ------
        InputError
            If the dataset's name cannot be the name of a folder.
        """
        return record_path(self.results, self.dataset, self.method.name, self.protocol)

    @property
    def lock_path(self) -> Path:
        """The file that a process locks while it computes the record."""
        return self.record_path.with_name(f".{self.record_path.stem}.lock")

    @property
    def checkpoint_path(self) -> Path:
        """The file with the finished training runs of a network."""
        return self.record_path.with_suffix(".partial")


def evaluation_title(dataset: str, method: str, resample: int) -> str:
    """The names of a dataset and a method, and the number of the resample if it is not 0."""
    return f"{dataset} {method}" + (f" resample {resample}" if resample else "")


def make_plan(
    datasets: Sequence[str],
    methods: Sequence[Method],
    experiment: Experiment,
    results: Path,
    resamples: Sequence[int] = (0,),
) -> list[Evaluation]:
    """Every method on every resample of every dataset, dataset by dataset."""
    experiments = [replace(experiment, resample=resample) for resample in resamples]
    return [
        Evaluation(dataset, method, of_resample, results)
        for dataset in datasets
        for of_resample in experiments
        for method in methods
    ]
