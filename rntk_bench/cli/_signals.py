"""Commands that are stopped: by Ctrl-C, by SIGTERM, or because a run cannot go on."""

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
    """A SIGTERM, as schedulers send it before they kill."""


def handle_sigterm() -> None:
    """Answer a SIGTERM as Ctrl-C is answered."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)


def exit_code(stop: KeyboardInterrupt) -> int:
    """What shells say of a process that the signal ended."""
    number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
    return 128 + int(number)


@contextmanager
def reraise_interrupts() -> Iterator[None]:
    """Raise as an interrupt what compiled code, where it came, has made another error of."""
    try:
        yield
    except Exception as error:
        if interrupt := find_interrupt(error):
            raise interrupt from None
        raise


@contextmanager
def report_progress_on_stop(progress: Callable[[], str]) -> Iterator[None]:
    """Where the block is stopped say in one sentence what is finished, and end the process.

    Parameters
    ----------
    progress : what is finished, where it is, and how to go on
    """
    try:
        with reraise_interrupts():
            yield
    except KeyboardInterrupt as stop:
        click.echo(f"Interrupted: {progress()}", err=True)
        sys.exit(exit_code(stop))
    except LockedError:  # nothing has begun
        raise
    except (StorageError, ClusterError) as error:
        click.echo(f"Error: {error}\nStopped: {progress()}", err=True)
        sys.exit(error.exit_code)
    except MemoryError as error:
        click.echo(f"Error: {memory_message(error)}\nStopped: {progress()}", err=True)
        sys.exit(1)


def memory_message(error: MemoryError) -> str:
    """A lack of memory in one sentence."""
    detail = f" ({error})" if str(error) else ""
    return f"The memory does not suffice{detail}; use fewer --jobs or smaller data."


def _terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's arguments
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    raise Terminated
