"""The compiled loops read nothing outside their arrays.

Compiled code does not check indices, and what it reads beyond an array depends on the memory. So
the same loops run as plain Python in another process, where NumPy checks them.
"""

import os
import subprocess
import sys

import numpy as np

from rntk_bench import RNTK

KERNELS = [
    RNTK(sigma_w=1.28, sigma_b=0.5, **options)
    for options in (
        {"pooling": "last"},
        {"pooling": "average", "n_layers": 2},
        {"pooling": "average", "activation": "erf"},
        {"pooling": "shared", "bandwidth": 0.5},
        {"pooling": "shared", "bandwidth": "all", "readout": "step", "lag_step": 2},
        {"pooling": "shared", "bandwidth": 0.5, "n_layers": 2},
        {"pooling": "shared", "bandwidth": 0.5, "activation": "erf"},
    )
]
# Three rows more than a block, and numbers of columns that fill no whole vector.
X = np.random.default_rng(0).standard_normal((19, 3))
UNEQUAL = [x[: 2 + i % 2] for i, x in enumerate(X)]


def grams() -> list[np.ndarray]:
    return [kernel(*sets) for kernel in KERNELS for sets in ((X,), (X, X[:11]), (UNEQUAL,))]


def test_plain_python_finds_no_index_out_of_bounds_and_the_same_grams(tmp_path):
    path = tmp_path / "grams.npz"
    command = (
        "import sys, numpy as np\n"
        "from tests.kernels.recursion.test_bounds import grams\n"
        "np.savez(sys.argv[1], *grams())\n"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", command, path], env=environment, check=True)
    with np.load(path) as checked:
        for expected, compiled in zip(checked.values(), grams(), strict=True):
            np.testing.assert_allclose(compiled, expected, rtol=1e-12)


def test_a_window_over_all_steps_has_all_lags_on_every_processor():
    command = (
        "from rntk_bench.kernels.recursion.shared import last_lag\n"
        "print([last_lag(w, 10, s) for w, s in ((2.0**100, 1), (2.0**100, 3), (1.0, 1), (2.5, 1))])"
    )
    for processor in ({}, {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}):
        said = subprocess.run(
            [sys.executable, "-c", command],
            env=os.environ | processor,
            check=True,
            capture_output=True,
            text=True,
        )
        assert said.stdout == "[9, 3, 0, 2]\n"
