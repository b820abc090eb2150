"""Figure 2: the empirical kernels of finite networks converge to the RNTK as the width grows.

This holds for tied and for untied weights (Theorems 1 and 3). The networks have a single ReLU layer
with sigma_w = sigma_u = sigma_b = sigma_v = 1 and sigma_h = 0.

The lengths T = 3 and T' = 2 show the one case in which untied weights have another limit, (147):
when the last steps differ, their states are independent, so that the two outputs have only the
readout in common. The limit is then sigma_v^2 V_phi at covariance 0, which for ReLU is
sqrt(K(x, x) K(x', x')) / pi.

A third panel, which the paper does not have, shows the same for networks with tied weights whose
output reads all steps: `RNTK(pooling="shared")`.
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
"""The paper's x. Its x' is {cos a, sin a}, or {cos a, sin a, cos a} for equal lengths."""
ANGLE = 1.0
"""The angle a in the second panel."""
READOUTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "mean": {"pooling": "shared", "bandwidth": "all"},
    "banded": {"pooling": "shared", "bandwidth": 0.25},
    "step": {"pooling": "shared", "bandwidth": 0.5, "readout": "step"},
}
"""The readouts of the third panel: the mean state, correlated readouts of nearby states, and
correlated readouts of step units."""
X_READ, Y_READ = np.tile(X[:2], 3), np.tile([np.cos(ANGLE), np.sin(ANGLE)], 2)
"""The series of the third panel: x of T = 6 steps and x' of T' = 4."""


@dataclass(frozen=True)
class Convergence:
    """The curves of Figure 2.

    Attributes
    ----------
    width : int
        Width of the networks in the first panel.
    by_angle : DataFrame
        First panel: columns angle, limit, tied, untied_limit and untied. One tied and one untied
        network are evaluated at all angles.
    by_width : DataFrame
        Second panel: columns weights ("tied" or "untied"), width, draw and
        log_error = log10 |Theta_hat / Theta - 1|.
    by_readout : DataFrame
        Third panel: columns readout (a key of `READOUTS`), width, draw and log_error.
    slopes : dict
        For the curves of the second and the third panel, the slope of the mean log_error against
        log10 of the width, and its standard error over the draws.
    """

    width: int
    by_angle: pd.DataFrame
    by_width: pd.DataFrame
    by_readout: pd.DataFrame
    slopes: dict[str, tuple[float, float]]

    def to_frame(self) -> pd.DataFrame:
        """All points of all panels: panel, curve, x, y, standard_error, slope, slope_error."""
        angles = self.by_angle.melt("angle", var_name="curve", value_name="y")
        angles = angles.rename(columns={"angle": "x"}).assign(panel="angle")
        widths = summarise_draws(self.by_width, "weights", self.slopes).assign(panel="width")
        readouts = summarise_draws(self.by_readout, "readout", self.slopes).assign(panel="readout")
        return pd.concat([angles, widths, readouts])[
            ["panel", "curve", "x", "y", "standard_error", "slope", "slope_error"]
        ]


def summarise_draws(
    errors: pd.DataFrame, by: str, slopes: dict[str, tuple[float, float]]
) -> pd.DataFrame:
    """Mean and standard error of log_error over the draws, with the slope of each curve.

    `by` is the column of `errors` that names the curve.
    """
    groups = errors.groupby([by, "width"])["log_error"]
    table = pd.DataFrame({"y": groups.mean(), "standard_error": groups.sem()}).reset_index()
    table = table.rename(columns={by: "curve", "width": "x"})
    for k, name in enumerate(("slope", "slope_error")):
        table[name] = [slopes[curve][k] for curve in table["curve"]]
    return table


def compute_convergence(
    width: int,
    n_angles: int,
    widths: list[int],
    draws: int,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Convergence:
    """Compute Figure 2.

    `progress` is called after each of the 2 + 5 len(widths) steps with a description of the step.
    """
    by_angle = _kernels_by_angle(width, n_angles, seed, progress)
    y = np.array([np.cos(ANGLE), np.sin(ANGLE), np.cos(ANGLE)])
    by_width = _errors_by_width(
        "weights", {"tied": {}, "untied": {}}, (X, y), widths, draws, seed + 1, progress
    )
    by_readout = _errors_by_width(
        "readout", READOUTS, (X_READ, Y_READ), widths, draws, seed + 2, progress
    )
    slopes = fit_slopes(by_width, "weights") | fit_slopes(by_readout, "readout")
    return Convergence(width, by_angle, by_width, by_readout, slopes)


def fit_slopes(errors: pd.DataFrame, by: str) -> dict[str, tuple[float, float]]:
    """The slope of each curve and its standard error, as `fit_slope` computes them."""
    return {str(name): fit_slope(group) for name, group in errors.groupby(by)}


def fit_slope(errors: pd.DataFrame) -> tuple[float, float]:
    """Least-squares slope of the mean log_error against log10(width), and its standard error.

    The standard errors of the means are propagated through the fit.
    """
    groups = errors.groupby("width")["log_error"]
    x = np.log10(np.array(groups.mean().index, dtype=float))
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    slope = float(weights @ groups.mean().to_numpy())
    return slope, float(np.sqrt(np.square(weights * groups.sem().to_numpy()).sum()))


def untied_limit(Y: list[FloatArray]) -> FloatArray:
    """Limits (n,) of the untied networks' kernels of `X` with series Y of other lengths."""
    nngp = NNGP(**SIGMAS)
    return np.asarray(np.sqrt(nngp.diag(X[None]) * nngp.diag(Y)) / np.pi)


def _kernels_by_angle(
    width: int, n_angles: int, seed: int, progress: Callable[[str], None]
) -> pd.DataFrame:
    from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk
    from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork

    angles = np.linspace(0.0, 2.0 * np.pi, n_angles)
    Y = [np.array([np.cos(a), np.sin(a)]) for a in angles]
    kernels = {}
    for name in ("tied", "untied"):
        network = RecurrentNetwork(width, n_steps=len(X), tied=name == "tied", **SIGMAS)
        kernels[name] = empirical_ntk(network, [X], Y, seed=seed)[0, 0]
        progress(f"{name}, width {width}")
    return pd.DataFrame(
        {
            "angle": angles,
            "limit": RNTK(**SIGMAS)([X], Y)[0],
            "tied": kernels["tied"],
            "untied_limit": untied_limit(Y),
            "untied": kernels["untied"],
        }
    )


def _errors_by_width(
    by: str,
    curves: Mapping[str, Mapping[str, Any]],
    pair: tuple[FloatArray, FloatArray],
    widths: list[int],
    draws: int,
    seed: int,
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """Errors of the kernel of one pair of series; each curve has its own readout.

    The column `by` contains the names of the curves. The one named "untied" has untied weights.
    """
    from rntk_bench.networks.tangent_kernel.empirical import empirical_ntk
    from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork

    x, y = pair
    frames = []
    for name, readout in curves.items():
        limit = RNTK(**SIGMAS, **readout)([x], [y])[0, 0]
        for width in widths:
            network = RecurrentNetwork(
                width, n_steps=len(x), tied=name != "untied", **SIGMAS, **readout
            )
            kernels = empirical_ntk(network, [x], [y], draws=draws, seed=seed)[:, 0, 0]
            log_error = np.log10(np.abs(kernels / limit - 1.0))
            frames.append(
                pd.DataFrame(
                    {by: name, "width": width, "draw": range(draws), "log_error": log_error}
                )
            )
            progress(f"{name}, width {width}")
    return pd.concat(frames, ignore_index=True)
