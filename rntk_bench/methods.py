"""The registry of methods: a method is added to the benchmark by one entry here.

Kernels are imported when they are first used, so that commands which only need the methods' names
and descriptions start at once.
"""

from __future__ import annotations

import difflib
import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rntk_bench.config import Experiment, Grid, Value
from rntk_bench.errors import ConfigError, InputError, KernelError, short_repr

if TYPE_CHECKING:
    from rntk_bench.kernels import Kernel

MAX_SETTINGS = 100_000
"""Largest number of settings in a grid: they are all listed before the first is evaluated."""


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


@dataclass(frozen=True)
class KernelMethod(Method):
    """Support vector machines with a kernel.

    Parameters
    ----------
    kernel_class : subclass of Kernel, or str
        A string names a class of `rntk_bench.kernels`.
    """

    kernel_class: type[Kernel] | str
    progress_label: ClassVar[str] = "Grams and SVMs"
    progress_unit: ClassVar[str] = "kernel"

    @cached_property
    def kernel(self) -> type[Kernel]:
        """The kernel's class."""
        if not isinstance(self.kernel_class, str):
            return self.kernel_class
        kernels = importlib.import_module("rntk_bench.kernels")
        return cast("type[Kernel]", getattr(kernels, self.kernel_class))

    def kernels(self) -> list[Kernel]:
        """The kernels of `settings`, in the same order."""
        return [self.kernel(**setting) for setting in self.settings()]

    @cached_property
    def largest_batch(self) -> list[Kernel]:
        """The largest group of kernels whose Gram matrices are computed together."""
        kernels = self.kernels()
        return [kernels[position] for position in max(self.kernel.batches(kernels), key=len)]

    def protocol(self, experiment: Experiment) -> dict[str, Any]:
        """Everything but the data on which the result depends, as JSON values."""
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
        defaults: dict[str, Any] = {
            field.name: field.default for field in fields(cast(Any, self.kernel))
        }
        return defaults | {name: values[0] for name, values in self.grid.items()}

    def check(self) -> None:
        """Raise ConfigError if a kernel does not accept a setting."""
        try:
            self.kernels()
        except KernelError as error:
            raise ConfigError(f"grid.{self.name}: {error}") from error


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
            "seed": experiment.seed,
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


# The paper's grids: (25)-(28) of the RNTK, (36)-(38) of the NTK, (40) of the RBF kernel, (42) and
# (43) of the polynomial kernel, and A.1 of the networks.
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
_NTK_GRID: Grid = {
    "n_layers": tuple(range(1, 11)),
    "sigma_w": (0.5, 1.0, math.sqrt(2.0), 2.0, 2.5, 3.0),
    "sigma_b": (0.0, 0.01, 0.1, 0.2, 0.5, 0.8, 1.0, 2.0, 5.0),
}
_RBF_GRID: Grid = {
    "alpha": (
        *(0.01, 0.05, 0.1, 0.2, 0.5, 0.6, 0.7, 0.8, 1.0),
        *(2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 30.0, 40.0, 100.0),
    )
}
_POLYNOMIAL_GRID: Grid = {"degree": (1, 2, 3, 4, 5), "r": (0.0, 0.1, 0.2, 0.5, 1.0, 2.0)}
_NETWORK: dict[str, Any] = {
    "grid": {
        "n_layers": (1, 2),
        "width": (50, 100, 200, 500),
        "learning_rate": (1e-2, 1e-3, 1e-4, 1e-5),
    },
    "default": {"n_layers": 1, "width": 100, "learning_rate": 1e-3},
}

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        KernelMethod(
            "rntk",
            _RNTK_GRID,
            "RNTK",
            default=_RNTK_DEFAULT,
            title="RNTK",
            summary="tangent kernel of an infinitely wide recurrent network, read out at the last "
            "step",
            reference="Theorem 1, (116) and (141)",
        ),
        KernelMethod(
            "ntk",
            _NTK_GRID,
            "NTK",
            default={"n_layers": 1, "sigma_w": math.sqrt(2.0), "sigma_b": 0.1},
            title="NTK",
            summary="tangent kernel of an infinitely wide perceptron, the series one vector",
            reference="(30) to (35)",
        ),
        KernelMethod(
            "rbf",
            _RBF_GRID,
            "RBF",
            default={"alpha": 1.0},
            title="RBF",
            summary="radial basis function, the series one vector",
            reference="(39)",
        ),
        KernelMethod(
            "poly",
            _POLYNOMIAL_GRID,
            "Polynomial",
            default={"degree": 3, "r": 1.0},
            title="Polynomial",
            summary="polynomial kernel, the series one vector",
            reference="(41)",
        ),
        # Not in the paper: the readouts of arXiv:2012.04859, and the network's Gaussian process.
        KernelMethod(
            "rntk-avg",
            {"pooling": ("average",), **_RNTK_GRID},
            "RNTK",
            default=_RNTK_DEFAULT,
            title="RNTK average",
            summary="the RNTK with a readout at every step",
            reference="(141) at every step, arXiv:2012.04859",
        ),
        KernelMethod(
            "rntk-both",
            {"direction": ("both",), **_RNTK_GRID},
            "RNTK",
            default=_RNTK_DEFAULT,
            title="RNTK both",
            summary="the sum of the RNTKs forward and backward in time",
            reference="(141) in both directions, arXiv:2012.04859",
        ),
        KernelMethod(
            "nngp",
            _RNTK_GRID,
            "NNGP",
            default=_RNTK_DEFAULT,
            title="NNGP",
            summary="Gaussian process of the RNTK's network: its output before any training",
            reference="(9)",
        ),
        KernelMethod(
            "rntk-extended",
            {
                "direction": ("forward", "backward", "both"),
                "pooling": ("last", "average"),
                **_RNTK_GRID,
            },
            "RNTK",
            default={"direction": "forward", "pooling": "last", **_RNTK_DEFAULT},
            title="RNTK extended",
            summary="the RNTK, its direction and pooling chosen by cross-validation too",
            reference="(141), arXiv:2012.04859",
        ),
        NetworkMethod(
            "rnn-gaussian",
            title="Gaussian RNN",
            summary="finite ReLU network in NTK parametrisation, its weights drawn from a Gaussian",
            reference="A.1",
            **_NETWORK,
        ),
        NetworkMethod(
            "rnn-identity",
            title="Identity RNN",
            summary="finite ReLU network that begins with W = I",
            reference="A.1; Le, Jaitly and Hinton (2015), arXiv:1504.00941",
            **_NETWORK,
        ),
        NetworkMethod(
            "gru",
            title="GRU",
            summary="finite network of gated recurrent units",
            reference="A.1; Cho et al. (2014), arXiv:1406.1078",
            **_NETWORK,
        ),
    )
}
KERNEL_METHODS: Mapping[str, KernelMethod] = {
    name: method for name, method in METHODS.items() if isinstance(method, KernelMethod)
}
NETWORK_METHODS: Mapping[str, NetworkMethod] = {
    name: method for name, method in METHODS.items() if isinstance(method, NetworkMethod)
}


def display_name(name: str) -> str:
    """A method's title in tables; its name if it is not in the registry."""
    return METHODS[name].title if name in METHODS else name


def resolve(experiment: Experiment) -> list[Method]:
    """The experiment's methods, with its grids in place of the registry's.

    Raises
    ------
    ConfigError
        For an unknown method, an unknown grid parameter, or a value that no kernel accepts.
    """
    for name in (*experiment.methods, *experiment.grids):
        if name not in METHODS:
            near = difflib.get_close_matches(name, METHODS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(METHODS)}."
            raise ConfigError(f"There is no method {name!r}; {hint}")
    # Grids of methods that do not run are checked as well.
    methods = {
        name: with_grid(METHODS[name], experiment.grids.get(name, {}))
        for name in dict.fromkeys((*experiment.methods, *experiment.grids))
    }
    return [methods[name] for name in dict.fromkeys(experiment.methods)]


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
    """The method with the values of some parameters replaced, or with further parameters.

    Raises
    ------
    ConfigError
        For an unknown parameter, or a value that no kernel accepts.
    """
    if not replaced:
        return method
    known = method.parameters()
    typed = {
        parameter: _convert(f"grid.{method.name}.{parameter}", known, parameter, values)
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


def _convert(
    key: str, known: Mapping[str, Value], parameter: str, values: tuple[Value, ...]
) -> tuple[Value, ...]:
    """The values in the parameter's type, so that 1 and 1.0 are the same protocol."""
    from rntk_bench.kernels.parameters import LARGEST_COUNT, as_integer, as_number

    if parameter not in known:
        raise ConfigError(f"{key} is not a parameter; known are {', '.join(known)}.")
    kind = type(known[parameter])
    convert, type_name = {
        float: (as_number, "numbers"),
        int: (as_integer, "integers"),
        str: (_as_string, "names"),
    }[kind]
    converted: list[Any] = []
    for value in values:
        if (plain := convert(value)) is None:
            raise ConfigError(
                f"{key} holds {short_repr(value)}, but must be a list of {type_name}."
            )
        if kind is int and plain > LARGEST_COUNT:
            raise ConfigError(f"{key} holds {value!r}, but must be at most {LARGEST_COUNT}.")
        converted.append(plain)
    return tuple(converted)


def _as_string(value: object) -> Any:
    return str(value) if isinstance(value, str) else None
