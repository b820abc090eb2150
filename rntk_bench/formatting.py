"""Settings of a grid as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rntk_bench.config import Value


def format_value(value: Value) -> str:
    """A parameter's value as text; numbers have four digits."""
    return value if isinstance(value, str) else f"{value:.4g}"


def format_setting(setting: Mapping[str, Value]) -> str:
    """A setting as text; numbers have four digits."""
    return ", ".join(f"{name}={format_value(value)}" for name, value in setting.items())


def in_grid_order(entries: Mapping[str, Any], axes: Iterable[str]) -> dict[str, Any]:
    """Entries by parameter in the order of a grid's axes, and the others after them."""
    return {name: entries[name] for name in (*axes, *entries) if name in entries}


def format_choice(selection: Mapping[str, Any]) -> str:
    """The chosen setting of a record's `selection` as text, with C or the number of epochs.

    The parameters are in the order of the grid. Those that a setting gives relative to the length
    of the series stand in both ways.
    """
    rest = [f"{name}={selection[name]:g}" for name in ("C", "epochs") if name in selection]
    setting = format_setting(in_grid_order(selection["setting"], selection.get("axes", ())))
    if "derived" in selection:
        setting += f" ({format_setting(selection['derived'])})"
    return ", ".join([setting, *rest])
