"""The registry of methods; adding a kernel to the benchmark is one entry here.

The grids are the paper's, (25)-(28), (36)-(38), (40), (42) and (43).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, cast

from rntk_bench.config import Experiment, Grid, Value
from rntk_bench.errors import ConfigError, KernelError
from rntk_bench.kernels import NNGP, NTK, RBF, RNTK, Kernel, Polynomial


@dataclass(frozen=True)
class Method:
    """A kernel family and the grid of its parameters, in the order that breaks ties."""

    name: str
    kernel: type[Kernel]
    grid: Grid

    def settings(self) -> list[dict[str, Value]]:
        """Every combination of the grid's values, the last parameter varying fastest."""
        return [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]

    def kernels(self) -> list[Kernel]:
        """The kernels of `settings`, in the same order."""
        return [self.kernel(**setting) for setting in self.settings()]

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything that decides a cell's answer but the data, as JSON values."""
        return {
            "method": self.name,
            "kernel": self.kernel.__name__,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "preprocessing": "unit norm",
            "classifier": "C-SVC, one-vs-one",
            "C": list(experiment.C),
            "n_folds": experiment.n_folds,
            "tolerance": experiment.tolerance,
            "max_iterations": experiment.max_iterations,
            "seed": experiment.seed,
        }


_RNTK_GRID: Grid = {
    "sigma_w": (
        *(1.34, 1.35, 1.36, 1.37, 1.38, 1.39, 1.40, 1.41, 1.42),
        *(math.sqrt(2.0), 1.43, 1.44, 1.45, 1.46, 1.47),
    ),
    "sigma_u": (1.0,),
    "sigma_b": (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 2.0),
    "sigma_h": (0.0, 0.01, 0.1, 0.5, 1.0),
}

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("rntk", RNTK, _RNTK_GRID),
        Method(
            "ntk",
            NTK,
            {
                "n_layers": tuple(range(1, 11)),
                "sigma_w": (0.5, 1.0, math.sqrt(2.0), 2.0, 2.5, 3.0),
                "sigma_b": (0.0, 0.01, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 5.0),
            },
        ),
        Method(
            "rbf",
            RBF,
            {
                "alpha": (
                    *(0.01, 0.05, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 1.0),
                    *(2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 100.0),
                )
            },
        ),
        Method(
            "poly",
            Polynomial,
            {"degree": (1, 2, 3, 4, 5), "r": (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)},
        ),
        # Beyond the paper: the readouts of arXiv:2012.04859, and the network's Gaussian process.
        Method("rntk-avg", RNTK, {"pooling": ("average",), **_RNTK_GRID}),
        Method("rntk-both", RNTK, {"direction": ("both",), **_RNTK_GRID}),
        Method("nngp", NNGP, _RNTK_GRID),
        Method(
            "rntk-extended",
            RNTK,
            {
                "direction": ("forward", "backward", "both"),
                "pooling": ("last", "average"),
                **_RNTK_GRID,
            },
        ),
    )
}


def resolve(experiment: Experiment) -> list[Method]:
    """The experiment's methods with its grids in place of the registry's.

    Raises
    ------
    ConfigError
        For an unknown method, an unknown grid parameter, or a value no kernel takes.
    """
    for name in (*experiment.methods, *experiment.grids):
        if name not in METHODS:
            near = difflib.get_close_matches(name, METHODS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(METHODS)}."
            raise ConfigError(f"There is no method {name!r}; {hint}")
    return [
        _with_grid(METHODS[name], experiment.grids) for name in dict.fromkeys(experiment.methods)
    ]


def _with_grid(method: Method, grids: Mapping[str, Grid]) -> Method:
    replaced = grids.get(method.name)
    if replaced is None:
        return method
    typed = {
        parameter: _typed(f"grid.{method.name}.{parameter}", method, parameter, values)
        for parameter, values in replaced.items()
    }
    changed = Method(method.name, method.kernel, {**method.grid, **typed})
    try:
        changed.kernels()
    except KernelError as error:
        raise ConfigError(f"grid.{method.name}: {error}") from error
    return changed


def _typed(
    key: str, method: Method, parameter: str, values: tuple[Value, ...]
) -> tuple[Value, ...]:
    """The values as the kernel's parameter has them: 1 and 1.0 must make one protocol."""
    known = {field.name: field.default for field in fields(cast(Any, method.kernel))}
    for name, axis in method.grid.items():
        known[name] = axis[0]
    if parameter not in known:
        raise ConfigError(f"{key} is not a parameter; known are {', '.join(known)}.")
    kind = type(known[parameter])
    accepted = {float: (int, float), int: (int,), str: (str,)}[kind]
    for value in values:
        if not isinstance(value, accepted):
            named = {float: "numbers", int: "integers", str: "names"}[kind]
            raise ConfigError(f"{key} holds {value!r}, but must be a list of {named}.")
    return tuple(map(kind, values))
