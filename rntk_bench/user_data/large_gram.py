"""Gram matrices larger than memory, computed tile by tile into a file; can be resumed."""

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

from rntk_bench.benchmark.grams import gram_identity
from rntk_bench.deadline import current_deadline
from rntk_bench.errors import InputError, KernelError, StorageError, format_bytes
from rntk_bench.kernels import Kernel
from rntk_bench.kernels.series import Sequences, read_set
from rntk_bench.storage.atomic import through_links
from rntk_bench.storage.checkpoint import Checkpoint
from rntk_bench.storage.locks import output_lock
from rntk_bench.types import FloatArray

Tile = tuple[int, int]

TILE = 1024
"""Rows and columns of a tile. Fixed, because the last bits of an entry depend on its tile."""
TILE_BUFFERS, SERIES_BUFFERS = 3, 5
"""Memory for computing a tile: the number of buffers of the tile's size, and of the size of its
two sets of series."""


@dataclass(frozen=True)
class Tiling:
    """The tiles of a Gram (n_x, n_y), and their memory; `symmetric` means the Gram of one set."""

    shape: tuple[int, int]
    length: int
    symmetric: bool

    @property
    def tiles(self) -> list[Tile]:
        """Row and column index of each tile; for a symmetric Gram only the upper triangle."""
        rows, columns = (range(-(-n // TILE)) for n in self.shape)
        return [(i, j) for i, j in product(rows, columns) if i <= j or not self.symmetric]

    @property
    def tile_memory(self) -> int:
        """Bytes needed to compute one tile."""
        height, width = (min(TILE, n) for n in self.shape)
        return 8 * (TILE_BUFFERS * height * width + SERIES_BUFFERS * self.length * (height + width))

    def max_jobs(self, memory_limit: int, series_bytes: int, n_jobs: int) -> int:
        """How many tiles can be computed in parallel, at most `n_jobs`.

        Raises
        ------
        InputError
            If there is not enough memory for one tile.
        """
        needed = series_bytes + self.tile_memory
        if needed > memory_limit:
            raise InputError(
                f"A tile of this Gram and its series take {format_bytes(needed)}, but the memory "
                f"limit is {format_bytes(memory_limit)}; increase --memory-limit."
            )
        return min(n_jobs, (memory_limit - series_bytes) // self.tile_memory)


def gram_to_file(
    kernel: Kernel,
    X: Sequences,
    path: Path,
    Y: Sequences | None = None,
    *,
    memory_limit: int | None = None,
    n_jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> FloatArray:
    """Compute `kernel(X, Y)`, or `kernel(X)`, into a NumPy file.

    Finished tiles are stored beside the file until all are computed. After an interruption, the
    same call continues with the missing tiles. The result does not depend on `memory_limit` and
    `n_jobs`.

    Parameters
    ----------
    kernel : Kernel
    X, Y : series, as the kernel takes them
    path : the file to write, usually with the suffix .npy
    memory_limit : maximal bytes for the series and the tiles being computed; None for no limit
    n_jobs : threads
    progress : callback with the number of finished tiles and the number of all tiles

    Returns
    -------
    read-only memory map (n_x, n_y) of the file

    Raises
    ------
    InputError
        If the memory limit or the free disk space is too small.
    LockedError
        If another process is computing a Gram into this file.
    StorageError
        If the file cannot be written.
    KernelError
        If an entry leaves the range of float64; then no file is left.
    """
    path = through_links(path)
    one_set = Y is None or Y is X
    sets = kernel.pad_to_common_length(*map(read_set, [X] if one_set else [X, Y]))
    lengths = [len(x) for series in sets for x in series]  # type: ignore[arg-type]
    tiling = Tiling((len(sets[0]), len(sets[-1])), max(lengths), symmetric=len(sets) == 1)
    if memory_limit is not None:
        n_jobs = tiling.max_jobs(memory_limit, sum(map(_n_bytes, sets)), n_jobs)
    with output_lock(path):
        try:
            _compute_tiles(kernel, sets, path, tiling, n_jobs, progress)
        except KernelError:  # another attempt would fail in the same way
            unfinished_path(path).unlink(missing_ok=True)
            _checkpoint_path(path).unlink(missing_ok=True)
            raise
    gram: FloatArray = np.load(path, mmap_mode="r")
    return gram


def _compute_tiles(
    kernel: Kernel,
    sets: Sequence[Sequences],
    path: Path,
    tiling: Tiling,
    n_jobs: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Compute the missing tiles, and move the finished file to its path."""
    unfinished, checkpoint = _open_files(path, tiling, _identity(kernel, sets, tiling))
    done = {(entry["i"], entry["j"]) for entry in checkpoint.entries}
    missing = [tile for tile in tiling.tiles if tile not in done]
    limit = current_deadline()

    def compute(tile: Tile) -> Tile:
        with limit.activate():
            _compute_tile(kernel, sets, tile, tiling, file)
        return tile

    total = len(tiling.tiles)
    if progress is not None:
        progress(total - len(missing), total)
    pool = Parallel(n_jobs=n_jobs, backend="threading", return_as="generator_unordered")
    # After an error, threads that are still running find the file closed, so they cannot write.
    with unfinished.open("r+b") as file:
        for finished, (i, j) in enumerate(pool(delayed(compute)(tile) for tile in missing), 1):
            checkpoint.append({"i": i, "j": j})
            if progress is not None:
                progress(total - len(missing) + finished, total)
    unfinished.replace(path)
    _checkpoint_path(path).unlink(missing_ok=True)


def _compute_tile(
    kernel: Kernel, sets: Sequence[Sequences], tile: Tile, tiling: Tiling, file: BinaryIO
) -> None:
    rows, columns = (slice(k * TILE, (k + 1) * TILE) for k in tile)
    if tiling.symmetric and rows == columns:
        values = kernel(sets[0][rows])
        values = np.triu(values) + np.triu(values, 1).T  # exactly symmetric
    else:
        values = kernel(sets[0][rows], sets[-1][columns])
    # Mapped separately for each tile, so that written pages do not stay in this process's memory.
    size = 8 * tiling.shape[0] * tiling.shape[1]
    start = os.fstat(file.fileno()).st_size - size
    gram = np.memmap(file, np.float64, "r+", start, tiling.shape)
    gram[rows, columns] = values
    if tiling.symmetric:
        gram[columns, rows] = values.T
    gram.flush()


def unfinished_path(path: Path) -> Path:
    """Path of a Gram file whose tiles are not all computed yet."""
    return path.with_name(f"{path.name}.unfinished")


def _open_files(path: Path, tiling: Tiling, header: dict[str, Any]) -> tuple[Path, Checkpoint]:
    """Open the unfinished file and its checkpoint; start new ones unless they match the header."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a regular file; choose another output.")
    unfinished = unfinished_path(path)
    checkpoint = Checkpoint(_checkpoint_path(path), header)
    if checkpoint.entries and _is_gram_file(unfinished, tiling):
        return unfinished, checkpoint
    _checkpoint_path(path).unlink(missing_ok=True)
    size = 8 * tiling.shape[0] * tiling.shape[1]
    try:
        unfinished.unlink(missing_ok=True)
        free = shutil.disk_usage(path.parent).free
        if size > free:
            raise InputError(
                f"The Gram takes {format_bytes(size)}, but {path.parent} has only "
                f"{format_bytes(free)} free; choose a folder on another disk."
            )
        open_memmap(unfinished, mode="w+", dtype=np.float64, shape=tiling.shape)
        _allocate(unfinished)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise StorageError(
            f"Cannot write {unfinished}: {error.strerror}; choose another folder."
        ) from error
    return unfinished, Checkpoint(_checkpoint_path(path), header)


def _is_gram_file(path: Path, tiling: Tiling) -> bool:
    """Whether the file holds an array of the tiling's shape."""
    try:
        gram = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return False
    return (gram.shape, gram.dtype) == (tiling.shape, np.dtype(np.float64))


def _allocate(path: Path) -> None:
    """Allocate the disk space now: writing a mapped page on a full disk would kill the process."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _checkpoint_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.tiles")


def _identity(kernel: Kernel, sets: Sequence[Sequences], tiling: Tiling) -> dict[str, Any]:
    """Everything that determines the entries of the Gram."""
    digest = hashlib.sha256()
    for series in sets:
        for x in _arrays(series):
            digest.update(str(x.shape).encode())
            digest.update(x.tobytes())
    return {
        "kernel": gram_identity(kernel) or secrets.token_hex(),  # without a key, never resumed
        "series": digest.hexdigest(),
        "shape": list(tiling.shape),
        "symmetric": tiling.symmetric,
        "tile": TILE,
    }


def _n_bytes(series: Sequences) -> int:
    return sum(x.nbytes for x in _arrays(series))


def _arrays(series: Sequences) -> Iterator[FloatArray]:
    return (np.asarray(x, dtype=np.float64) for x in series)
