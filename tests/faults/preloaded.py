# ruff: noqa: F401
"""What the server of `lives` imports before it forks."""

import threading

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_pdf
import matplotlib.figure
import pandas
import tqdm

import rntk_bench.cli.run
import rntk_bench.experiments.runner
import rntk_bench.experiments.snr_curves
import rntk_bench.report.plot_regression
import rntk_bench.report.tables
from rntk_bench.experiments.warmup import warm_up
from rntk_bench.methods import KERNEL_METHODS

warm_up([KERNEL_METHODS[name] for name in ("rntk", "ntk", "rbf", "poly")])

# Between processes, as tqdm's own, it would be one more thing that a killed process holds.
tqdm.tqdm.set_lock(threading.RLock())
