"""Settings of a grid as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rntk_bench.config import Value


def format_value(value: Value) -> str:
    """A parameter's value as text; numbers have four digits."""
    return value if isinstance(value, str) else f"{value:.4g}"


def format_setting(setting: Mapping[str, Value]) -> str:
    """A setting as text; numbers have four digits."""
    return ", ".join(f"{name}={format_value(value)}" for name, value in setting.items())


def format_choice(selection: Mapping[str, Any]) -> str:
    """The chosen setting of a record's `selection` as text, with C or the number of epochs.

    The parameters are in the order of the grid. Those that a setting gives relative to the length
    of the series stand in both ways.
    """
    rest = [f"{name}={selection[name]:g}" for name in ("C", "epochs") if name in selection]
    chosen = selection["setting"]
    in_order = dict.fromkeys([*selection.get("axes", ()), *chosen])
    setting = format_setting({name: chosen[name] for name in in_order if name in chosen})
    if "derived" in selection:
        setting += f" ({format_setting(selection['derived'])})"
    return ", ".join([setting, *rest])
