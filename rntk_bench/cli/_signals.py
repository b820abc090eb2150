"""What commands do when they are stopped by Ctrl-C, by SIGTERM or by an error."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from rntk_bench.errors import ClusterError, LockedError, StorageError, find_interrupt


class Terminated(KeyboardInterrupt):
    """A SIGTERM, which job schedulers send before they kill a process."""


def handle_sigterm() -> None:
    """Have a SIGTERM stop the command in the same way as Ctrl-C."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)


def exit_code(stop: KeyboardInterrupt) -> int:
    """The exit code that shells report for a process that was ended by the signal."""
    number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
    return 128 + int(number)


@contextmanager
def reraise_interrupts() -> Iterator[None]:
    """Raise an interrupt that compiled code has turned into another error as an interrupt again."""
    try:
        yield
    except Exception as error:
        if interrupt := find_interrupt(error):
            raise interrupt from None
        raise


@contextmanager
def report_progress_on_stop(progress: Callable[[], str]) -> Iterator[None]:
    """If the block is stopped, print in one sentence what is finished, and end the process.

    Parameters
    ----------
    progress : callable
        Returns a sentence that says what is finished, where it is, and how to continue.
    """
    try:
        with reraise_interrupts():
            yield
    except KeyboardInterrupt as stop:
        click.echo(f"Interrupted: {progress()}", err=True)
        sys.exit(exit_code(stop))
    except LockedError:  # nothing has been computed yet
        raise
    except (StorageError, ClusterError) as error:
        click.echo(f"Error: {error}\nStopped: {progress()}", err=True)
        sys.exit(error.exit_code)
    except MemoryError as error:
        click.echo(f"Error: {memory_message(error)}\nStopped: {progress()}", err=True)
        sys.exit(1)


def memory_message(error: MemoryError) -> str:
    """A sentence about a lack of memory."""
    detail = f" ({error})" if str(error) else ""
    return f"The memory does not suffice{detail}; use fewer --jobs or smaller data."


def _terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's arguments
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated
