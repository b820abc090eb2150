"""A cache of Gram matrices on disk, which several processes may share."""

from __future__ import annotations

import os
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rntk_bench.errors import InputError, StorageError
from rntk_bench.storage.atomic import check_writable, write_atomically
from rntk_bench.storage.paths import user_cache_folder
from rntk_bench.types import FloatArray

DEFAULT_LIMIT = 4 << 30

_MAGIC = b"RNTKGRM1"
_HEADER = struct.Struct("<8s?QQI")  # magic, symmetric, rows, columns, checksum
_SHARDS = [f"{number:02x}" for number in range(256)]
_KEY = re.compile(r"[0-9a-f]{16,128}")
# The folder is scanned when this part of the limit has been added since the last scan.
_SCANS_PER_LIMIT = 16


@dataclass(frozen=True)
class CacheInfo:
    """Number of entries of a cache, or of those that were removed, and their size in bytes."""

    entries: int
    bytes: int
    limit: int
    folder: Path


def cache_folder(cache_dir: Path | None = None) -> Path:
    """The folder of the Gram matrices in `cache_dir`, or in the user's cache folder."""
    return user_cache_folder(cache_dir) / "grams"


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=2)


class GramCache:
    """A bounded, content-addressed store of float64 Gram matrices, private to the user.

    Processes and threads may share a folder: an entry appears in one step, and an entry that has
    been removed or is damaged is a cache miss. If the folder is larger than the limit, the least
    recently used entries are removed. Every process may exceed the limit by one sixteenth.

    Parameters
    ----------
    folder : Path
        Created with permissions for this user alone if it does not exist.
    limit : int
        Size of the cache in bytes.
    on_warning : callable
        Receives one warning of a damaged entry, and one if no more can be stored.

    Raises
    ------
    InputError
        If the folder belongs to another user, or other users may write to it.
    """

    def __init__(
        self,
        folder: Path,
        limit: int = DEFAULT_LIMIT,
        on_warning: Callable[[str], None] = _warn,
    ) -> None:
        self.folder = folder
        self.limit = limit
        self._on_warning = on_warning
        self._warned_of_damage = False
        self._can_store = True
        self._budget = 0  # bytes that may be added before the folder is scanned
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(folder)
            check_writable(folder)
        except OSError as error:
            self._stop_storing(error)

    def get(self, key: str, shape: tuple[int, int], symmetric: bool) -> FloatArray | None:
        """Return the Gram matrix stored under a key, bit for bit, or None.

        Parameters
        ----------
        key : str
            Hexadecimal digest of everything on which the matrix depends.
        shape : (n_x, n_y)
        symmetric : bool
            As in `put`.
        """
        path = self._path(key)
        try:
            gram = _read(path, key, shape, symmetric)
        except OSError:
            return None
        except _DamagedEntryError:
            self._discard(path)
            return None
        with suppress(OSError):
            os.utime(path)
        return gram

    def put(self, key: str, gram: FloatArray, symmetric: bool) -> None:
        """Store a Gram matrix; of a symmetric one only the upper triangle is read and stored."""
        if not self._can_store:
            return
        path = self._path(key)
        payload = _pack(gram, symmetric)
        size = _HEADER.size + payload.nbytes
        if size > self.limit:
            return
        header = _header(key, gram.shape, symmetric, payload)
        try:
            for folder in (self.folder, path.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            write_atomically(
                path, header, payload.data, mode=0o600, durable=False, through=self.folder
            )
        except FileNotFoundError:
            return  # the folder was cleared meanwhile
        except OSError as error:
            self._stop_storing(error)
            return
        with self._lock:
            self._budget -= size
            if self._budget < 0:
                self._budget = self._evict()

    def info(self) -> CacheInfo:
        """Number and size of the entries."""
        sizes = [size for _, size, _ in self._files()]
        return CacheInfo(len(sizes), sum(sizes), self.limit, self.folder)

    def clear(self) -> CacheInfo:
        """Remove every entry; returns their number and size.

        Raises
        ------
        StorageError
            If an entry cannot be removed.
        """
        sizes = []
        for _, size, path in self._files():
            try:
                Path(path).unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StorageError(
                    f"Cannot remove {path}: {error.strerror}; remove the folder {self.folder} "
                    "yourself, or choose another with --cache-dir."
                ) from error
            sizes.append(size)
        return CacheInfo(len(sizes), sum(sizes), self.limit, self.folder)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"a cache key is 16 to 128 hexadecimal digits, not {key!r}")
        return self.folder / key[:2] / f"{key}.gram"

    def _files(self) -> Iterator[tuple[int, int, str]]:
        """Time of last use (ns), size and path of every file in the cache."""
        for shard in _SHARDS:
            with suppress(OSError), os.scandir(self.folder / shard) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        stat = entry.stat(follow_symlinks=False)
                        yield stat.st_mtime_ns, stat.st_size, entry.path

    def _evict(self) -> int:
        """Remove entries above the limit; returns the bytes that may be added before a new scan."""
        step = self.limit // _SCANS_PER_LIMIT
        files = sorted(self._files(), reverse=True)
        total = sum(size for _, size, _ in files)
        if total > self.limit:
            while total > self.limit - step:
                _, size, path = files.pop()
                with suppress(OSError):
                    Path(path).unlink()
                total -= size
        return min(step, self.limit - total)

    def _discard(self, path: Path) -> None:
        with suppress(OSError):
            path.unlink()
        if not self._warned_of_damage:
            self._warned_of_damage = True
            self._on_warning(
                f"The cached Gram matrix {path} was damaged; it was removed and is computed again."
            )

    def _stop_storing(self, error: OSError) -> None:
        if self._can_store:
            self._can_store = False
            self._on_warning(
                f"Gram matrices are no longer stored in {self.folder}: {error.strerror}; "
                "make room there or choose another folder with --cache-dir."
            )


class _DamagedEntryError(Exception):
    """A file that is not the entry of its name."""


def _check_private(folder: Path) -> None:
    if not hasattr(os, "geteuid"):
        return  # Windows protects users' folders by other means
    stat = folder.stat()
    if stat.st_uid != os.geteuid():
        raise InputError(
            f"The cache folder {folder} belongs to another user; choose one of your own with "
            "--cache-dir."
        )
    if stat.st_mode & 0o022:
        raise InputError(
            f"Other users may write to the cache folder {folder}; run 'chmod go-w' on it or "
            "choose another with --cache-dir."
        )


def _header(key: str, shape: tuple[int, ...], symmetric: bool, payload: FloatArray) -> bytes:
    """The header of an entry; its checksum covers the name, the header and the numbers."""
    rows, columns = shape
    start = _HEADER.pack(_MAGIC, symmetric, rows, columns, 0)
    checksum = zlib.crc32(payload.data, zlib.crc32(start, zlib.crc32(key.encode())))
    return _HEADER.pack(_MAGIC, symmetric, rows, columns, checksum)


def _read(path: Path, key: str, shape: tuple[int, int], symmetric: bool) -> FloatArray:
    rows, columns = shape
    payload = np.empty(rows * (rows + 1) // 2 if symmetric else rows * columns, "<f8")
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
        filled = file.readinto(payload.data)
        whole = filled == payload.nbytes and not file.read(1)
    if not whole or header != _header(key, shape, symmetric, payload):
        raise _DamagedEntryError
    return _unpack(payload, shape, symmetric)


def _pack(gram: FloatArray, symmetric: bool) -> FloatArray:
    """A matrix's numbers as they are stored: all or its upper triangle, row by row."""
    if symmetric:
        if gram.shape[0] != gram.shape[1]:
            raise ValueError(f"a symmetric Gram matrix is square, not {gram.shape}")
        gram = np.concatenate([row[i:] for i, row in enumerate(gram)])
    return np.ascontiguousarray(gram, "<f8")


def _unpack(payload: FloatArray, shape: tuple[int, int], symmetric: bool) -> FloatArray:
    if not symmetric:
        return payload.reshape(shape)
    gram = np.empty(shape, "<f8")
    start = 0
    for i in range(len(gram)):
        stop = start + len(gram) - i
        gram[i, i:] = gram[i:, i] = payload[start:stop]
        start = stop
    return gram
