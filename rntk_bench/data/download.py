"""Downloading a dataset of the archive into the user's cache, whole or not at all.

The mirrors are those of sktime's loader, but its download function is not used: it stops at the
first mirror that fails, waits without limit, unpacks archives of any size, and leaves folders
behind that suppress a later download. Here an archive is fetched into a temporary folder beside
the final place; only its two split files are unpacked, under names that are not the archive's; they
are read and checked; and one rename moves them into place.
"""

from __future__ import annotations

import os
import shutil
import time
import zlib
from collections.abc import Callable, Sequence
from http.client import HTTPException
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zipfile import BadZipFile, ZipFile, ZipInfo

from rntk_bench.data.archive import ARCHIVE
from rntk_bench.data.readers import MAX_FILE_BYTES
from rntk_bench.data.sources import SPLITS, Location, cache_folder, find_splits
from rntk_bench.errors import DataError

MIRRORS = (
    "https://timeseriesclassification.com/aeon-toolkit",
    "https://github.com/sktime/sktime-datasets/raw/main/TSC",
)
MIRROR_VARIABLE = "RNTK_BENCH_MIRROR"
TIMEOUT_S = 30.0
PAUSES_S = (0.0, 1.0, 4.0)

# The archives also hold other formats of the same data; the first of these is taken. Unlike
# the others, .ts keeps series of unequal length without padding.
_SUFFIXES = (".ts", ".tsv", ".txt")


def fetch_dataset(
    name: str,
    *,
    cache_dir: Path | None = None,
    mirrors: Sequence[str] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Download a dataset unless the cache has it.

    Parameters
    ----------
    name : str
        One of the archive's names.
    cache_dir : Path, optional
        The parent of the folder of downloads; the user's cache folder if None.
    mirrors : sequence of str, optional
        Addresses under which ``<name>.zip`` lies, tried in turn. By default the address in the
        environment variable RNTK_BENCH_MIRROR, or else `MIRRORS`.
    sleep : callable
        Waits a number of seconds between two rounds over the mirrors.

    Returns
    -------
    Path
        The folder with the training and the test file.

    Raises
    ------
    DataError
        If no mirror has a whole and valid copy, or the cache cannot be written.
    """
    if name not in ARCHIVE:
        raise DataError(f"{name!r} is not one of the archive's {len(ARCHIVE)} datasets.")
    folder = cache_folder(cache_dir) / name
    if find_splits(folder, name):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".partial-", dir=folder.parent) as temporary:
            staged = Path(temporary, name)
            _try_mirrors(name, staged, mirrors or _default_mirrors(), sleep)
            _install(staged, folder)
    except OSError as error:
        raise DataError(
            f"The download of {name} cannot be written to {folder.parent}: {error.strerror}."
        ) from error
    return folder


def _default_mirrors() -> Sequence[str]:
    mirror = os.environ.get(MIRROR_VARIABLE)
    return (mirror,) if mirror else MIRRORS


def _try_mirrors(
    name: str, staged: Path, mirrors: Sequence[str], sleep: Callable[[float], object]
) -> None:
    """Put a checked copy into the folder `staged`, going round the mirrors with growing pauses."""
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
    """Whether asking the same mirror again would give the same answer."""
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
        error.close()  # it is also the response
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
            for split, entry in zip(SPLITS, _split_entries(contents), strict=True):
                # An entry is never unpacked to more than the size it declares.
                if entry.file_size > MAX_FILE_BYTES:
                    raise DataError(f"{entry.filename!r} is larger than {MAX_FILE_BYTES >> 20} MiB")
                target = folder / f"{name}_{split}{PurePosixPath(entry.filename).suffix}"
                with contents.open(entry) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except (EOFError, RuntimeError, LZMAError, zlib.error) as error:
        raise BadZipFile(f"the archive is damaged: {error}") from error


def _split_entries(contents: ZipFile) -> list[ZipInfo]:
    """Choose the training and the test file of an archive."""
    paths = {PurePosixPath(entry.filename): entry for entry in contents.infolist()}
    for path in paths:
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"the archive's entry {str(path)!r} points outside its folder")
    visible = {path: entry for path, entry in paths.items() if not path.name.startswith(".")}
    for suffix in _SUFFIXES:
        # Only the ends of names are compared: the stem is not the dataset's name everywhere.
        found = [
            [entry for path, entry in visible.items() if path.name.endswith(f"_{split}{suffix}")]
            for split in SPLITS
        ]
        if all(len(entries) == 1 for entries in found):
            return [entries[0] for entries in found]
    raise DataError("the archive does not hold one training and one test file")


def _install(staged: Path, folder: Path) -> None:
    if find_splits(folder, folder.name):
        return  # another process was faster
    shutil.rmtree(folder, ignore_errors=True)
    staged.replace(folder)
