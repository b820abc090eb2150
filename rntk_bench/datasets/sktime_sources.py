"""sktime's downloaders, and the process that runs them.

Only that process calls these functions, `has_hub` apart (see `rntk_bench.datasets.sktime_process`):
importing sktime takes a second, and its downloaders cannot be interrupted.

Of sktime, this uses what is below `load_UCR_UEA_dataset`. That function would read all series into
a nested table only to drop it. It also gives up when the first address fails, and it cannot be
given another one. The places to look in, their order and the formats are still sktime's:
`_cache_dataset`, which its loader calls, names them.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

from packaging.version import Version

HUB = "huggingface-hub"
# Before, the name of a file could point outside the folder into which it is downloaded.
_HUB_VERSION = Version("2.0")

_MAY_PASS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)

# Errors of a full or unwritable disk, which no other source can avoid.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def import_sktime() -> None:
    """Import sktime's downloaders, which takes most of the time until the first download."""
    from sktime.datasets import _data_io  # noqa: F401


def list_sources(name: str, mirror: str | None = None) -> dict[str, str | None]:
    """List where sktime would look for a dataset, in its order.

    Parameters
    ----------
    name : str
        Name of a dataset of the archive.
    mirror : str, optional
        The address of a folder with ``<name>.zip``, to be the only source.

    Returns
    -------
    dict
        The name of each source, with the package that it needs and that is not installed, or None.
    """
    return {
        source: _missing_package(downloader) for source, downloader in _plan(name, mirror).items()
    }


def download(name: str, mirror: str | None, source: str, folder: str) -> str:
    """Download a dataset from one of its sources into a folder, and return the folder of its files.

    Raises
    ------
    Exception
        Whatever sktime's downloader raises.
    """
    # sktime leaves the archive among the temporary files if it cannot be unpacked.
    tempfile.tempdir = folder
    return str(_plan(name, mirror)[source].download(Path(folder) / "data"))


def _plan(name: str, mirror: str | None) -> dict[str, Any]:
    """sktime's downloaders of a dataset, one per source, by the name of the source."""
    from sktime.datasets import _data_io
    from sktime.datasets._dataset_downloader import DatasetDownloader, URLDownloader

    downloaders: dict[str, Any] = {}

    class Plan(DatasetDownloader):  # type: ignore[misc]
        """Notes what sktime would try, instead of trying it."""

        def download(self, download_path: object = None, force_download: bool = False) -> None:  # noqa: ARG002
            for downloader in self.strategies:
                if mirror is None or isinstance(downloader, URLDownloader):
                    downloaders.setdefault(_source(downloader), downloader)

    # This process calls nothing else of sktime.
    _data_io.DatasetDownloader = Plan
    _data_io._cache_dataset(mirror or _data_io.CLASSIF_URLS, name)
    return downloaders


def _source(downloader: Any) -> str:
    """Name the source of one of sktime's downloaders for messages."""
    if urls := getattr(downloader, "base_urls", None):
        return ", ".join(urls)
    if repository := getattr(downloader, "hf_repo_name", None):
        return f"Hugging Face {repository}"
    return type(downloader).__name__


def _missing_package(downloader: Any) -> str | None:
    """The package that one of sktime's downloaders needs and that is not installed."""
    if hasattr(downloader, "hf_repo_name") and not has_hub():
        return f"{HUB}>={_HUB_VERSION}"
    return None if downloader.available else str(downloader.get_tag("python_dependencies"))


def has_hub() -> bool:
    """Whether huggingface-hub is installed, in a version that keeps files inside their folder."""
    try:
        return Version(version(HUB)) >= _HUB_VERSION
    except PackageNotFoundError:
        return False


def serve() -> None:
    """Answer the parent's calls until it ends: a line of JSON each, and one for the answer."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent handles them
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # so that output of libraries does not corrupt the answers
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        # In a thread, so that this one notices when the parent ends.
        Thread(target=_answer, args=(json.loads(line), answers), daemon=True).start()
    os._exit(0)


def _answer(call: list[Any], answers: TextIO) -> None:
    function, *arguments = call
    functions: dict[str, Callable[..., Any]] = {
        each.__name__: each for each in (import_sktime, list_sources, download)
    }
    try:
        answer = {"result": functions[function](*arguments)}
    except Exception as error:
        answer = describe_failure(error)
    print(json.dumps(answer), file=answers, flush=True)


def describe_failure(error: Exception) -> dict[str, Any]:
    """Describe why a download failed, by the first error of those that led to this one.

    Returns
    -------
    dict
        ``reason``, on one line; ``final``, whether another try would fail in the same way; and
        ``disk``, the number of the operating system's error if the disk is full or cannot be
        written to, or None.
    """
    errors = list(_causes(error))
    first = errors[-1]
    status = next((code for each in errors if (code := _http_status(each)) is not None), None)
    text = str(first if status else getattr(first, "reason", first)).strip()
    return {
        "reason": text.splitlines()[0].rstrip(".") if text else type(first).__name__,
        "final": isinstance(first, ValueError)
        if status is None
        else status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _MAY_PASS,
        "disk": next(
            (code for each in errors if (code := getattr(each, "errno", 0)) in _DISK), None
        ),
    }


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _http_status(error: BaseException) -> int | None:
    """The status in an error of urllib, or of huggingface-hub, whose errors hold the response."""
    code = getattr(error, "code", getattr(getattr(error, "response", None), "status_code", None))
    return code if isinstance(code, int) else None
