"""What `run` prints while a plan is computed: finished evaluations, progress and the time left."""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from rntk_bench.cli._streams import say, warn
from rntk_bench.errors import one_line
from rntk_bench.formatting import format_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from rntk_bench.benchmark.backend import LoadedEvaluation
    from rntk_bench.benchmark.evaluation import Progress
    from rntk_bench.benchmark.runner import Outcome
    from rntk_bench.benchmark.time_left import TimeLeft

LINE_SECONDS = 60.0
"""Time between two lines with the state of the plan, where there is no terminal."""
REFRESH_SECONDS = 1.0
"""Time between two forecasts of the time left, and after which a terminal shows it anew."""
SHORT_SECONDS = 0.5
"""An evaluation that takes less has no bar."""
_BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit}{postfix}"


class PlanDisplay:
    """The output of a run: a line per finished evaluation, and the state of the plan.

    The last two lines of a terminal are the state, with the time left, and a bar for the evaluation
    under way. Elsewhere, the state is printed at most once a minute.

    Parameters
    ----------
    time_left : TimeLeft
        Of the plan.
    quiet : bool
        Print failures only.
    """

    def __init__(self, time_left: TimeLeft, quiet: bool) -> None:
        self._time_left, self._quiet = time_left, quiet
        self._on_terminal = not quiet and sys.stderr.isatty()
        self._state: Any = None
        self._bar: Any = None
        self._next_state: float | None = None
        self._forecast, self._next_forecast = "", 0.0

    def start_plan(self) -> Callable[[str], None]:
        """Start the clock of a plan on a cluster; returns the callback that describes its state."""
        self._time_left.start()
        return self._show_state

    def start_evaluation(self, loaded: LoadedEvaluation) -> Progress:
        """Draw the bar of an evaluation; returns the callback for its progress."""
        evaluation, dataset = loaded
        self._time_left.start(evaluation, dataset)
        name = one_line(evaluation.title)
        if self._on_terminal:
            self._show_state(name, at_once=True)
            unit = f"{evaluation.method.progress_unit}s"
            self._bar = _new_bar(1, _BAR, unit=unit, delay=SHORT_SECONDS)

        def show(done: int, total: int, best: float) -> None:
            self._time_left.progress(done / total)
            if self._bar is None:
                self._show_state(f"{name}, {100 * done / total:.0f} %")
                return
            self._bar.total = total
            text = "testing" if done == total else f"best validation {100 * best:.2f} %"
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(done - self._bar.n)
            self._show_state(name)

        return show

    def report(self, outcome: Outcome) -> None:
        """Print an outcome, on a terminal above the state of the plan."""
        self._close_bar()
        self._time_left.finish(outcome)
        if self._state is not None:
            self._state.clear()
        self._print(outcome)
        self._show_state(at_once=self._on_terminal)

    def close(self) -> None:
        """Remove the bar and the state of the plan from the terminal."""
        self._close_bar()
        if self._state is not None:
            self._state.close()
            self._state = None

    def _show_state(self, under_way: str = "", at_once: bool = False) -> None:
        """Show the state of the plan, unless that was done a short while ago or it is finished."""
        n_done, n_evaluations = self._time_left.n_done, self._time_left.n_evaluations
        now = time.monotonic()
        if self._next_state is None:  # counted from the first progress, after compiling
            self._next_state = now + LINE_SECONDS
        if self._quiet or n_done == n_evaluations or (now < self._next_state and not at_once):
            return
        if now >= self._next_forecast:
            self._forecast = format_time_left(self._time_left.seconds())
            self._next_forecast = now + REFRESH_SECONDS
        text = f"{n_done} of {n_evaluations} evaluations done, {self._forecast} left"
        text += f": {under_way}" if under_way else ""
        if not self._on_terminal:
            self._next_state = now + LINE_SECONDS
            say(text, err=True)
            return
        self._next_state = now + REFRESH_SECONDS
        if self._state is None:
            self._state = _new_bar(0, "{desc}")
        self._state.set_description_str(text)

    def _print(self, outcome: Outcome) -> None:
        title, record = one_line(outcome.title), outcome.record
        if outcome.kind in ("failed", "unreadable"):
            name = title if outcome.kind == "failed" else one_line(outcome.dataset)
            say(f"{name} failed: {outcome.message}", err=True)
            return
        if outcome.message:
            warn(outcome.message)
        if self._quiet or record is None or record.selection is None or record.test is None:
            return
        selection = record.selection
        time = "kept" if outcome.kind == "kept" else f"{record.timings['total']:.1f} s"
        say(
            f"{title}: test {100 * record.test['accuracy']:.2f} %, "
            f"validation {100 * selection['accuracy']:.2f} % "
            f"({format_choice(selection)}, {selection['ties']} tied) [{time}]"
        )
        for warning in record.warnings if outcome.kind == "computed" else ():
            say(f"  {warning}", err=True)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _new_bar(line: int, layout: str, **options: Any) -> Any:
    """A line of the terminal, counted from the first below the output."""
    from tqdm import tqdm

    columns, lines = _terminal_size()
    bar = tqdm(position=line, bar_format=layout, leave=False, ncols=columns, nrows=lines, **options)
    bar.dynamic_ncols = _terminal_size  # tqdm's own draws nothing where the size is not known
    return bar


def _terminal_size(_: object = None) -> tuple[int, int]:
    """Usable columns and lines of the terminal, or those of an ordinary one."""
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):
        size = os.terminal_size((0, 0))
    return (size.columns or 80) - 1, size.lines or 24


def format_time_left(seconds: float) -> str:
    """A time in as many digits as a forecast has: 40 s, 7 min, 2 h 20 min or 3 days."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 95:
        return f"about {10 * round(seconds / 10)} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"about {minutes} min"
    hours, tens = divmod(round(seconds / 600), 6)
    if hours < 10:
        return f"about {hours} h" + (f" {10 * tens} min" if tens else "")
    hours = round(seconds / 3600)
    return f"about {hours} h" if hours < 72 else f"about {math.ceil(hours / 24)} days"
