# ruff: noqa: F401
"""What the server of `process_harness` imports before it forks."""

import threading

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_pdf
import matplotlib.figure
import pandas
import tqdm

import rntk_bench.benchmark.runner
import rntk_bench.cli.run
import rntk_bench.regression.snr_curves
import rntk_bench.report.plots.regression
import rntk_bench.report.tables.paper
from rntk_bench.benchmark.warmup import warm_up
from rntk_bench.methods import KERNEL_METHODS

warm_up([KERNEL_METHODS[name] for name in ("rntk", "ntk", "rbf", "poly")])

# Between processes, as tqdm's own, it would be one more thing that a killed process holds.
tqdm.tqdm.set_lock(threading.RLock())
