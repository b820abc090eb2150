"""Figure 2: finite networks converge to the RNTK as they grow wider, tied or not (Theorems 1, 3).

The empirical kernels are those of single-layer ReLU networks with sigma_w = sigma_u = sigma_b =
sigma_v = 1 and sigma_h = 0. Lengths T = 3 and T' = 2 show the one difference that untied weights
make, (147): at different last steps they are independent, so that only the readout is shared and
the limit is sigma_v^2 V_phi at covariance 0, which for ReLU is sqrt(K(x, x) K(x', x')) / pi.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rntk_bench.kernels import NNGP, RNTK
from rntk_bench.types import FloatArray

SIGMAS: Final[Mapping[str, Any]] = {
    "sigma_w": 1.0,
    "sigma_u": 1.0,
    "sigma_b": 1.0,
    "sigma_h": 0.0,
    "sigma_v": 1.0,
}
X = np.array([1.0, -1.0, 1.0])
"""The paper's x; its x' is {cos a, sin a}, and {cos a, sin a, cos a} where lengths are equal."""
ANGLE = 1.0
"""a in the second panel."""


@dataclass(frozen=True)
class Convergence:
    """The curves of Figure 2.

    `angles` has columns angle, limit, tied, untied_limit, untied: one network of each kind over
    all angles. `widths` has weights, width, draw and log_error = log10 |Theta_hat / Theta - 1|;
    `slopes` the least-squares slope of its mean against log10 of the width, and its standard
    error over the draws, for "tied" and "untied".
    """

    width: int
    angles: pd.DataFrame
    widths: pd.DataFrame
    slopes: dict[str, tuple[float, float]]

    def table(self) -> pd.DataFrame:
        """Every point of both panels: panel, curve, x, y, standard_error, slope, slope_error."""
        left = self.angles.melt("angle", var_name="curve", value_name="y")
        left = left.rename(columns={"angle": "x"}).assign(panel="angle")
        right = summary(self.widths, "weights", self.slopes).assign(panel="width")
        return pd.concat([left, right])[
            ["panel", "curve", "x", "y", "standard_error", "slope", "slope_error"]
        ]


def summary(rows: pd.DataFrame, by: str, slopes: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """Mean over draws of log_error for each curve and width, with the curve's slope."""
    groups = rows.groupby([by, "width"])["log_error"]
    table = pd.DataFrame({"y": groups.mean(), "standard_error": groups.sem()}).reset_index()
    table = table.rename(columns={by: "curve", "width": "x"})
    for k, name in enumerate(("slope", "slope_error")):
        table[name] = [slopes[curve][k] for curve in table["curve"]]
    return table


def convergence(
    width: int,
    n_angles: int,
    widths: list[int],
    draws: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Convergence:
    """Compute Figure 2; `progress` is told after each of the 2 + 2 len(widths) parts."""
    angles = _over_angles(width, n_angles, seed, progress)
    rows = _over_widths(widths, draws, seed, progress)
    return Convergence(
        width, angles, rows, {str(name): fit(group) for name, group in rows.groupby("weights")}
    )


def fit(rows: pd.DataFrame) -> tuple[float, float]:
    """Slope of the mean of log_error against log10(width), and its standard error.

    The error is that of the mean over draws, carried through the least-squares fit.
    """
    groups = rows.groupby("width")["log_error"]
    x = np.log10(np.array(groups.mean().index, dtype=float))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    slope = float(weights @ groups.mean().to_numpy())
    return slope, float(np.sqrt(np.square(weights * groups.sem().to_numpy()).sum()))


def untied_limit(series: list[FloatArray]) -> FloatArray:
    """Limits (n,) of the untied networks' kernels of X with series of other lengths."""
    own = NNGP(**SIGMAS)
    return np.asarray(np.sqrt(own.diag(X[None]) * own.diag(series)) / np.pi)


def _over_angles(
    width: int, n_angles: int, seed: int, progress: Callable[[str], None]
) -> pd.DataFrame:
    from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk
    from rntk_bench.networks.tangent_kernel.network import Network

    angles = np.linspace(0.0, 2.0 * np.pi, n_angles)
    series = [np.array([np.cos(a), np.sin(a)]) for a in angles]
    found = {}
    for name in ("tied", "untied"):
        network = Network(width, n_steps=len(X), tied=name == "tied", **SIGMAS)
        found[name] = empirical_ntk(network, [X], series, seed=seed)[0, 0]
        progress(f"{name}, width {width}")
    limit = RNTK(**SIGMAS)([X], series)[0]
    return pd.DataFrame(
        {"angle": angles, "limit": limit, "tied": found["tied"]}
        | {"untied_limit": untied_limit(series), "untied": found["untied"]}
    )


def _over_widths(
    widths: list[int], draws: int, seed: int, progress: Callable[[str], None]
) -> pd.DataFrame:
    from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk
    from rntk_bench.networks.tangent_kernel.network import Network

    other = np.array([np.cos(ANGLE), np.sin(ANGLE), np.cos(ANGLE)])
    limit = RNTK(**SIGMAS)(X[None], other[None])[0, 0]
    parts = []
    for name in ("tied", "untied"):
        for width in widths:
            network = Network(width, n_steps=len(X), tied=name == "tied", **SIGMAS)
            kernels = empirical_ntk(network, [X], [other], draws=draws, seed=seed + 1)[:, 0, 0]
            error = np.log10(np.abs(kernels / limit - 1.0))
            parts.append(
                pd.DataFrame(
                    {"weights": name, "width": width, "draw": range(draws), "log_error": error}
                )
            )
            progress(f"{name}, width {width}")
    return pd.concat(parts, ignore_index=True)
