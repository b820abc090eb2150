"""Gram matrices larger than memory: tile by tile into a file, which goes on where it was."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from joblib import Parallel, delayed
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from rntk_bench.benchmark.kernel_evaluation import gram_identity
from rntk_bench.deadline import current_deadline
from rntk_bench.errors import InputError, KernelError, StorageError
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.base import Sequences
from rntk_bench.storage.checkpoint import Checkpoint
from rntk_bench.storage.locks import output_lock

Array = NDArray[np.float64]
Tile = tuple[int, int]

TILE = 1024
"""Rows and columns of a tile. Fixed, since the last bits of an entry depend on its tile."""
SQUARES, WALKS = 3, 5
"""What a tile takes while it is computed: its own size so often, and its two sets of series,
laid out step by step."""


@dataclass(frozen=True)
class Plan:
    """The tiles of a Gram (n_x, n_y), of one set with itself if `symmetric`, and what they take."""

    shape: tuple[int, int]
    length: int
    symmetric: bool

    @property
    def tiles(self) -> list[Tile]:
        """Number of each tile's rows and columns; of a symmetric Gram the upper ones."""
        rows, columns = (range(-(-n // TILE)) for n in self.shape)
        return [(i, j) for i, j in product(rows, columns) if i <= j or not self.symmetric]

    @property
    def tile_memory(self) -> int:
        """Bytes that one tile takes while it is computed."""
        height, width = (min(TILE, n) for n in self.shape)
        return 8 * (SQUARES * height * width + WALKS * self.length * (height + width))

    def jobs_within(self, limit: int, series: int, n_jobs: int) -> int:
        """How many tiles may be computed at once, at most `n_jobs`, beside the series' bytes.

        Raises
        ------
        InputError
            If not even one fits.
        """
        needed = series + self.tile_memory
        if needed > limit:
            raise InputError(
                f"A tile of this Gram and its series take {needed / 2**20:.0f} MiB, but the memory "
                f"limit is {limit / 2**20:.0f} MiB; give it more with --memory-limit."
            )
        return min(n_jobs, (limit - series) // self.tile_memory)


def gram_to_file(
    kernel: Kernel,
    X: Sequences,
    path: Path,
    Y: Sequences | None = None,
    *,
    memory_limit: int | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Array:
    """Compute `kernel(X, Y)`, or `kernel(X)`, into a NumPy file.

    Finished tiles are kept beside the file until all are there: interrupted, the same call goes
    on. The numbers are the same for any `memory_limit` and `n_jobs`.

    Parameters
    ----------
    kernel : Kernel
    X, Y : series, as the kernel takes them
    path : where the file is to be, usually with the suffix .npy
    memory_limit : bytes that the series and the tiles in work may take; None for any
    n_jobs : threads
    progress : told how many tiles are done, and of how many

    Returns
    -------
    (n_x, n_y) array, mapped from the file and read-only

    Raises
    ------
    InputError
        If the memory limit or the room on the disk does not suffice.
    LockedError
        If another process is computing a Gram into this file.
    StorageError
        If the file cannot be written.
    KernelError
        If an entry leaves the range of float64; no file is left then.
    """
    sets = kernel.read_alike(X) if Y is None or Y is X else kernel.read_alike(X, Y)
    lengths = [len(x) for series in sets for x in series]  # type: ignore[arg-type]
    plan = Plan((len(sets[0]), len(sets[-1])), max(lengths), symmetric=len(sets) == 1)
    if memory_limit is not None:
        n_jobs = plan.jobs_within(memory_limit, sum(map(_bytes, sets)), n_jobs)
    with output_lock(path):
        try:
            _fill(kernel, sets, path, plan, n_jobs, progress)
        except KernelError:  # of every further attempt, too
            unfinished_path(path).unlink(missing_ok=True)
            _journal_path(path).unlink(missing_ok=True)
            raise
    gram: Array = np.load(path, mmap_mode="r")
    return gram


def _fill(
    kernel: Kernel,
    sets: Sequence[Sequences],
    path: Path,
    plan: Plan,
    n_jobs: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Compute the tiles that are missing, and put the file in its place."""
    unfinished, journal = _open(path, plan, _header(kernel, sets, plan))
    done = {(entry["i"], entry["j"]) for entry in journal.entries}
    missing = [tile for tile in plan.tiles if tile not in done]
    limit = current_deadline()

    def compute(tile: Tile) -> Tile:
        with limit.activate():
            _compute(kernel, sets, tile, plan, file)
        return tile

    total = len(plan.tiles)
    if progress is not None:
        progress(total - len(missing), total)
    pool = Parallel(n_jobs=n_jobs, backend="threading", return_as="generator_unordered")
    # A thread that is still at work after an error finds the file closed, whatever is at its path.
    with unfinished.open("r+b") as file:
        for finished, (i, j) in enumerate(pool(delayed(compute)(tile) for tile in missing), 1):
            journal.append({"i": i, "j": j})
            if progress is not None:
                progress(total - len(missing) + finished, total)
    unfinished.replace(path)
    _journal_path(path).unlink(missing_ok=True)


def _compute(
    kernel: Kernel, sets: Sequence[Sequences], tile: Tile, plan: Plan, file: BinaryIO
) -> None:
    rows, columns = (slice(k * TILE, (k + 1) * TILE) for k in tile)
    if plan.symmetric and rows == columns:
        values = kernel(sets[0][rows])
        values = np.triu(values) + np.triu(values, 1).T  # whatever the last bits of the lower
    else:
        values = kernel(sets[0][rows], sets[-1][columns])
    # Mapped for one tile at a time: what is written leaves this process's memory with the map.
    size = 8 * plan.shape[0] * plan.shape[1]
    start = os.fstat(file.fileno()).st_size - size
    gram = np.memmap(file, np.float64, "r+", start, plan.shape)
    gram[rows, columns] = values
    if plan.symmetric:
        gram[columns, rows] = values.T
    gram.flush()


def unfinished_path(path: Path) -> Path:
    """Where a Gram is kept until all its tiles are there."""
    return path.with_name(f"{path.name}.unfinished")


def _open(path: Path, plan: Plan, header: dict[str, Any]) -> tuple[Path, Checkpoint]:
    """The file that is being filled, and the journal of its tiles; new ones unless they agree."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no regular file; choose another output.")
    unfinished = unfinished_path(path)
    journal = Checkpoint(_journal_path(path), header)
    if journal.entries and _holds(unfinished, plan):
        return unfinished, journal
    _journal_path(path).unlink(missing_ok=True)
    size = 8 * plan.shape[0] * plan.shape[1]
    try:
        unfinished.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free
        if size > free:
            raise InputError(
                f"The Gram takes {size / 2**30:.1f} GiB, but {path.parent} has room for "
                f"{free / 2**30:.1f}; choose a folder on another disk."
            )
        open_memmap(unfinished, mode="w+", dtype=np.float64, shape=plan.shape)
        _reserve(unfinished)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise StorageError(
            f"Cannot write {unfinished}: {error.strerror}; choose another folder."
        ) from error
    return unfinished, Checkpoint(_journal_path(path), header)


def _holds(path: Path, plan: Plan) -> bool:
    """Whether the file is an array as the plan wants it."""
    try:
        gram = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return False
    return (gram.shape, gram.dtype) == (plan.shape, np.dtype(np.float64))


def _reserve(path: Path) -> None:
    """Take the file's room on the disk now: a mapped page without room would kill the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _journal_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.tiles")


def _header(kernel: Kernel, sets: Sequence[Sequences], plan: Plan) -> dict[str, Any]:
    """Everything that decides an entry of the Gram."""
    digest = hashlib.sha256()
    for series in sets:
        for x in _arrays(series):
            digest.update(str(x.shape).encode())
            digest.update(x.tobytes())
    return {
        "kernel": gram_identity(kernel) or secrets.token_hex(),  # one that no other Gram has
        "series": digest.hexdigest(),
        "shape": list(plan.shape),
        "symmetric": plan.symmetric,
        "tile": TILE,
    }


def _bytes(series: Sequences) -> int:
    return sum(x.nbytes for x in _arrays(series))


def _arrays(series: Sequences) -> Iterator[Array]:
    return (np.asarray(x, dtype=np.float64) for x in series)
