"""The registry of methods; adding a kernel to the benchmark is one entry here.

The kernels' grids are the paper's, (25)-(28), (36)-(38), (40), (42) and (43); the networks' are
those of A.1.
"""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import product
from typing import Any, ClassVar, cast

import numpy as np

from rntk_bench.config import Experiment, Grid, Value
from rntk_bench.errors import ConfigError, InputError, KernelError, short_repr
from rntk_bench.kernels import NNGP, NTK, RBF, RNTK, Kernel, Polynomial
from rntk_bench.kernels.parameters import LARGEST_COUNT, as_integer, as_number

MAX_SETTINGS = 100_000
"""A grid's settings are listed before they are evaluated."""


def _plain(value: Any) -> Any:
    """A value of a grid as Python has it, which a record can hold."""
    return value.item() if isinstance(value, np.generic | np.ndarray) and not value.ndim else value


@dataclass(frozen=True)
class Method(ABC):
    """What stands in a column of the tables, and its grid in the order that breaks ties."""

    name: str
    grid: Grid
    default: Mapping[str, Value] = field(default_factory=dict, kw_only=True)
    """The setting to take where cross-validation cannot tell settings apart."""
    work: ClassVar[str]
    """What takes the time, for a progress bar, and `part`, of what it counts."""
    part: ClassVar[str]

    def __post_init__(self) -> None:
        grid = {name: tuple(map(_plain, axis)) for name, axis in self.grid.items()}
        object.__setattr__(self, "grid", grid)

    def settings(self) -> list[dict[str, Value]]:
        """Every combination of the grid's values, the last parameter varying fastest."""
        return [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]

    @property
    def default_setting(self) -> int:
        """Position of the default among `settings`.

        On each axis it is the value nearest to the declared one; the middle one where none is
        declared, or a name that the axis lacks.
        """
        position = 0
        for name, axis in self.grid.items():
            position = position * len(axis) + _nearest(axis, self.default.get(name))
        return position

    @abstractmethod
    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything that decides a cell's answer but the data, as JSON values."""

    @abstractmethod
    def parameters(self) -> dict[str, Value]:
        """Every parameter that may be an axis of the grid, with a value of its type."""

    @abstractmethod
    def check(self) -> None:
        """Raise ConfigError for a value of the grid that no setting can have."""


@dataclass(frozen=True)
class KernelMethod(Method):
    """A kernel family whose Grams go into support vector machines."""

    kernel: type[Kernel]
    work: ClassVar[str] = "Grams and SVMs"
    part: ClassVar[str] = "kernel"

    def kernels(self) -> list[Kernel]:
        """The kernels of `settings`, in the same order."""
        return [self.kernel(**setting) for setting in self.settings()]

    @cached_property
    def largest_batch(self) -> list[Kernel]:
        """The most kernels whose Grams are computed together."""
        kernels = self.kernels()
        return [kernels[position] for position in max(self.kernel.batches(kernels), key=len)]

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

    def parameters(self) -> dict[str, Value]:
        """The kernel's parameters."""
        known: dict[str, Any] = {
            field.name: field.default for field in fields(cast(Any, self.kernel))
        }
        return known | {name: axis[0] for name, axis in self.grid.items()}

    def check(self) -> None:
        """Make every kernel."""
        try:
            self.kernels()
        except KernelError as error:
            raise ConfigError(f"grid.{self.name}: {error}") from error


@dataclass(frozen=True)
class NetworkMethod(Method):
    """A kind of finite recurrent network, by its name in `rntk_bench.networks.models`."""

    work: ClassVar[str] = "training"
    part: ClassVar[str] = "run"

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything that decides a cell's answer but the data, as JSON values."""
        return {
            "method": self.name,
            "grid": {name: list(values) for name, values in self.grid.items()},
            "optimizer": "RMSProp",
            **experiment.network.protocol(),
            "seed": experiment.seed,
        }

    def parameters(self) -> dict[str, Value]:
        """The grid's axes."""
        return {name: axis[0] for name, axis in self.grid.items()}

    def check(self) -> None:
        """Sizes are at least 1, and rates above 0."""
        for name, axis in self.grid.items():
            for value in axis:
                if isinstance(value, str) or value <= 0:
                    raise ConfigError(f"grid.{self.name}.{name} holds {value!r}, but must be > 0.")


def _nearest(axis: Sequence[Value], wanted: Value | None) -> int:
    """Position of the value nearest to the wanted one, the middle if none is near to anything."""
    if wanted in axis:
        return axis.index(wanted)
    if not isinstance(wanted, int | float):
        return (len(axis) - 1) // 2
    distances = [abs(value - wanted) for value in axis if isinstance(value, int | float)]
    return distances.index(min(distances)) if len(distances) == len(axis) else (len(axis) - 1) // 2


_NETWORK_GRID: Grid = {
    "n_layers": (1, 2),
    "width": (50, 100, 200, 500),
    "learning_rate": (1e-2, 1e-3, 1e-4, 1e-5),
}
_NETWORK_DEFAULT: Mapping[str, Value] = {"n_layers": 1, "width": 100, "learning_rate": 1e-3}
_RNTK_GRID: Grid = {
    "sigma_w": (
        *(1.34, 1.35, 1.36, 1.37, 1.38, 1.39, 1.40, 1.41, 1.42),
        *(math.sqrt(2.0), 1.43, 1.44, 1.45, 1.46, 1.47),
    ),
    "sigma_u": (1.0,),
    "sigma_b": (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 2.0),
    "sigma_h": (0.0, 0.01, 0.1, 0.5, 1.0),
}

_RNTK_DEFAULT: Mapping[str, Value] = {
    "sigma_w": math.sqrt(2.0),
    "sigma_u": 1.0,
    "sigma_b": 0.1,
    "sigma_h": 0.0,
}
"""The paper's S_ReLU (section 3), but with a bias."""

KERNEL_METHODS: Mapping[str, KernelMethod] = {
    method.name: method
    for method in (
        KernelMethod("rntk", _RNTK_GRID, RNTK, default=_RNTK_DEFAULT),
        KernelMethod(
            "ntk",
            {
                "n_layers": tuple(range(1, 11)),
                "sigma_w": (0.5, 1.0, math.sqrt(2.0), 2.0, 2.5, 3.0),
                "sigma_b": (0.0, 0.01, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 5.0),
            },
            NTK,
            default={"n_layers": 1, "sigma_w": math.sqrt(2.0), "sigma_b": 0.1},
        ),
        KernelMethod(
            "rbf",
            {
                "alpha": (
                    *(0.01, 0.05, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 1.0),
                    *(2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 100.0),
                )
            },
            RBF,
            default={"alpha": 1.0},
        ),
        KernelMethod(
            "poly",
            {"degree": (1, 2, 3, 4, 5), "r": (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)},
            Polynomial,
            default={"degree": 3, "r": 1.0},
        ),
        # Beyond the paper: the readouts of arXiv:2012.04859, and the network's Gaussian process.
        KernelMethod(
            "rntk-avg", {"pooling": ("average",), **_RNTK_GRID}, RNTK, default=_RNTK_DEFAULT
        ),
        KernelMethod(
            "rntk-both", {"direction": ("both",), **_RNTK_GRID}, RNTK, default=_RNTK_DEFAULT
        ),
        KernelMethod("nngp", _RNTK_GRID, NNGP, default=_RNTK_DEFAULT),
        KernelMethod(
            "rntk-extended",
            {
                "direction": ("forward", "backward", "both"),
                "pooling": ("last", "average"),
                **_RNTK_GRID,
            },
            RNTK,
            default={"direction": "forward", "pooling": "last", **_RNTK_DEFAULT},
        ),
    )
}
NETWORK_METHODS: Mapping[str, NetworkMethod] = {
    name: NetworkMethod(name, _NETWORK_GRID, default=_NETWORK_DEFAULT)
    for name in ("rnn-gaussian", "rnn-identity", "gru")
}
METHODS: Mapping[str, Method] = {**KERNEL_METHODS, **NETWORK_METHODS}


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
    # Also the grids of methods that do not run: what they say must not wait to be refused.
    known = {
        name: with_grid(METHODS[name], experiment.grids.get(name, {}))
        for name in (*experiment.methods, *experiment.grids)
    }
    return [known[name] for name in dict.fromkeys(experiment.methods)]


def only_kernels(methods: Sequence[Method], command: str) -> list[KernelMethod]:
    """The methods, if all are kernels.

    Raises
    ------
    InputError
        If one is a finite network; the message names the command that takes none.
    """
    for method in methods:
        if not isinstance(method, KernelMethod):
            raise InputError(
                f"{command} takes kernels only, and {method.name} is a finite network."
            )
    return cast(list[KernelMethod], list(methods))


def with_grid(method: Method, replaced: Grid) -> Method:
    """The method with some axes of its grid replaced, or further parameters made axes.

    Raises
    ------
    ConfigError
        For an unknown parameter, or a value that no kernel takes.
    """
    if not replaced:
        return method
    known = method.parameters()
    typed = {
        parameter: _typed(f"grid.{method.name}.{parameter}", known, parameter, values)
        for parameter, values in replaced.items()
    }
    changed = replace(method, grid={**method.grid, **typed})
    size = math.prod(map(len, changed.grid.values()))
    if size > MAX_SETTINGS:
        raise ConfigError(
            f"grid.{method.name} has {size} settings, but may have {MAX_SETTINGS}; leave some out."
        )
    changed.check()
    return changed


def _typed(
    key: str, known: Mapping[str, Value], parameter: str, values: tuple[Value, ...]
) -> tuple[Value, ...]:
    """The values as the parameter has them: 1 and 1.0 must make one protocol."""
    if parameter not in known:
        raise ConfigError(f"{key} is not a parameter; known are {', '.join(known)}.")
    kind = type(known[parameter])
    read, named = _TYPES[kind]
    typed = []
    for value in values:
        if (plain := read(value)) is None:
            raise ConfigError(f"{key} holds {short_repr(value)}, but must be a list of {named}.")
        if kind is int and plain > LARGEST_COUNT:
            raise ConfigError(f"{key} holds {value!r}, but must be at most {LARGEST_COUNT}.")
        typed.append(plain)
    return tuple(typed)


def _as_name(value: object) -> str | None:
    return str(value) if isinstance(value, str) else None


_TYPES: Mapping[type, tuple[Callable[[object], Any], str]] = {
    float: (as_number, "numbers"),
    int: (as_integer, "integers"),
    str: (_as_name, "names"),
}
