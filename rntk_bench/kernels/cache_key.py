"""Cache keys: texts of exact values that distinguish the Grams of different kernels."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

PACKAGE = __name__.rpartition(".")[0]


class _NoKeyError(Exception):
    """A value has state that cannot be written to a key."""


def dataclass_key(kernel: object) -> str | None:
    """Return the class and the exact field values of a dataclass object, or None.

    Floats are written in hexadecimal and arrays as a digest of their bytes. There is no key for an
    object with a field such as a callable, which cannot be written exactly, for one with state
    besides its fields, or if the class is not an attribute of its module, because another class
    could then have the same name.
    """
    try:
        return json.dumps(_described(kernel))
    except _NoKeyError:
        return None


def _described(value: object) -> list[Any]:
    if not is_dataclass(value):
        raise _NoKeyError
    names = {field.name for field in fields(value)}
    if not names.issuperset(getattr(value, "__dict__", {})) or not _is_named(type(value)):
        raise _NoKeyError
    values = {name: _exact(getattr(value, name)) for name in sorted(names)}
    return [type(value).__module__, type(value).__qualname__, values]


def _exact(value: object) -> Any:
    """Convert a value to JSON that is unique to it."""
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if type(value) is np.ndarray and value.dtype.kind in "biufcSU":
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return ["array", value.dtype.str, value.shape, digest]
    if type(value) is tuple:
        return ["tuple", *map(_exact, value)]
    if type(value) is float:
        return ["float", value.hex()]
    if type(value) is int:
        return ["int", hex(value)]  # of any size; Python writes decimals of a few thousand digits
    if value is None or type(value) in (bool, str):
        return value
    if is_dataclass(value) and type(value).__module__.startswith(f"{PACKAGE}."):
        return _described(value)
    raise _NoKeyError


def _is_named(cls: type) -> bool:
    """Whether the class can be found in its module by its name."""
    target: object = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        target = getattr(target, name, None)
    return target is cls
