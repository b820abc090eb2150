import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from rntk_bench.cli import main
from rntk_bench.cli._signals import (
    Terminated,
    exit_code,
    report_progress_on_stop,
    reraise_interrupts,
)
from rntk_bench.errors import StorageError


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "Interrupted: two of three.\n"),
        (Terminated(), 143, "Interrupted: two of three.\n"),
        (StorageError("No room."), 3, "Error: No room.\nStopped: two of three.\n"),
    ],
)
def test_what_is_finished_is_reported(capsys, stop, code, said):
    with pytest.raises(SystemExit) as caught, report_progress_on_stop(lambda: "two of three."):
        raise stop
    assert caught.value.code == code
    assert capsys.readouterr().err == said


def test_an_interrupt_that_compiled_code_turned_into_an_error_is_one():
    with pytest.raises(Terminated), reraise_interrupts():
        raise SystemError("returned a result with an exception set") from Terminated()
    with pytest.raises(SystemError), reraise_interrupts():
        raise SystemError


@pytest.mark.parametrize(("stop", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_every_command_answers_interrupts(monkeypatch, stop, code):
    @click.command()
    def stopped():
        raise stop

    monkeypatch.setitem(main.commands, "stopped", stopped)
    outcome = CliRunner().invoke(main, ["stopped"])
    assert outcome.exit_code == code == exit_code(stop())
    assert outcome.stderr == "Interrupted.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_second_signal_does_not_disturb_the_end():
    code = (
        "import os, signal; from rntk_bench.cli._signals import *\n"
        "handle_sigterm()\n"
        "try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "except Terminated as stop:\n"
        "    os.kill(os.getpid(), signal.SIGTERM); sys.exit(exit_code(stop))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (128 + signal.SIGTERM, b"")
