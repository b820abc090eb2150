"""Parameters of a grid that are relative to the length T of the longest training series.

memory
    The recurrent weights by the time after which they forget: sigma_w = sqrt(2) exp(-1 / (2 l))
    with l = max(1, memory T) steps, so that a ReLU network's covariance decays by exp(-1) in
    l steps.
lag_resolution
    lag_step = ceil(T / lag_resolution): the lags of a shared readout are at most so many.
bandwidth "half"
    Half the length, rounded up and then down to a multiple of the lag step: the window has
    b = ceil(T / 2) // lag_step lag steps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from rntk_bench.config import Value
from rntk_bench.errors import ConfigError

REPLACED = {"memory": "sigma_w", "lag_resolution": "lag_step"}
"""The kernel's parameter in whose place each relative one stands."""
NAMED_VALUES = {"bandwidth": ("all", "half")}
"""Names that a parameter whose values are numbers may have in place of a number."""


def is_relative(name: str, value: Value) -> bool:
    """Whether a value of a grid's parameter depends on the length of the series."""
    return name in REPLACED or (name, value) == ("bandwidth", "half")


def absolute_parameters(setting: Mapping[str, Value], length: int) -> dict[str, Value]:
    """A setting with the kernel's parameters for series of this length in place of relative ones.

    Parameters
    ----------
    setting : mapping of str to value
    length : int, at least 1
        T, the number of steps.

    Raises
    ------
    ConfigError
        For a memory or a resolution that is not positive.
    """
    for name in REPLACED:
        if name in setting and not 0 < float(setting[name]) < math.inf:
            raise ConfigError(f"{name} is {setting[name]!r}, but must be a number > 0.")
    parameters = {name: value for name, value in setting.items() if name not in REPLACED}
    if "memory" in setting:
        steps = max(1.0, float(setting["memory"]) * length)
        parameters["sigma_w"] = math.sqrt(2.0) * math.exp(-1.0 / (2.0 * steps))
    if "lag_resolution" in setting:
        parameters["lag_step"] = -(-length // int(setting["lag_resolution"]))
    if parameters.get("bandwidth") == "half":
        lag_step = int(parameters.get("lag_step", 1))
        parameters["bandwidth"] = -(-length // 2) // lag_step * lag_step / length
    return parameters
