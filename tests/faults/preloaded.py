"""What the server of `lives` imports before it forks."""

import pandas  # noqa: F401

import rntk_bench.cli.run
import rntk_bench.experiments.runner
import rntk_bench.experiments.snr_curves
import rntk_bench.report.plot_regression
import rntk_bench.report.tables  # noqa: F401
from rntk_bench.experiments.warmup import warm_up
from rntk_bench.methods import KERNEL_METHODS

warm_up([KERNEL_METHODS[name] for name in ("rntk", "ntk", "rbf", "poly")])
