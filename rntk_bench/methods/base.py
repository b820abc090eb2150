"""What a method of the benchmark is: a description and a grid of hyperparameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

from rntk_bench.config import Experiment, Grid, Value

FOLDS = "StratifiedKFold"
"""Whose folds all cross-validations have; see `svm.folds.stratified_folds`."""


@dataclass(frozen=True)
class Method(ABC):
    """A method of the benchmark: its description and its grid of hyperparameters.

    Parameters
    ----------
    name : str
        Its name on the command line and in records.
    grid : mapping of str to sequence
        Values of each hyperparameter. The last one varies fastest; of settings with equal accuracy
        the first is chosen.
    default : mapping of str to value
        The setting to choose if cross-validation does not prefer any.
    title : str
        Its name in tables; `name` if empty.
    summary : str
        What it is, in one line.
    reference : str
        Where its formula is; numbers are the paper's equations.
    """

    name: str
    grid: Grid
    default: Mapping[str, Value] = field(default_factory=dict, kw_only=True)
    title: str = field(default="", kw_only=True)
    summary: str = field(default="", kw_only=True)
    reference: str = field(default="", kw_only=True)
    progress_label: ClassVar[str]
    """What a progress bar says is computed."""
    progress_unit: ClassVar[str]
    """What a progress bar counts."""

    def __post_init__(self) -> None:
        grid = {name: tuple(map(_to_python, values)) for name, values in self.grid.items()}
        object.__setattr__(self, "grid", grid)
        object.__setattr__(self, "title", self.title or self.name)

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what follows from them is computed again where the method arrives."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @cached_property
    def settings(self) -> list[dict[str, Value]]:
        """Every combination of the grid's values, the last parameter varying fastest."""
        return [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]

    @property
    def default_setting(self) -> int:
        """Position of the default among `settings`.

        Of each hyperparameter it has the value nearest to the declared default, or the middle value
        if no default is declared or the default is a name that the grid does not contain.
        """
        position = 0
        for name, values in self.grid.items():
            position = position * len(values) + _nearest(values, self.default.get(name))
        return position

    @abstractmethod
    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything but the data on which the result depends, as JSON values."""

    @abstractmethod
    def parameters(self) -> dict[str, Value]:
        """Every parameter that the grid may have, with a value of its type."""

    @abstractmethod
    def check(self) -> None:
        """Raise ConfigError if the grid has a value that the method does not accept."""


def _to_python(value: Any) -> Any:
    """A NumPy scalar as the Python number that a record can hold; other values as they are."""
    return value.item() if hasattr(value, "item") and not getattr(value, "ndim", 0) else value


def _nearest(values: Sequence[Value], wanted: Value | None) -> int:
    """Position of the value nearest to the wanted one, or of the middle value if none is near."""
    if wanted in values:
        return values.index(wanted)
    middle = (len(values) - 1) // 2
    if not isinstance(wanted, int | float):
        return middle
    distances = [abs(value - wanted) for value in values if isinstance(value, int | float)]
    return distances.index(min(distances)) if len(distances) == len(values) else middle
