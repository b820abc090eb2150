"""Downloading a dataset of the archive into the user's cache, whole or not at all.

The mirrors are those of sktime's loader, but its download function is not used: it stops at the
first mirror that fails, waits without limit, unpacks archives of any size, and leaves folders
behind that suppress a later download. Here an archive is fetched into a temporary folder beside
the final place; only its two split files are unpacked, under names that are not the archive's; they
are read and checked; and one rename moves them into place, with their digests, by which a copy that
was damaged since is known. Processes that want the same dataset wait for the first.
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
"""Between two looks at a download by another process."""

DIGESTS = "SHA256SUMS"
"""File of a download's digests, as sha256sum writes and checks them."""

# What a full or unwritable disk answers, unlike a mirror.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}

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
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder.parent)
        while not is_intact(folder):
            with try_lock(_lock(folder)) as mine:
                if mine and not is_intact(folder):
                    _download(name, folder, mirrors or _default_mirrors(), sleep)
                    break
            sleep(WAIT_S)
    except OSError as error:
        raise DataError(
            f"The download of {name} cannot be written to {folder.parent}: {error.strerror}; make "
            "room or make the folder writable, or choose another with --cache-dir."
        ) from error
    return folder


def is_intact(folder: Path) -> bool:
    """Whether a download is there, with the digests it came with; older ones have none."""
    paths = find_splits(folder, folder.name)
    try:
        return bool(paths) and (folder / DIGESTS).read_text(encoding="utf-8") == _digests(paths)
    except FileNotFoundError:
        return bool(paths)
    except (OSError, ValueError):
        return False


def needs_download(location: Location) -> bool:
    """Whether a dataset is not on this machine, or only a download that was damaged since."""
    if location.source == "cache":
        return not is_intact(location.paths[0].parent)
    return location.source == "download"


def _digests(paths: Sequence[Path]) -> str:
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths
    )


def _lock(folder: Path) -> Path:
    """The file that a process claims while it downloads into a folder."""
    return folder.with_name(f".{folder.name}.lock")


def _staging(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.partial")


def _sweep(parent: Path) -> None:
    """Remove the half downloads of processes that have ended."""
    for left in parent.glob(_staging(parent / "*").name):
        folder = parent / left.name.removeprefix(".").removesuffix(".partial")
        with try_lock(_lock(folder)) as mine:
            if mine:
                shutil.rmtree(left, ignore_errors=True)


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
            for split, entry in zip(SPLITS, _split_entries(contents, name), strict=True):
                # An entry is never unpacked to more than the size it declares.
                if entry.file_size > MAX_FILE_BYTES:
                    raise DataError(f"{entry.filename!r} is larger than {MAX_FILE_BYTES >> 20} MiB")
                target = folder / f"{name}_{split}{PurePosixPath(entry.filename).suffix}"
                with contents.open(entry) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except (EOFError, RuntimeError, LZMAError, zlib.error) as error:
        raise BadZipFile(f"the archive is damaged: {error}") from error


def _split_entries(contents: ZipFile, name: str) -> list[ZipInfo]:
    """Choose the training and the test file of a dataset in an archive."""
    stems = {f"{name}_{split}" for split in SPLITS}
    paths = {PurePosixPath(entry.filename): entry for entry in contents.infolist()}
    for path in paths:
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"the archive's entry {str(path)!r} points outside its folder")
    visible = {path: entry for path, entry in paths.items() if not path.name.startswith(".")}
    exact = {path: entry for path, entry in visible.items() if path.stem in stems}
    # The stem is not the dataset's name everywhere; but <name>_eq and the like are other data.
    others = {
        path: entry for path, entry in visible.items() if not path.name.startswith(f"{name}_")
    }
    for entries, suffix in product((exact, others), _SUFFIXES):
        found = [
            [entry for path, entry in entries.items() if path.name.endswith(f"_{split}{suffix}")]
            for split in SPLITS
        ]
        if all(len(matching) == 1 for matching in found):
            return [matching[0] for matching in found]
    raise DataError("the archive does not hold one training and one test file")
