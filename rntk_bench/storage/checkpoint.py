"""Finished parts of a cell that is not finished, so that an interrupted one goes on."""

from __future__ import annotations

import hashlib
import json
from itertools import takewhile
from pathlib import Path
from typing import Any

from rntk_bench.errors import StorageError
from rntk_bench.storage.atomic import write_atomically


class Checkpoint:
    """A header that says to what the entries belong, and an entry a part; a line each, JSON
    after its digest.

    Entries under another header and what follows a damaged line are left out, and gone with the
    next entry. So is what another process has written meanwhile under another header: nothing is
    ever appended to entries of something else.

    Parameters
    ----------
    path : Path
    header : dict
        Everything that decides what an entry says.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self._path, self._header = path, _line(header)
        self.entries: list[dict[str, Any]] = []
        try:
            lines = path.read_bytes().splitlines(keepends=True)
        except OSError:
            lines = []
        self._sound = bool(lines) and lines[0] == self._header
        for line in lines[1:] if self._sound else ():
            entry = _entry(line)
            if entry is None:
                self._sound = False
                break
            self.entries.append(entry)

    def append(self, entry: dict[str, Any]) -> None:
        """Keep one more part.

        Raises
        ------
        StorageError
            The file cannot be written to.
        """
        self.entries.append(entry)
        try:
            if self._sound and self._is_headed():
                with self._path.open("ab") as file:
                    file.write(_line(entry))
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, self._header, *map(_line, self.entries))
            self._sound = True
        except OSError as error:
            raise StorageError(
                f"Cannot write {self._path}: {error.strerror}; make room or make the folder "
                "writable, or choose another."
            ) from error

    def _is_headed(self) -> bool:
        """Whether the file is there and still begins with this header."""
        try:
            with self._path.open("rb") as file:
                return file.readline() == self._header
        except FileNotFoundError:
            return False


def count_entries(path: Path) -> int | None:
    """How many sound entries a journal's file has, whatever its header; None without a file."""
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError:
        return None
    return sum(1 for _ in takewhile(lambda entry: entry is not None, map(_entry, lines[1:])))


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, allow_nan=False, sort_keys=True).encode()
    return _digest(text) + b" " + text + b"\n"


def _entry(line: bytes) -> dict[str, Any] | None:
    """What a line holds; None if it is damaged."""
    digest, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or digest != _digest(text):
        return None
    value: dict[str, Any] = json.loads(text)
    return value


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()
