"""Validating parameters, and converting numbers of any type to plain Python values.

Kernels call these functions in `__post_init__`. They store a float, an int, a str or a tuple of
floats, so that kernels with equal parameters are equal, have equal hashes and can be written as
JSON.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rntk_bench.errors import KernelError, short_repr

LARGEST_COUNT = 1_000_000
"""More layers or a higher degree are probably a mistake, and would exhaust the memory."""


def as_number(value: object) -> float | None:
    """Convert a real number of any type to a float; None for anything else.

    Numbers are those of Python, NumPy, `fractions` and `decimal`, and zero-dimensional arrays.
    Booleans and text are not numbers.
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
    """Convert an integer of any type, including 2.0, to an int; None for anything else."""
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() else None


def at_least_zero(kernel: object, **parameters: object) -> None:
    """Validate parameters of a kernel and store them as floats.

    Raises
    ------
    KernelError
        If one is not a finite number >= 0; the message names the first.
    """
    for name, value in parameters.items():
        _store(kernel, name, _at_least_zero(kernel, name, value))


def at_least_zero_in_each_layer(kernel: object, n_layers: int, **parameters: object) -> None:
    """Validate parameters of a kernel and store each as a float or as a tuple of one per layer.

    Raises
    ------
    KernelError
        If one is neither a number nor a sequence of one number per layer, or a number is not
        finite or not >= 0; the message names the first.
    """
    for name, value in parameters.items():
        if not _is_sequence(value):
            _store(kernel, name, _at_least_zero(kernel, name, value))
            continue
        values = tuple(_at_least_zero(kernel, name, each) for each in value)  # type: ignore[attr-defined]
        if len(values) != n_layers:
            raise KernelError(
                f"{type(kernel).__name__}: {name} has {len(values)} values for {n_layers} layers; "
                "give one number, or one per layer."
            )
        _store(kernel, name, values)


def at_least_one(kernel: object, **parameters: object) -> None:
    """Validate counts among the parameters of a kernel and store them as ints.

    Raises
    ------
    KernelError
        If one is not an integer from 1 to `LARGEST_COUNT`; the message names the first.
    """
    for name, value in parameters.items():
        count = as_integer(value)
        if count is None or not 1 <= count <= LARGEST_COUNT:
            raise KernelError(
                f"{_got(kernel, name, value)}, but must be 1, 2, 3, ..., at most {LARGEST_COUNT}."
            )
        _store(kernel, name, count)


def one_of(kernel: object, known: Sequence[str], **parameters: object) -> None:
    """Validate parameters of a kernel that must be one of the known names.

    Raises
    ------
    KernelError
        If one is not a known name; the message names the first.
    """
    for name, value in parameters.items():
        if not isinstance(value, str) or value not in known:
            raise KernelError(f"{_got(kernel, name, value)}, but must be {' or '.join(known)}.")
        _store(kernel, name, str(value))


def _at_least_zero(kernel: object, name: str, value: object) -> float:
    number = as_number(value)
    if number is None or not (math.isfinite(number) and number >= 0.0):
        raise KernelError(f"{_got(kernel, name, value)}, but must be a finite number >= 0.")
    return number


def _is_sequence(value: object) -> bool:
    """Whether a value is a list, a tuple, or a one-dimensional array."""
    if isinstance(value, list | tuple):
        return True
    return hasattr(value, "__array__") and np.ndim(value) == 1


def _got(kernel: object, name: str, value: object) -> str:
    return f"{type(kernel).__name__}: {name} is {short_repr(value)}"


def _store(kernel: object, name: str, value: object) -> None:
    object.__setattr__(kernel, name, value)  # the kernels are frozen dataclasses
