"""Running BLAS on one thread, so that the last bits do not depend on the number of threads."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Lock

from threadpoolctl import OpenBLASController, threadpool_limits


class _OneThread:
    """A context in which BLAS uses one thread; it may be nested and entered from several threads.

    The limit holds for the whole process and takes milliseconds to set, so the first
    entry sets it and the last exit restores the previous limit.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limit = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit.enter_context(threadpool_limits(1, user_api="blas"))
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                # Since threadpoolctl 3.8 only the thread that set a limit may remove it.
                if hasattr(OpenBLASController, "clear_controlling_thread"):
                    OpenBLASController.clear_controlling_thread(force=True)
                self._limit.close()


one_blas_thread = _OneThread()
