"""Parameters as plain Python values: the one place that takes a number of any type or refuses it.

Kernels call these from `__post_init__`. What is stored is a float, an int, a str or a tuple of
floats, so that kernels of equal parameters are equal, hash alike and can be written as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rntk_bench.errors import KernelError, short_repr

LARGEST_COUNT = 1_000_000
"""More layers, or a higher degree, are a slip, and would fill the memory."""


def as_number(value: object) -> float | None:
    """A real number of any type as a float; None for anything else.

    Numbers are those of Python, NumPy, `fractions` and `decimal`, and arrays without an axis.
    Booleans and text are no numbers.
    """
    if isinstance(value, np.ma.MaskedArray):
        return None
    try:
        array = np.asarray(value)
        if array.ndim > 0 or array.dtype.kind not in "iufO":
            return None
        item = array.item()
        return None if isinstance(item, str | bytes | bool) else float(item)
    except (TypeError, ValueError, ArithmeticError, RuntimeError):
        return None


def as_integer(value: object) -> int | None:
    """A whole number of any type, 2.0 included, as an int; None for anything else."""
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() else None


def at_least_zero(kernel: object, **parameters: object) -> None:
    """Store parameters of a kernel as floats.

    Raises
    ------
    KernelError
        Naming the first that is not a finite number >= 0.
    """
    for name, value in parameters.items():
        _store(kernel, name, _at_least_zero(kernel, name, value))


def at_least_zero_in_each_layer(kernel: object, n_layers: int, **parameters: object) -> None:
    """Store parameters of a kernel as a float, or as a tuple with a float for each layer.

    Raises
    ------
    KernelError
        Naming the first that is neither one number nor as many as there are layers, or that
        holds a number that is not finite or not >= 0.
    """
    for name, value in parameters.items():
        if not _is_sequence(value):
            _store(kernel, name, _at_least_zero(kernel, name, value))
            continue
        values = tuple(_at_least_zero(kernel, name, each) for each in value)  # type: ignore[attr-defined]
        if len(values) != n_layers:
            raise KernelError(
                f"{type(kernel).__name__}: {name} has {len(values)} values for {n_layers} layers; "
                "give one number, or one for each layer."
            )
        _store(kernel, name, values)


def at_least_one(kernel: object, **parameters: object) -> None:
    """Store parameters of a kernel that count something as ints.

    Raises
    ------
    KernelError
        Naming the first that is not a whole number from 1 to `LARGEST_COUNT`.
    """
    for name, value in parameters.items():
        count = as_integer(value)
        if count is None or not 1 <= count <= LARGEST_COUNT:
            raise KernelError(
                f"{_is(kernel, name, value)}, but must be 1, 2, 3, ..., at most {LARGEST_COUNT}."
            )
        _store(kernel, name, count)


def one_of(kernel: object, known: Sequence[str], **parameters: object) -> None:
    """Store parameters of a kernel that name something as strings.

    Raises
    ------
    KernelError
        Naming the first that is not one of the known names.
    """
    for name, value in parameters.items():
        if not isinstance(value, str) or value not in known:
            raise KernelError(f"{_is(kernel, name, value)}, but must be {' or '.join(known)}.")
        _store(kernel, name, str(value))


def _at_least_zero(kernel: object, name: str, value: object) -> float:
    number = as_number(value)
    if number is None or not (math.isfinite(number) and number >= 0.0):
        raise KernelError(f"{_is(kernel, name, value)}, but must be a finite number >= 0.")
    return number


def _is_sequence(value: object) -> bool:
    """Whether a value has several numbers in an order: a list, a tuple, or an array of one axis."""
    if isinstance(value, list | tuple):
        return True
    return hasattr(value, "__array__") and np.ndim(value) == 1


def _is(kernel: object, name: str, value: object) -> str:
    return f"{type(kernel).__name__}: {name} is {short_repr(value)}"


def _store(kernel: object, name: str, value: object) -> None:
    object.__setattr__(kernel, name, value)  # a frozen dataclass is stored to once, as it is made
