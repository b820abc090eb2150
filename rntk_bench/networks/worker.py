"""Worker processes in which XLA computes on one thread.

All calls in one process share XLA's thread pool, whatever their options say. Sums then depend on
the number of cores, and two calls on two cores take up to 1.5 times as long as in two processes. A
worker stops when its parent process ends, for whatever reason.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from rntk_bench.errors import RntkBenchError

_COMMAND = "from rntk_bench.networks.worker import serve; serve()"


class Worker:
    """A process that calls functions, one after another.

    Attributes
    ----------
    compiled : set
        Keys of what is compiled in the process; they are added by the user of the worker.
    """

    def __init__(self) -> None:
        # Here, for a worker itself needs nothing of it, and Numba is slow to import.
        from rntk_bench.networks.compilation_cache import worker_environment

        self.compiled: set[Hashable] = set()
        environment = {
            **os.environ,
            "NPROC": "1",  # the size of XLA's pool of threads
            "JAX_PLATFORMS": "cpu",
            **worker_environment(),
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function that can be imported, and return its result.

        Raises
        ------
        RntkBenchError
            If the process was ended.
        Exception
            Whatever the function raises, with the worker's traceback as a note.
        """
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            pickle.dump((function, arguments), requests, pickle.HIGHEST_PROTOCOL)
            requests.flush()
            done, answer = pickle.load(answers)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            raise RntkBenchError(
                "A process that trains networks was ended from outside, perhaps for lack of "
                "memory; run the same command again with fewer --jobs."
            ) from None
        if not done:
            raise answer
        return answer

    def kill(self) -> None:
        """Stop the process at once, even during a call."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def serve() -> None:
    """Answer the parent's calls until it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent handles them
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that output of libraries does not corrupt the answers
    calls: SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, calls), daemon=True).start()
    while True:
        function, arguments = calls.get()
        try:
            answer = True, function(*arguments)
        except Exception as error:
            answer = False, _portable(error)
        pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _portable(error: Exception) -> Exception:
    """Add the traceback to an exception; replace one that cannot be pickled by a RuntimeError."""
    note = f"In a process that trains networks:\n{traceback.format_exc()}"
    try:
        pickle.loads(pickle.dumps(error, pickle.HIGHEST_PROTOCOL))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(note)
    return error


def _listen(requests: IO[bytes], calls: SimpleQueue[Any]) -> None:
    """Queue the calls; stop this process, even during a call, when the parent has ended."""
    try:
        while True:
            calls.put(pickle.load(requests))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
