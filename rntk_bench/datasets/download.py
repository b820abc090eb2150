"""Downloading datasets of the archive into the user's cache, completely or not at all.

The mirrors are those of sktime's loader, but its download function is not used: it stops at the
first mirror that fails, has no timeout, unpacks archives of any size, and leaves folders behind
that prevent a later download. Here an archive is downloaded into a temporary folder beside the
final one. Only its two split files are unpacked, under fixed names; they are read and validated.
One rename then moves them to the final folder, together with their digests, which reveal later
damage. Processes that need the same dataset wait for the first one to download it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import time
import zlib
from collections.abc import Callable, Sequence
from http.client import HTTPException
from itertools import product
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zipfile import BadZipFile, ZipFile, ZipInfo

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.datasets.sources import SPLITS, Location, cache_folder, find_splits
from rntk_bench.datasets.text import MAX_FILE_BYTES
from rntk_bench.errors import DataError
from rntk_bench.storage.locks import try_lock

MIRRORS = (
    "https://timeseriesclassification.com/aeon-toolkit",
    "https://github.com/sktime/sktime-datasets/raw/main/TSC",
)
MIRROR_VARIABLE = "RNTK_BENCH_MIRROR"
TIMEOUT_S = 30.0
PAUSES_S = (0.0, 1.0, 4.0)
WAIT_S = 0.2
"""Interval between two checks whether another process has finished the same download."""

DIGESTS = "SHA256SUMS"
"""File with the digests of a download, in the format of sha256sum."""

# Errors of a full or unwritable disk, which no other mirror can avoid.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}

# An archive may hold several formats of the same data; the first of these is used. Unlike the
# others, .ts stores series of unequal length without padding.
_SUFFIXES = (".ts", ".tsv", ".txt")


def fetch_dataset(
    name: str,
    *,
    cache_dir: Path | None = None,
    mirrors: Sequence[str] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Download a dataset unless it is in the cache.

    Parameters
    ----------
    name : str
        Name of a dataset of the archive.
    cache_dir : Path, optional
        Parent of the folder of downloads; by default the user's cache folder.
    mirrors : sequence of str, optional
        Base addresses of ``<name>.zip``, tried in order. By default the address in the environment
        variable RNTK_BENCH_MIRROR, or `MIRRORS` if it is not set.
    sleep : callable
        Function that waits a number of seconds, called between two rounds over the mirrors.

    Returns
    -------
    Path
        The folder with the training and the test file.

    Raises
    ------
    DataError
        If no mirror has a complete and valid copy, or the cache cannot be written.
    """
    if name not in ARCHIVE:
        raise DataError(f"{name!r} is not one of the archive's {len(ARCHIVE)} datasets.")
    folder = cache_folder(cache_dir) / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder.parent)
        while not is_intact(folder):
            with try_lock(_lock(folder)) as locked:
                if locked and not is_intact(folder):
                    _download(name, folder, mirrors or _default_mirrors(), sleep)
                    break
            sleep(WAIT_S)
    except OSError as error:
        raise DataError(
            f"The download of {name} cannot be written to {folder.parent}: {error.strerror}; free "
            "disk space, make the folder writable, or choose another with --cache-dir."
        ) from error
    return folder


def is_intact(folder: Path) -> bool:
    """Whether a download is complete and matches its digests; older downloads have no digests."""
    paths = find_splits(folder, folder.name)
    try:
        return bool(paths) and (folder / DIGESTS).read_text(encoding="utf-8") == _digests(paths)
    except FileNotFoundError:
        return bool(paths)
    except (OSError, ValueError):
        return False


def needs_download(location: Location) -> bool:
    """Whether a dataset is not on this machine, or only as a damaged download."""
    if location.source == "cache":
        return not is_intact(location.paths[0].parent)
    return location.source == "download"


def _digests(paths: Sequence[Path]) -> str:
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths
    )


def _lock(folder: Path) -> Path:
    """The file that a process locks while it downloads into a folder."""
    return folder.with_name(f".{folder.name}.lock")


def _staging(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.partial")


def _remove_stale(parent: Path) -> None:
    """Remove incomplete downloads of processes that have ended."""
    for staging in parent.glob(_staging(parent / "*").name):
        folder = parent / staging.name.removeprefix(".").removesuffix(".partial")
        with try_lock(_lock(folder)) as locked:
            if locked:
                shutil.rmtree(staging, ignore_errors=True)


def _download(
    name: str, folder: Path, mirrors: Sequence[str], sleep: Callable[[float], object]
) -> None:
    staging = _staging(folder)
    staging.mkdir(exist_ok=True)
    try:
        staged = staging / name
        _try_mirrors(name, staged, mirrors, sleep)
        (staged / DIGESTS).write_text(_digests(find_splits(staged, name)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        staged.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _default_mirrors() -> Sequence[str]:
    mirror = os.environ.get(MIRROR_VARIABLE)
    return (mirror,) if mirror else MIRRORS


def _try_mirrors(
    name: str, staged: Path, mirrors: Sequence[str], sleep: Callable[[float], object]
) -> None:
    """Download a valid copy into the folder `staged`, retrying all mirrors with growing pauses."""
    failures: dict[str, str] = {}
    remaining = list(mirrors)
    for pause in PAUSES_S:
        if not remaining:
            break
        sleep(pause)
        for mirror in tuple(remaining):
            try:
                _stage(f"{mirror.rstrip('/')}/{name}.zip", name, staged)
            except (DataError, BadZipFile, HTTPException, OSError, ValueError) as error:
                if isinstance(error, OSError) and error.errno in _DISK:
                    raise
                failures[mirror] = str(error).replace(str(staged), name).rstrip(".")
                if _is_final(error):
                    remaining.remove(mirror)
            else:
                return
    reasons = "; ".join(f"{mirror}: {reason}" for mirror, reason in failures.items())
    raise DataError(
        f"{name} cannot be downloaded ({reasons}): try again later, or put a copy under --data-dir."
    )


def _is_final(error: Exception) -> bool:
    """Whether the same mirror would fail in the same way again."""
    if isinstance(error, HTTPError):
        return error.code < 500 and error.code not in (408, 429)
    return isinstance(error, DataError | ValueError)


def _stage(url: str, name: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with TemporaryFile(dir=folder.parent) as archive:
        _receive(url, archive)
        _unpack(archive, name, folder)
    Location(name, "download", find_splits(folder, name)).read()


def _receive(url: str, file: IO[bytes]) -> None:
    request = Request(url, headers={"User-Agent": "rntk-bench"})
    received = 0
    try:
        response = urlopen(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()  # the error is also the response
        raise
    with response:
        expected = response.headers["Content-Length"]
        while chunk := response.read(2**16):
            received += len(chunk)
            if received > MAX_FILE_BYTES:
                raise DataError(f"the archive is larger than {MAX_FILE_BYTES >> 20} MiB")
            file.write(chunk)
    if expected is not None and received < int(expected):
        raise ConnectionError(f"the connection ended after {received} of {expected} bytes")


def _unpack(archive: IO[bytes], name: str, folder: Path) -> None:
    try:
        with ZipFile(archive) as contents:
            for split, entry in zip(SPLITS, _split_entries(contents, name), strict=True):
                # zipfile never unpacks more bytes than the size that an entry declares.
                if entry.file_size > MAX_FILE_BYTES:
                    raise DataError(f"{entry.filename!r} is larger than {MAX_FILE_BYTES >> 20} MiB")
                target = folder / f"{name}_{split}{PurePosixPath(entry.filename).suffix}"
                with contents.open(entry) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except (EOFError, RuntimeError, LZMAError, zlib.error) as error:
        raise BadZipFile(f"the archive is damaged: {error}") from error


def _split_entries(contents: ZipFile, name: str) -> list[ZipInfo]:
    """Find the training and the test file of a dataset in an archive."""
    stems = {f"{name}_{split}" for split in SPLITS}
    paths = {PurePosixPath(entry.filename): entry for entry in contents.infolist()}
    for path in paths:
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"the archive's entry {str(path)!r} points outside its folder")
    visible = {path: entry for path, entry in paths.items() if not path.name.startswith(".")}
    exact = {path: entry for path, entry in visible.items() if path.stem in stems}
    # Some archives spell the name differently; but <name>_eq and similar names are other data.
    others = {
        path: entry for path, entry in visible.items() if not path.name.startswith(f"{name}_")
    }
    for entries, suffix in product((exact, others), _SUFFIXES):
        matches = [
            [entry for path, entry in entries.items() if path.name.endswith(f"_{split}{suffix}")]
            for split in SPLITS
        ]
        if all(len(matching) == 1 for matching in matches):
            return [matching[0] for matching in matches]
    raise DataError("the archive does not hold one training and one test file")
