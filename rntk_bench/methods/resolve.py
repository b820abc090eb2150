"""The methods of an experiment, with its grids in place of the registry's."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from rntk_bench.config import Experiment, Grid, Value
from rntk_bench.errors import ConfigError, InputError, short_repr
from rntk_bench.methods.base import Method
from rntk_bench.methods.kernel_method import KernelMethod
from rntk_bench.methods.registry import METHODS
from rntk_bench.methods.relative import NAMED_VALUES, REPLACED

_EITHER_OR = [*REPLACED.items(), *((other, name) for name, other in REPLACED.items())]
MAX_SETTINGS = 100_000
"""Largest number of settings in a grid: they are all listed before the first is evaluated."""


def resolve(experiment: Experiment) -> list[Method]:
    """The experiment's methods, with its grids in place of the registry's.

    Raises
    ------
    ConfigError
        For an unknown method, an unknown grid parameter, or a value that no kernel accepts.
    """
    methods = {name: _known(name) for name in experiment.methods}
    try:
        # Grids of methods that do not run are checked as well.
        methods |= {name: with_grid(_known(name), grid) for name, grid in experiment.grids.items()}
    except ConfigError as error:
        if experiment.file is None:
            raise
        raise ConfigError(f"{experiment.file}: {error}") from error
    return [methods[name] for name in dict.fromkeys(experiment.methods)]


def _known(name: str) -> Method:
    if name not in METHODS:
        near = difflib.get_close_matches(name, METHODS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(METHODS)}."
        raise ConfigError(f"There is no method {name!r}; {hint}")
    return METHODS[name]


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
                f"{command} takes kernels only, and {method.name} is a finite network; name a "
                "kernel with -m."
            )
    return cast(list[KernelMethod], list(methods))


def with_grid(method: Method, replaced: Grid) -> Method:
    """The method with the values of some parameters replaced, or with further parameters.

    A parameter that is relative to the length of the series replaces the one that it stands for,
    and the other way round.

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
    left_out = {other for name, other in _EITHER_OR if name in typed and other not in typed}
    kept = {name: axis for name, axis in method.grid.items() if name not in left_out}
    changed = replace(method, grid={**kept, **typed})
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
        if value in NAMED_VALUES.get(parameter, ()):
            converted.append(value)
            continue
        if (plain := convert(value)) is None:
            raise ConfigError(f"{key} holds {short_repr(value)}, but must be {type_name} only.")
        if kind is int and plain > LARGEST_COUNT:
            raise ConfigError(f"{key} holds {value!r}, but must be at most {LARGEST_COUNT}.")
        converted.append(plain)
    return tuple(converted)


def _as_string(value: object) -> Any:
    return str(value) if isinstance(value, str) else None
