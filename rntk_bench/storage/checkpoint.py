"""Checkpoints: the finished parts of an interrupted computation, which a later one continues."""

from __future__ import annotations

import hashlib
import json
from itertools import takewhile
from pathlib import Path
from typing import Any

from rntk_bench.errors import StorageError
from rntk_bench.storage.atomic import write_atomically


class Checkpoint:
    """A file with a header and one entry per finished part.

    Each line has a digest, followed by the header or an entry as JSON. Entries are read up to the
    first damaged line, and only if the file has the same header. What is not read is overwritten
    when the next entry is appended, also if another process has written it meanwhile: entries are
    never appended to those of another computation.

    Parameters
    ----------
    path : Path
    header : dict
        Everything on which the entries depend.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self._path, self._header = path, _line(header)
        self.entries: list[dict[str, Any]] = []
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError:
            lines = []
        self._is_intact = bool(lines) and lines[0] == self._header
        for line in lines[1:] if self._is_intact else ():
            entry = _entry(line)
            if entry is None:
                self._is_intact = False
                break
            self.entries.append(entry)

    def append(self, entry: dict[str, Any]) -> None:
        """Append the entry of a finished part.

        Raises
        ------
        StorageError
            If the file cannot be written to.
        """
        self.entries.append(entry)
        try:
            if self._is_intact and self._has_header():
                with self._path.open("ab") as file:
                    file.write(_line(entry))
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, self._header, *map(_line, self.entries))
            self._is_intact = True
        except OSError as error:
            raise StorageError(
                f"Cannot write {self._path}: {error.strerror}; make room or make the folder "
                "writable, or choose another."
            ) from error

    def _has_header(self) -> bool:
        """Whether the file exists and still starts with this header."""
        try:
            with self._path.open("rb") as file:
                return file.readline() == self._header
        except FileNotFoundError:
            return False


def checkpoint_path(folder: Path, name: str, header: dict[str, Any]) -> Path:
    """A file for the checkpoint of a computation that only one of the same header has."""
    return folder / f"{name}-{_digest(_line(header)).decode()[:8]}.partial"


def count_entries(path: Path) -> int | None:
    """Number of intact entries in a checkpoint with any header; None if there is no file."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError:
        return None
    return sum(1 for _ in takewhile(lambda entry: entry is not None, map(_entry, lines[1:])))


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, allow_nan=False, sort_keys=True).encode()
    return _digest(text) + b" " + text + b"\n"


def _entry(line: bytes) -> dict[str, Any] | None:
    """The content of a line; None if it is damaged."""
    digest, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or digest != _digest(text):
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()
