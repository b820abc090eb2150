"""Downloading datasets of the archive into the user's cache, completely or not at all.

sktime downloads, in a process of its own, into a temporary folder beside the final one. Of what
arrives only the two split files are taken; they are read and checked against the archive's sizes.
One rename then moves them to the final folder, together with their digests, which reveal later
damage. Processes that need the same dataset wait for the first one to download it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import product
from pathlib import Path

from rntk_bench.datasets.archive import ARCHIVE
from rntk_bench.datasets.sktime_process import DownloadError, SktimeProcess
from rntk_bench.datasets.sktime_sources import has_hub
from rntk_bench.datasets.sources import SPLITS, Location, cache_folder, find_splits
from rntk_bench.errors import DataError, StorageError
from rntk_bench.storage.locks import try_lock

MIRROR_VARIABLE = "RNTK_BENCH_MIRROR"
PAUSES_S = (0.0, 2.0)
"""Pauses before each try to download from one source."""
WAIT_S = 0.2
"""Interval between two checks whether another process has finished the same download."""

DIGESTS = "SHA256SUMS"
"""File with the digests of a download, in the format of sha256sum."""

_HUB = "pip install 'rntk-bench[hub]'"

# A source may offer several formats of the same data; the first of these is used. Unlike the
# others, .ts stores series of unequal length without padding.
_SUFFIXES = (".ts", ".tsv", ".txt")


def fetch_dataset(
    name: str,
    *,
    cache_dir: Path | None = None,
    mirror: str | None = None,
    sktime: SktimeProcess | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> Path:
    """Download a dataset unless it is in the cache.

    Parameters
    ----------
    name : str
        Name of a dataset of the archive.
    cache_dir : Path, optional
        Parent of the folder of downloads; by default the user's cache folder.
    mirror : str, optional
        The address of a folder with ``<name>.zip``, in place of sktime's sources. By default it is
        read from the environment variable RNTK_BENCH_MIRROR.
    sktime : SktimeProcess, optional
        The process that downloads, to be used for several datasets.
    sleep : callable
        Function that waits a number of seconds, called before each try and while another process
        downloads.

    Returns
    -------
    Path
        The folder with the training and the test file.

    Raises
    ------
    DataError
        If no source has a complete and valid copy.
    StorageError
        If the cache cannot be written.
    """
    if name not in ARCHIVE:
        raise DataError(
            f"{name!r} is not one of the archive's {len(ARCHIVE)} datasets; 'rntk-bench datasets' "
            "lists them."
        )
    mirror = (mirror or os.environ.get(MIRROR_VARIABLE, "")).rstrip("/") or None
    folder = cache_folder(cache_dir) / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder.parent)
        while not is_intact(folder):
            with try_lock(_lock(folder)) as locked:
                if locked and not is_intact(folder):
                    with SktimeProcess() if sktime is None else nullcontext(sktime) as process:
                        _download(name, folder, mirror, process, sleep)
                    break
            sleep(WAIT_S)
    except OSError as error:
        raise StorageError(
            f"The download of {name} cannot be written to {folder.parent}: {error.strerror}; free "
            "disk space, make the folder writable, or choose another with --cache-dir."
        ) from error
    return folder


def missing_source_hint() -> str:
    """Advice to install what sktime's first source needs; empty if it is not needed."""
    if os.environ.get(MIRROR_VARIABLE) or has_hub():
        return ""
    return (
        f"Hint: {_HUB} adds the Hugging Face hub, where sktime looks first; its other sources are "
        "used without it."
    )


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
    name: str,
    folder: Path,
    mirror: str | None,
    sktime: SktimeProcess,
    sleep: Callable[[float], object],
) -> None:
    staging = _staging(folder)
    staging.mkdir(exist_ok=True)
    try:
        staged = staging / name
        _try_sources(name, staged, mirror, sktime, sleep)
        (staged / DIGESTS).write_text(_digests(find_splits(staged, name)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        staged.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _try_sources(
    name: str,
    staged: Path,
    mirror: str | None,
    sktime: SktimeProcess,
    sleep: Callable[[float], object],
) -> None:
    """Download a valid copy into the folder `staged` from the first source that has one."""
    failures: dict[str, str] = {}
    try:
        sources = sktime.list_sources(name, mirror)
    except DownloadError as error:
        sources, failures["sktime"] = {}, str(error)
    for source, missing in sources.items():
        if missing is not None:
            failures[source] = f"needs {missing}, {_HUB}"
            continue
        for pause in PAUSES_S:
            sleep(pause)
            try:
                _stage(name, mirror, source, staged, sktime)
                return
            except (DownloadError, DataError) as error:
                failures[source] = str(error).replace(str(staged), name).rstrip(".")
                if isinstance(error, DataError) or error.final:
                    break
    reasons = "; ".join(f"{source}: {reason}" for source, reason in failures.items())
    raise DataError(
        f"{name} cannot be downloaded ({reasons}): try again later, or put a copy under --data-dir."
    )


def _stage(name: str, mirror: str | None, source: str, staged: Path, sktime: SktimeProcess) -> None:
    """Download from one source, and put the split files under fixed names into `staged`."""
    arrivals = staged.with_name("arrivals")
    for folder in (arrivals, staged):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    files = _split_files(sktime.download(name, mirror, source, arrivals), name)
    for split, path in zip(SPLITS, files, strict=True):
        path.replace(staged / f"{name}_{split}{path.suffix}")
    Location(name, "download", find_splits(staged, name)).read()


def _split_files(folder: Path, name: str) -> list[Path]:
    """Find the training and the test file of a dataset among what has arrived."""
    stems = {f"{name}_{split}" for split in SPLITS}
    paths = [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
    ]
    exact = [path for path in paths if path.stem in stems]
    # Some archives spell the name differently; but <name>_eq and similar names are other data.
    others = [path for path in paths if not path.name.startswith(f"{name}_")]
    for candidates, suffix in product((exact, others), _SUFFIXES):
        matches = [
            [path for path in candidates if path.name.endswith(f"_{split}{suffix}")]
            for split in SPLITS
        ]
        if all(len(matching) == 1 for matching in matches):
            return [matching[0] for matching in matches]
    raise DataError("it does not hold one training and one test file")
