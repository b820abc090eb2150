"""Methods that are finite networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rntk_bench.config import Experiment, Value
from rntk_bench.errors import ConfigError
from rntk_bench.methods.base import FOLDS, Method


@dataclass(frozen=True)
class NetworkMethod(Method):
    """A kind of finite recurrent network, by its name in `rntk_bench.networks.models`."""

    progress_label: ClassVar[str] = "training"
    progress_unit: ClassVar[str] = "run"

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything but the data on which the result depends, as JSON values."""
        return {
            "method": self.name,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "optimizer": "RMSProp",
            **experiment.network.protocol(),
            "folds": FOLDS,
            "seed": experiment.seed,
            **experiment.split_protocol(),
        }

    def parameters(self) -> dict[str, Value]:
        """The grid's parameters."""
        return {name: values[0] for name, values in self.grid.items()}

    def check(self) -> None:
        """Raise ConfigError for a size or a learning rate that is not positive."""
        for name, values in self.grid.items():
            for value in values:
                if isinstance(value, str) or value <= 0:
                    raise ConfigError(f"grid.{self.name}.{name} holds {value!r}, but must be > 0.")
