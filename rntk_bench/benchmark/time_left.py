"""The time until a plan is finished: the formula's forecast, corrected by what was measured."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import NamedTuple

from rntk_bench.benchmark.cost.formula import Size, estimate_cost
from rntk_bench.benchmark.plan import Evaluation
from rntk_bench.benchmark.runner import Outcome, stored_record
from rntk_bench.datasets import ARCHIVE
from rntk_bench.errors import InputError

PRIOR_SECONDS = 1.0
"""So many forecast seconds count as measured from the start, on the machine for which the formula
was fitted: a shorter measurement says little about the rest."""
BUDGET_SECONDS = 0.1
"""After so long, `TimeLeft.seconds` leaves further formulas to its next calls."""


class _Measured(NamedTuple):
    """Seconds that work took, and those that were forecast for it."""

    seconds: float = 0.0
    forecast: float = 0.0

    def __add__(self, other: object) -> _Measured:
        assert isinstance(other, _Measured)
        return _Measured(self.seconds + other.seconds, self.forecast + other.forecast)

    def ratio(self, prior: float) -> float:
        """Measured over forecast seconds; `prior` is the ratio where nothing is measured."""
        return (self.seconds + PRIOR_SECONDS * prior) / (self.forecast + PRIOR_SECONDS)


class TimeLeft:
    """Counts the finished evaluations of a plan while it runs, and forecasts the time left.

    The forecast of an evaluation without a record is that of `estimate_cost`, times a ratio: the
    measured over the forecast seconds of the method's finished evaluations and of the finished part
    of the one under way. Where little of a method is finished, it is the ratio of all methods.

    Parameters
    ----------
    plan : sequence of Evaluation
    n_jobs : int
        By which forecasts are divided.
    overwrite : {"missing", "failed", "always"}
        As in `RunOptions`; it decides which evaluations with a record take time.
    clock : callable
        Returns seconds.

    Attributes
    ----------
    n_evaluations : int
    """

    def __init__(
        self,
        plan: Sequence[Evaluation],
        n_jobs: int = 1,
        overwrite: str = "missing",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pending = {evaluation.key: evaluation for evaluation in plan}
        self._n_jobs, self._overwrite, self._clock = n_jobs, overwrite, clock
        self._sizes: dict[str, Size] = dict(ARCHIVE)
        self._forecasts: dict[str, dict[str, float]] = defaultdict(dict)  # by method, by dataset
        self._is_kept: dict[tuple[object, ...], bool] = {}
        self._measured: dict[str, _Measured] = defaultdict(_Measured)
        self._current: Evaluation | None = None
        self._fraction, self._start = 0.0, clock()
        self._budget_end = self._start
        self.n_evaluations = len(self._pending)

    @property
    def n_done(self) -> int:
        """How many evaluations are finished, kept, failed or unreadable."""
        return self.n_evaluations - len(self._pending)

    def start(self, evaluation: Evaluation | None = None, size: Size | None = None) -> None:
        """Measure from now on; an evaluation that is named has a dataset of this size."""
        self._start, self._fraction, self._current = self._clock(), 0.0, evaluation
        if evaluation is not None and size is not None:
            self._sizes.setdefault(evaluation.dataset, size)
            self._is_kept[evaluation.key] = False

    def progress(self, fraction: float) -> None:
        """Set the finished fraction of the evaluation under way."""
        self._fraction = fraction

    def finish(self, outcome: Outcome) -> None:
        """Count an outcome; one for unreadable data stands for all evaluations on the dataset."""
        if outcome.kind == "unreadable":
            for key in [key for key in self._pending if key[0] == outcome.dataset]:
                del self._pending[key]
            return
        evaluation = self._pending.pop(outcome.key, None)
        if outcome.kind == "computed" and evaluation is not None:
            self._is_kept[evaluation.key] = False
            self._measured[evaluation.method.name] += self._since_start(evaluation, 1.0)
        if outcome.kind != "kept":
            self.start()

    def seconds(self) -> float:
        """The time left."""
        measured = dict(self._measured)
        current = self._current
        if current is not None and self._fraction > 0.0:
            name = current.method.name
            finished_part = self._since_start(current, self._fraction)
            measured[name] = measured.get(name, _Measured()) + finished_part
        overall = sum(measured.values(), _Measured()).ratio(1.0)
        ratios = {name: each.ratio(overall) for name, each in measured.items()}
        left = 0.0
        self._budget_end = self._clock() + BUDGET_SECONDS
        for evaluation in self._pending.values():
            seconds = self._forecast(evaluation, at_once=evaluation is current)
            seconds *= ratios.get(evaluation.method.name, overall)
            if evaluation is current:
                # Before its first part is finished, only the clock says how much of it is done.
                elapsed = 0.0 if self._fraction else self._clock() - self._start
                seconds = max(0.0, seconds * (1.0 - self._fraction) - elapsed)
            left += seconds
        return left

    def _since_start(self, evaluation: Evaluation, fraction: float) -> _Measured:
        """What was measured of a finished fraction of an evaluation."""
        forecast = self._forecast(evaluation, at_once=True)
        return _Measured(self._clock() - self._start, fraction * forecast)

    def _forecast(self, evaluation: Evaluation, at_once: bool) -> float:
        """The formula's seconds; before these are known, the mean of the method's others."""
        if evaluation.key not in self._is_kept:
            self._is_kept[evaluation.key] = self._has_record(evaluation)
        if self._is_kept[evaluation.key]:
            return 0.0
        method, dataset = evaluation.method, evaluation.dataset
        forecasts = self._forecasts[method.name]
        if dataset in forecasts:
            return forecasts[dataset]
        if dataset in self._sizes and (at_once or self._clock() <= self._budget_end):
            size, experiment = self._sizes[dataset], evaluation.experiment
            seconds = estimate_cost(size, method, experiment).seconds
            forecasts[dataset] = seconds / self._n_jobs
            return forecasts[dataset]
        return fmean(forecasts.values()) if forecasts else PRIOR_SECONDS

    def _has_record(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation has a record that is kept, as far as that is quickly known."""
        try:
            if self._overwrite == "failed":
                return stored_record(evaluation, self._overwrite) is not None
            return self._overwrite == "missing" and evaluation.record_path.exists()
        except InputError:  # a name that no record can have
            return True
