"""Theorem 2: the tangent kernel of a wide network hardly changes during training.

Training is then linear. Single-layer ReLU networks of growing width learn a few short series by
full-batch gradient descent on L = sum (f - y)^2 / 2. The learning rate eta is smaller than
eta* = 2 / (lambda_min + lambda_max) of the limiting kernel. Two distances should fall as
1 / sqrt(n): the largest relative change of the empirical kernel, (22), and the largest distance of
the outputs from the dynamics (5) of the limiting kernel, which are for gradient descent

    f_s = y + (I - eta Theta)^s (f_0 - y).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from rntk_bench.kernels import RNTK
from rntk_bench.theory.convergence import fit_slopes, summarise_draws
from rntk_bench.types import FloatArray

SIGMAS: Final[Mapping[str, Any]] = {
    "sigma_w": np.sqrt(2.0),
    "sigma_u": 1.0,
    "sigma_b": 0.1,
    "sigma_h": 0.0,
    "sigma_v": 1.0,
}
N_KERNELS = 20
"""How many times the empirical kernel is computed during training."""


@dataclass(frozen=True)
class TrainingDynamics:
    """Both distances for every width and draw, and how they fall with the width.

    Attributes
    ----------
    distances : DataFrame
        Columns distance ("kernel" or "outputs"), width, draw and log_error (log10 of the distance).
    losses : DataFrame
        Columns width, step, network and linear: the mean squared error on the training set of the
        first network of each width, and of the linear dynamics from the same start.
    slopes : dict
        For "kernel" and "outputs", the slope of the mean log_error against log10 of the width, and
        its standard error over the draws.
    rate, largest_rate : float
        The learning rate eta, and eta*.
    """

    distances: pd.DataFrame
    losses: pd.DataFrame
    slopes: dict[str, tuple[float, float]]
    rate: float
    largest_rate: float

    def to_frame(self) -> pd.DataFrame:
        """All points of both panels: panel, curve, width, x, y, standard_error, slope, slope_error.

        The last three are those of the distances.
        """
        right = summarise_draws(self.distances, "distance", self.slopes).assign(panel="distance")
        left = self.losses.melt(["width", "step"], var_name="curve", value_name="y")
        left = left.rename(columns={"step": "x"}).assign(panel="loss")
        return pd.concat([left, right.assign(width=right["x"])])[
            ["panel", "curve", "width", "x", "y", "standard_error", "slope", "slope_error"]
        ]


def compute_training_dynamics(
    widths: list[int],
    draws: int,
    steps: int,
    seed: int,
    n_series: int = 4,
    length: int = 5,
    rate_fraction: float = 0.5,
    progress: Callable[[str], None] = lambda _: None,
) -> TrainingDynamics:
    """Train networks of every width on random series with targets +-1.

    Parameters
    ----------
    steps : int
        Steps of gradient descent, a multiple of `N_KERNELS`.
    rate_fraction : float
        The learning rate as a fraction of eta*.
    progress : callable
        Called after each width with a description of what was done.
    """
    from rntk_bench.networks.tangent_kernel.gradient_descent import train
    from rntk_bench.networks.tangent_kernel.recurrent_network import RecurrentNetwork

    X, y = _training_set(n_series, length, seed)
    theta = RNTK(**SIGMAS)(X)
    eigenvalues = np.linalg.eigvalsh(theta)
    largest_rate = float(2.0 / (eigenvalues[0] + eigenvalues[-1]))
    rate = rate_fraction * largest_rate
    distances, losses = [], []
    for width in widths:
        network = RecurrentNetwork(width, **SIGMAS)
        f, kernels = train(network, X[:, :, None], y, rate, steps, N_KERNELS, draws, seed + 1)
        f_linear = linear_dynamics(theta, y, rate, f[:, 0], steps)
        kernel_change = np.linalg.norm(kernels - kernels[:, :1], axis=(-2, -1)).max(axis=1)
        kernel_change /= np.linalg.norm(kernels[:, 0], axis=(-2, -1))
        output_distance = np.linalg.norm(f - f_linear, axis=-1).max(axis=1)
        output_distance /= np.linalg.norm(f[:, 0] - y, axis=-1)
        for name, distance in (("kernel", kernel_change), ("outputs", output_distance)):
            log_error = np.log10(distance)
            distances.append(
                pd.DataFrame(
                    {"distance": name, "width": width, "draw": range(draws), "log_error": log_error}
                )
            )
        losses.append(
            pd.DataFrame(
                {
                    "width": width,
                    "step": range(steps + 1),
                    "network": np.square(f[0] - y).mean(axis=-1),
                    "linear": np.square(f_linear[0] - y).mean(axis=-1),
                }
            )
        )
        progress(f"width {width}")
    all_distances = pd.concat(distances, ignore_index=True)
    return TrainingDynamics(
        all_distances,
        pd.concat(losses, ignore_index=True),
        fit_slopes(all_distances, "distance"),
        rate,
        largest_rate,
    )


def linear_dynamics(
    theta: FloatArray, y: FloatArray, rate: float, f_0: FloatArray, steps: int
) -> FloatArray:
    """Outputs (draws, steps + 1, n) of gradient descent on a model with the fixed kernel theta.

    `f_0` (draws, n) are the outputs before the first step.
    """
    eigenvalues, vectors = np.linalg.eigh(theta)
    factors = (1.0 - rate * eigenvalues) ** np.arange(steps + 1)[:, None]
    modes = (f_0 - y) @ vectors
    return np.asarray(y + (factors * modes[:, None]) @ vectors.T)


def _training_set(n: int, length: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Series of independent standard normal values, with targets -1 and 1 in turn."""
    X = np.random.default_rng(seed).standard_normal((n, length))
    return X, np.where(np.arange(n) % 2, 1.0, -1.0)
