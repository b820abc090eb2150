"""What is printed while a plan runs, with and without a terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from types import SimpleNamespace

import pytest

from rntk_bench.benchmark.backend import LoadedEvaluation
from rntk_bench.benchmark.plan import make_plan
from rntk_bench.benchmark.runner import Outcome
from rntk_bench.cli import _plan_display
from rntk_bench.cli._plan_display import PlanDisplay, format_time_left
from rntk_bench.config import Experiment
from rntk_bench.methods import resolve
from tests import factories as made

EXPERIMENT = Experiment(methods=("rntk", "rbf"))
PLAN = make_plan(["Ham", "Yoga"], resolve(EXPERIMENT), EXPERIMENT, Path("nowhere"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (9.9, "a few seconds"),
        (10, "about 10 s"),
        (44, "about 40 s"),
        (94, "about 90 s"),
        (96, "about 2 min"),
        (99 * 60, "about 99 min"),
        (100 * 60, "about 1 h 40 min"),
        (119.9 * 60, "about 2 h"),
        (2.4 * 3600, "about 2 h 20 min"),
        (10.2 * 3600, "about 10 h"),
        (71 * 3600, "about 71 h"),
        (72 * 3600, "about 3 days"),
        (73 * 3600, "about 4 days"),
    ],
)
def test_a_time_has_as_many_digits_as_a_forecast(seconds, text):
    assert format_time_left(seconds) == text


class Left:
    """A plan's time left that a test sets."""

    n_evaluations, n_done, left = len(PLAN), 0, 500.0
    fraction = 0.0

    def start(self, evaluation=None, size=None):
        self.fraction = 0.0

    def progress(self, fraction):
        self.fraction = fraction

    def finish(self, outcome):
        self.n_done += 1

    def seconds(self):
        return self.left


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(_plan_display.time, "monotonic", lambda: now.seconds)
    return now


def outcome(evaluation, kind="computed"):
    record = made.record(*evaluation.key[:2], 15, 20)
    record.test["accuracy"] = 0.75
    selection = {"accuracy": 0.5, "setting": {"alpha": 2.0}, "C": 1.0, "ties": 3}
    record = type(record)(**{**vars(record), "selection": selection, "timings": {"total": 1.25}})
    return Outcome(*evaluation.key, kind, record)


LINE = "Ham rntk: test 75.00 %, validation 50.00 % (alpha=2, C=1, 3 tied) [1.2 s]\n"


def test_without_a_terminal_a_line_says_the_time_left_once_a_minute(clock, capsys):
    display = PlanDisplay(Left(), quiet=False)
    show = display.start_evaluation(LoadedEvaluation(PLAN[0], None))
    for second in range(150):
        clock.seconds = float(second)
        show(second, 200, 0.5)
    clock.seconds = 170.0
    display.report(outcome(PLAN[0]))
    clock.seconds = 180.0
    display.report(outcome(PLAN[1]))
    display.close()
    printed = capsys.readouterr()
    assert printed.out == LINE + LINE.replace("rntk", "rbf")
    assert printed.err == (
        "0 of 4 evaluations done, about 8 min left: Ham rntk, 30 %\n"
        "0 of 4 evaluations done, about 8 min left: Ham rntk, 60 %\n"
        "2 of 4 evaluations done, about 8 min left\n"
    )


def test_a_short_plan_without_a_terminal_has_its_evaluations_alone(clock, capsys):
    display = PlanDisplay(Left(), quiet=False)
    for evaluation in PLAN:
        display.start_evaluation(LoadedEvaluation(evaluation, None))(1, 1, 0.5)
        display.report(outcome(evaluation))
    printed = capsys.readouterr()
    assert printed.out.count("\n") == len(PLAN)
    assert not printed.err


def test_a_finished_plan_has_no_time_left(clock, capsys):
    left = Left()
    left.n_done = len(PLAN) - 1
    display = PlanDisplay(left, quiet=False)
    show = display.start_evaluation(LoadedEvaluation(PLAN[3], None))
    show(1, 2, 0.5)
    clock.seconds = 1000.0
    display.report(outcome(PLAN[3]))
    assert not capsys.readouterr().err


def test_many_kept_evaluations_are_not_forecast_one_by_one(clock, monkeypatch):
    asked = []
    left = Left()
    left.n_evaluations = 1000
    monkeypatch.setattr(left, "seconds", lambda: asked.append(clock.seconds) or 1.0, raising=False)
    display = PlanDisplay(left, quiet=False)
    display._on_terminal = True
    monkeypatch.setattr(_plan_display, "_new_bar", lambda *_, **__: SilentBar())
    for number in range(500):
        clock.seconds = 50.0 + number / 100.0
        display.report(outcome(PLAN[0], "kept"))
    assert 4 <= len(asked) <= 6
    display.close()


class SilentBar:
    """A bar that draws nothing."""

    def __getattr__(self, name):
        return lambda *_, **__: None


def test_quiet_says_failures_alone(clock, capsys):
    display = PlanDisplay(Left(), quiet=True)
    show = display.start_evaluation(LoadedEvaluation(PLAN[0], None))
    clock.seconds = 1000.0
    show(1, 2, 0.5)
    display.report(outcome(PLAN[0]))
    display.report(Outcome(*PLAN[1].key, "failed", message="It was too large."))
    display.report(Outcome(*PLAN[2].key, "unreadable", message="There is none."))
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err == "Ham rbf failed: It was too large.\nYoga failed: There is none.\n"


def test_a_clusters_state_is_that_of_the_plan(clock, capsys):
    display = PlanDisplay(Left(), quiet=False)
    show = display.start_plan()
    show("5 tasks under way")
    clock.seconds = 60.0
    show("3 tasks under way")
    assert capsys.readouterr().err == (
        "0 of 4 evaluations done, about 8 min left: 3 tasks under way\n"
    )


SCRIPT = """
import time
from tests.cli.test_plan_display import PLAN, Left, outcome
from rntk_bench.benchmark.backend import LoadedEvaluation
from rntk_bench.cli import _plan_display
_plan_display.SHORT_SECONDS = 0.3
display = _plan_display.PlanDisplay(Left(), quiet=False)
for evaluation, parts in zip(PLAN, (8, 1, 1, 1)):
    show = display.start_evaluation(LoadedEvaluation(evaluation, None))
    for part in range(parts):
        time.sleep(0.11 * (parts > 1))
        show(part + 1, parts, 0.5)
    display.report(outcome(evaluation))
display.close()
print("END")
"""


def on_terminal(command, columns):
    """What a command writes to a terminal that is so wide; 0 columns are not known."""
    main, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))
    process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other)
    os.close(other)
    written = b""
    while True:
        try:
            more = os.read(main, 1 << 16)
        except OSError:  # the other end is closed
            break
        written += more
    os.close(main)
    assert process.wait() == 0, written.decode()
    return written.decode()


def screen(written):
    """The lines of a terminal without those that were drawn over or erased.

    It knows the control sequences that tqdm writes: carriage return, line feed and one line up.
    """
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[A|\r|\n|[^\r\n\x1b]+", written):
        if token == "\x1b[A":
            row -= 1
        elif token == "\r":
            column = 0
        elif token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + token + line[column + len(token) :]
            column += len(token)
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize("columns", [80, 40, 0])
def test_on_a_terminal_the_state_and_a_bar_are_drawn_and_removed(columns):
    written = on_terminal([sys.executable, "-c", SCRIPT], columns)
    assert "0 of 4 evaluations done, about 8 min" in written
    assert "best validation" in written
    assert re.search(r" 50%\|", written)
    # The evaluations that took no time have no bar.
    assert "1/1 kernels" not in written
    for line in re.split(r"[\r\n]|\x1b\[A", written):
        assert len(line) < (columns or 80) or " rntk: test" in line or " rbf: test" in line
    lines = [
        LINE.replace("Ham rntk", f"{evaluation.dataset} {evaluation.method.name}").rstrip()
        for evaluation in PLAN
    ]
    assert [line for line in screen(written) if line] == [*lines, "END"]
