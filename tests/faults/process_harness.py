"""Processes of the command that start within milliseconds, so that many can be killed.

A server that has imported and compiled everything forks them.
"""

import atexit
import multiprocessing
import os
import re
import signal as system_signals
import sys
from contextlib import contextmanager

from tests.paths import ROOT

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.preloaded"])


def start(arguments, log):
    """Begin `rntk-bench` with these arguments; what it says goes to the file `log`."""
    path = os.environ.get("PYTHONPATH")
    # Of the server, which looks for what it imports first.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), path]))
    try:
        life = CONTEXT.Process(target=_live, args=([*map(str, arguments)], log), daemon=True)
        life.start()
        atexit.register(life.kill)  # one that a failed test leaves stopped would never end
    finally:
        del os.environ["PYTHONPATH"]
        if path is not None:
            os.environ["PYTHONPATH"] = path
    return life


def whole(arguments, log):
    """Let one run to its end, and return its exit code and all that it said."""
    life = start(arguments, log)
    life.join(300)
    assert life.exitcode is not None
    return life.exitcode, log.read_text()


STOP = system_signals.SIGSTOP
CONTINUE = system_signals.SIGCONT


def signal(life, number):
    """Send a signal, unless it has just ended."""
    if life.exitcode is None:
        os.kill(life.pid, number)


def _live(arguments, log):
    from rntk_bench.cli import main

    # A shell lets its background jobs ignore this signal, and processes inherit that.
    system_signals.signal(system_signals.SIGINT, system_signals.default_int_handler)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.stdout.reconfigure(line_buffering=True)
    _mark_beginning(log.with_suffix(".begun"))
    main(arguments, prog_name="rntk-bench")


def _mark_beginning(path):
    """Make a file when the command has begun, so that it can be stopped no earlier."""
    command = sys.modules["rntk_bench.cli.run"]  # the attribute of this name is the function
    entered = command.report_progress_on_stop

    @contextmanager
    def report_progress_on_stop(progress):
        with entered(progress):
            path.touch()
            yield

    command.report_progress_on_stop = report_progress_on_stop


def without_times(record):
    """A record's bytes but for timings, its date, and the digest over both."""
    text = re.sub(r'^ "timings": \{.*?^ \},\n', "", record.decode(), flags=re.M | re.S)
    return re.sub(r'^ "(created|digest)": .*\n', "", text, flags=re.M)


def records(folder):
    """What every record below a folder says, by its name."""
    return {
        str(path.relative_to(folder)): without_times(path.read_bytes())
        for path in sorted(folder.glob("*/*.json"))
        if path.is_file()
    }


def files(folder):
    """Names of all files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
