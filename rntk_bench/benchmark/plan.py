"""The plan of a run: which methods are evaluated on which datasets, and where each record goes.

A plan reads and computes nothing; the runner does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rntk_bench.config import Experiment
from rntk_bench.methods import Method
from rntk_bench.storage.records import record_path


@dataclass(frozen=True)
class Evaluation:
    """A method that is to be evaluated on a dataset.

    Parameters
    ----------
    dataset : str
    method : Method
    experiment : Experiment
    results : Path
        Folder of the records.
    """

    dataset: str
    method: Method
    experiment: Experiment
    results: Path

    @property
    def key(self) -> tuple[str, str]:
        """Names of the dataset and the method, which identify an evaluation in its plan."""
        return self.dataset, self.method.name

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


def make_plan(
    datasets: Sequence[str], methods: Sequence[Method], experiment: Experiment, results: Path
) -> list[Evaluation]:
    """Every method on every dataset, dataset by dataset."""
    return [
        Evaluation(dataset, method, experiment, results)
        for dataset in datasets
        for method in methods
    ]
