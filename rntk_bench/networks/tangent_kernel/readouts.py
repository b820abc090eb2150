"""The correlated readouts of a finite network: moving averages of independent ones.

White noise u on the line, one line for each remainder of a step's distance from the end by the lag
step, is averaged over windows that are centred at the steps:

    v(t) = 1/sqrt(B) times the integral of u over [q - B/2, q + B/2]

where q is the distance of step t from the end in lag steps and B is the width of the windows of
its sequence. Two readouts of one line then have the covariance

    E[v(t) v'(t')^T] = max(0, min(B, B', (B + B')/2 - |q - q'|)) / sqrt(B B') I

which is max(0, 1 - |q - q'| / B) I for windows of the same width. Between the edges of all windows
the noise enters only through its integrals, which are independent Gaussian vectors. These are the
parameters that are trained.
"""

from __future__ import annotations

import math

import numpy as np

from rntk_bench.errors import KernelError
from rntk_bench.types import FloatArray

POOLINGS = ("last", "average", "shared")
READOUTS = ("state", "step")
WIDEST = 2.0**100
"""A window so wide that it is the same one at every step."""


def check_readout(
    pooling: str, bandwidth: float | str, lag_step: int, readout: str, activation: str
) -> None:
    """Validate the parameters of a network's readout.

    Raises
    ------
    KernelError
        If one is outside its range, or the readout is not available for this pooling or activation.
    """
    for name, value, allowed in (("pooling", pooling, POOLINGS), ("readout", readout, READOUTS)):
        if value not in allowed:
            raise KernelError(
                f"A finite network's {name} is {value!r}, but must be one of {', '.join(allowed)}."
            )
    if bandwidth != "all" and (isinstance(bandwidth, str) or not 0 <= bandwidth < math.inf):
        raise KernelError(
            f"A finite network's bandwidth is {bandwidth!r}, but must be 'all' or a finite number "
            ">= 0."
        )
    if lag_step < 1 or lag_step != int(lag_step):
        raise KernelError(
            f"A finite network's lag_step is {lag_step!r}, but must be an integer >= 1."
        )
    if readout == "step" and (pooling != "shared" or activation != "relu"):
        raise KernelError(
            "A finite network's readout='step' needs pooling='shared' and activation='relu', not "
            f"{pooling!r} and {activation!r}."
        )


def readout_matrix(
    length: int, n_steps: int, pooling: str, bandwidth: float | str, lag_step: int
) -> FloatArray:
    """How the readouts of the steps are composed of independent ones.

    Parameters
    ----------
    length : int
        The length T of a sequence.
    n_steps : int
        The largest length of a sequence, at least T.
    pooling, bandwidth, lag_step
        As for the kernel `RNTK`.

    Returns
    -------
    ndarray (T, J)
        R, such that sum_(t,j) R[t,j] <v_j, h(t)> with independent standard normal v_j is
        sum_t <v(t), h(t)> / sqrt(T). For pooling "last" it is <v_0, h(T)>. J depends on `n_steps`,
        not on the length.
    """
    if pooling == "last":
        return np.eye(length)[:, -1:]
    if pooling == "average":
        bandwidth, lag_step = 0.0, 1
    assert length <= n_steps, "the noise ends at the windows of the longest sequence"
    edges = np.unique(
        np.concatenate([_windows(T, bandwidth, lag_step) for T in range(1, n_steps + 1)], axis=None)
    )
    start, end = _windows(length, bandwidth, lag_step)[..., None]
    inside = (start <= edges[:-1]) & (edges[1:] <= end)
    # Each step has a window on the line of its remainder, and none on the others.
    R = np.zeros((length, min(lag_step, n_steps), len(edges) - 1))
    R[np.arange(length), np.arange(length)[::-1] % lag_step] = np.sqrt(
        inside * np.diff(edges) / (end - start)
    )
    return R.reshape(length, -1) / math.sqrt(length)


def _windows(length: int, bandwidth: float | str, lag_step: int) -> FloatArray:
    """The start and the end of each step's window, in lag steps before the last step, (2, T)."""
    if bandwidth == "all":
        width = WIDEST
    elif bandwidth == 0:
        width = 1.0
    else:
        width = 1.0 + min(max(1.0, np.rint(float(bandwidth) * length / lag_step)), WIDEST)
    q = np.arange(length)[::-1] // lag_step
    return np.stack([q - width / 2, q + width / 2])
