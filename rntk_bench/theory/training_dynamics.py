"""Theorem 2: a wide network's tangent kernel hardly changes in training, which is then linear.

Single-layer ReLU networks of growing width learn a few short series by full-batch gradient
descent on L = sum (f - y)^2 / 2 with eta < eta* = 2 / (lambda_min + lambda_max) of the limiting
kernel. Two distances are to fall as 1 / sqrt(n): the largest relative change of the empirical
kernel (22), and the largest distance of the outputs from the dynamics (5) of the limiting kernel,
which a step of gradient descent makes

    f_s = y + (I - eta Theta)^s (f_0 - y).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rntk_bench.kernels import RNTK
from rntk_bench.theory.convergence import fit, summary
from rntk_bench.types import FloatArray

SIGMAS: Final[Mapping[str, Any]] = {
    "sigma_w": np.sqrt(2.0),
    "sigma_u": 1.0,
    "sigma_b": 0.1,
    "sigma_h": 0.0,
    "sigma_v": 1.0,
}
DISTANCES = ("kernel", "outputs")


@dataclass(frozen=True)
class TrainingDynamics:
    """Both distances for every width and draw, and how they fall.

    `widths` has columns distance ("kernel" or "outputs"), width, draw, log_error (log10 of the
    distance); `paths` has width, step and, of the first draw, the mean squared distance from the
    targets of the network and of the linear dynamics; `slopes` as in `convergence.Convergence`.
    """

    widths: pd.DataFrame
    paths: pd.DataFrame
    slopes: dict[str, tuple[float, float]]
    rate: float
    largest_rate: float

    def table(self) -> pd.DataFrame:
        """Every point of both panels: panel, curve, width, x, y and, of distances, their error
        and slope."""
        right = summary(self.widths, "distance", self.slopes).assign(panel="distance")
        left = self.paths.melt(["width", "step"], var_name="curve", value_name="y")
        left = left.rename(columns={"step": "x"}).assign(panel="loss")
        return pd.concat([left, right.assign(width=right["x"])])[
            ["panel", "curve", "width", "x", "y", "standard_error", "slope", "slope_error"]
        ]


def training_dynamics(
    widths: list[int],
    draws: int,
    steps: int,
    seed: int,
    n_series: int = 4,
    length: int = 5,
    share: float = 0.5,
    progress: Callable[[str], None] = lambda _: None,
) -> TrainingDynamics:
    """Train networks of every width on random series with targets +-1.

    Parameters
    ----------
    steps : int
        Of gradient descent, a multiple of 20; the kernel is looked at 20 times.
    share : float
        The learning rate as a share of eta*.
    """
    from rntk_bench.networks.tangent_kernel.gradient_descent import train
    from rntk_bench.networks.tangent_kernel.network import Network

    X, y = _series(n_series, length, seed)
    theta = RNTK(**SIGMAS)(X)
    eigenvalues = np.linalg.eigvalsh(theta)
    largest_rate = float(2.0 / (eigenvalues[0] + eigenvalues[-1]))
    rate = share * largest_rate
    distances, paths = [], []
    for width in widths:
        network = Network(width, **SIGMAS)
        found = train(network, X[:, :, None], y, rate, steps, 20, draws, seed + 1)
        linear = linear_dynamics(theta, y, rate, found.outputs[:, 0], steps)
        start = np.linalg.norm(found.outputs[:, 0] - y, axis=-1)
        gap = np.linalg.norm(found.outputs - linear, axis=-1).max(axis=1) / start
        moved = np.linalg.norm(found.kernels - found.kernels[:, :1], axis=(-2, -1)).max(axis=1)
        moved /= np.linalg.norm(found.kernels[:, 0], axis=(-2, -1))
        for name, distance in zip(DISTANCES, (moved, gap), strict=True):
            distances.append(
                pd.DataFrame(
                    {"distance": name, "width": width, "draw": range(draws)}
                    | {"log_error": np.log10(distance)}
                )
            )
        network_loss, linear_loss = (
            np.square(f[0] - y).mean(axis=-1) for f in (found.outputs, linear)
        )
        paths.append(
            pd.DataFrame(
                {"width": width, "step": range(steps + 1)}
                | {"network": network_loss, "linear": linear_loss}
            )
        )
        progress(f"width {width}")
    rows = pd.concat(distances, ignore_index=True)
    slopes = {str(name): fit(group) for name, group in rows.groupby("distance")}
    return TrainingDynamics(rows, pd.concat(paths, ignore_index=True), slopes, rate, largest_rate)


def linear_dynamics(
    theta: FloatArray, y: FloatArray, rate: float, start: FloatArray, steps: int
) -> FloatArray:
    """Outputs (draws, steps + 1, n) of gradient descent on a model with the fixed kernel theta.

    `start` (draws, n) are the outputs before the first step.
    """
    eigenvalues, vectors = np.linalg.eigh(theta)
    factors = (1.0 - rate * eigenvalues) ** np.arange(steps + 1)[:, None]
    modes = (start - y) @ vectors
    return np.asarray(y + (factors * modes[:, None]) @ vectors.T)


def _series(n: int, length: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Series of independent standard normal values; every other has target 1, the rest -1."""
    X = np.random.default_rng(seed).standard_normal((n, length))
    return X, np.where(np.arange(n) % 2, 1.0, -1.0)
