"""A process in which sktime downloads, watched from outside.

sktime's downloaders have no time limit, unpack archives of any size, and cannot be interrupted. So
they run in a process that only this one can see: it ends when a download stalls or grows too large,
when this process is interrupted, and when this process ends, in whatever way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from rntk_bench.datasets.text import MAX_FILE_BYTES
from rntk_bench.errors import RntkBenchError

STALL_S = 30.0
"""How long no byte may arrive until a download is given up."""
CHECK_S = 0.2
"""Interval between two looks at the folder of a download."""

MAX_BYTES = 4 * MAX_FILE_BYTES
"""How much a download may take: both splits, in several formats, and the archive they came in."""
_BLOCK = 4096

_COMMAND = "from rntk_bench.datasets.sktime_sources import serve; serve()"
_SETTINGS = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_XET": "1",  # it keeps what has arrived in memory, where nobody sees it
}


class DownloadError(RntkBenchError):
    """A download from one source that failed; another may serve.

    Attributes
    ----------
    final : bool
        Whether another try would fail in the same way.
    """

    def __init__(self, reason: str, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class SktimeProcess:
    """Runs sktime's downloaders in another process, which starts with the first call.

    Use it as a context manager: the process is ended at the end of the block. See
    `rntk_bench.datasets.sktime_sources` for what it runs.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._reader = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._reader.shutdown()

    def list_sources(self, name: str, mirror: str | None) -> dict[str, str | None]:
        """List the sources of a dataset in sktime's order, each with the package that it lacks.

        Raises
        ------
        DownloadError
            If the installed sktime cannot be imported, or has changed.
        """
        sources = self._call("list_sources", name, mirror)
        assert isinstance(sources, dict)
        return sources

    def download(self, name: str, mirror: str | None, source: str, folder: Path) -> Path:
        """Download a dataset from one of its sources.

        Parameters
        ----------
        name : str
        mirror : str, optional
        source : str
            One of the sources that `list_sources` returns for these.
        folder : Path
            An empty folder for everything that the download writes.

        Returns
        -------
        Path
            A folder inside `folder` with the files that have arrived, whatever they are.

        Raises
        ------
        DownloadError
            If the download fails, stalls for `STALL_S` seconds, or grows beyond `MAX_BYTES`.
        OSError
            If its files cannot be written.
        """
        check = _watch(folder)
        arrived = self._call("download", name, mirror, source, str(folder), check=check)
        check()
        return Path(arrived)

    def _call(
        self, function: str, *arguments: object, check: Callable[[], None] | None = None
    ) -> Any:
        """Call a function of `sktime_sources`; `check` is called while it runs, and may raise."""
        try:
            if self._process is None:
                self._process = _start()
                # The import may take long on a cold disk, and must not be taken for a stall.
                _result(self._exchange(["import_sktime"], None))
            answer = self._exchange([function, *arguments], check)
        except BaseException:
            self._kill()  # what it writes is about to be removed
            raise
        return _result(answer)

    def _exchange(self, call: list[object], check: Callable[[], None] | None) -> dict[str, Any]:
        assert self._process is not None
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            print(json.dumps(call), file=requests, flush=True)
        except OSError:
            raise DownloadError("its process was ended from outside") from None
        line = self._reader.submit(answers.readline)
        while True:
            try:
                answer = line.result(timeout=CHECK_S)
                break
            except TimeoutError:
                if check is not None:
                    check()
        if not answer:
            raise DownloadError("its process was ended from outside")
        received = json.loads(answer)
        assert isinstance(received, dict)
        return received

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _start() -> subprocess.Popen[str]:
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    try:
        return subprocess.Popen(
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env={**os.environ, **_SETTINGS, "PYTHONPATH": paths},
        )
    except OSError as error:
        raise DownloadError(f"its process cannot be started: {error}") from error


def _result(answer: dict[str, Any]) -> Any:
    """The result in an answer; an error in it is raised."""
    if "result" in answer:
        return answer["result"]
    if answer["disk"] is not None:
        raise OSError(answer["disk"], os.strerror(answer["disk"]))
    raise DownloadError(answer["reason"], answer["final"])


def _watch(folder: Path) -> Callable[[], None]:
    """Make a function that raises a DownloadError if the folder is too large or has stalled."""
    size, changed = -1, time.monotonic()

    def check() -> None:
        nonlocal size, changed
        last, size = size, folder_size(folder)
        if size > MAX_BYTES:
            raise DownloadError(f"it takes more than {MAX_BYTES >> 20} MiB", final=True)
        if size != last:
            changed = time.monotonic()
        elif time.monotonic() - changed > STALL_S:
            raise DownloadError(f"no byte arrived for {STALL_S:g} s")

    return check


def folder_size(folder: Path) -> int:
    """The bytes of all files below a folder, and a block for each file and folder."""
    total = 0
    for parent, folders, files in os.walk(folder):
        total += _BLOCK * (len(folders) + len(files))
        for file in files:
            with suppress(OSError):  # it was removed since
                total += os.lstat(Path(parent, file)).st_size
    return total
