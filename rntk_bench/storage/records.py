"""Run records: one JSON file for each dataset, method, protocol and resample."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rntk_bench.errors import InputError, StorageError
from rntk_bench.storage.atomic import write_atomically

SCHEMA = 1
MAX_BYTES = 1 << 28
"""Larger than any record; a larger file is not a record."""

_FILE_NAME = re.compile(r"\w[\w.+-]{0,199}", re.ASCII)


class RecordError(InputError):
    """A file that is not a record which this version can read."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Record:
    """The result of a method on a dataset under a protocol; every value is plain JSON.

    Attributes
    ----------
    dataset, method : str
        Their names in the archive and in the registry of methods.
    status : {"ok", "failed"}
    protocol : dict
        Everything but the data on which the result depends: seed, folds, grids, tolerance. The
        entry "resample" is the seed with which the sets were resampled; without it they are the
        archive's.
    data : dict
        Fingerprint, source and sizes of the dataset.
    selection : dict or None
        The chosen setting and the cross-validation behind it.
    test : dict or None
        The score on the test set; for status "ok" it has the integers `correct` and `n`.
    warnings : list of str
    error : str or None
        The reason, for status "failed".
    timings : dict of str to float
        Seconds for each stage.
    environment : dict
        Versions and machine.
    created : str
        ISO 8601 time in UTC.
    schema : int
        Version of the format.
    traceback : str or None
        The traceback of an unexpected exception, for status "failed"; it may be missing in a
        file.
    """

    dataset: str
    method: str
    status: str
    protocol: dict[str, Any]
    data: dict[str, Any]
    selection: dict[str, Any] | None
    test: dict[str, Any] | None
    warnings: list[str]
    error: str | None
    timings: dict[str, float]
    environment: dict[str, Any]
    created: str = field(default_factory=_now)
    schema: int = SCHEMA
    traceback: str | None = None

    @property
    def resample(self) -> int:
        """The seed with which the sets were resampled; 0 for the archive's split."""
        return int(self.protocol.get(_RESAMPLE, 0))


_FIELD_TYPES: dict[str, type | tuple[type, ...]] = {
    "dataset": str,
    "method": str,
    "status": str,
    "protocol": dict,
    "data": dict,
    "selection": (dict, type(None)),
    "test": (dict, type(None)),
    "warnings": list,
    "error": (str, type(None)),
    "timings": dict,
    "environment": dict,
    "created": str,
    "schema": int,
    "traceback": (str, type(None)),
}
_OPTIONAL = {"traceback"}
"""Fields that a file has only if they are not None."""


_RESAMPLE = "resample"
"""The entry of a protocol that is not part of its identifier, which all resamples share."""
_DIGEST = "digest"
"""The entry of a file with the digest of all others."""


def protocol_id(protocol: Mapping[str, Any]) -> str:
    """Eight hexadecimal digits that identify a protocol, the same for all its resamples."""
    shared = {key: value for key, value in protocol.items() if key != _RESAMPLE}
    return hashlib.sha256(_json(shared).encode()).hexdigest()[:8]


def record_path(results: Path, dataset: str, method: str, protocol: dict[str, Any]) -> Path:
    """The file of the record of a dataset, method and protocol, with its resample unless it is 0.

    Raises
    ------
    InputError
        If the name of the dataset or the method cannot be the name of a file.
    """
    for name in (dataset, method):
        if not is_valid_name(name):
            raise InputError(
                f"{name!r} cannot name a record's file; use at most 200 letters, digits and any of "
                "'_.+-'."
            )
    resample = f"-resample{protocol[_RESAMPLE]}" if protocol.get(_RESAMPLE) else ""
    return results / dataset / f"{method}-{protocol_id(protocol)}{resample}.json"


def is_valid_name(text: str) -> bool:
    """Whether a dataset or a method with this name can have records."""
    return _FILE_NAME.fullmatch(text) is not None


def write_record(results: Path, record: Record) -> Path:
    """Write a record in one step, replacing an earlier one of the same protocol.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    StorageError
        If the folder cannot be written to.
    """
    path = record_path(results, record.dataset, record.method, record.protocol)
    text = _render(record)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise write_error(path, error) from error
    return path


def write_error(path: Path, error: OSError) -> StorageError:
    """The error for a record that cannot be written."""
    return StorageError(
        f"Cannot write the record {path}: {error.strerror}; make room or make the folder "
        "writable, or choose another with --results."
    )


def read_record(path: Path) -> Record:
    """Read and check one record.

    Raises
    ------
    RecordError
        If the file cannot be read, is damaged, or has another schema.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RecordError(f"{path} is not a file; move it out of the results.")
        if status.st_size > MAX_BYTES:
            raise RecordError(f"{path} is larger than any record; move it out of the results.")
        content = json.loads(
            path.read_text(encoding="utf-8"), parse_float=_finite, parse_constant=_finite
        )
    except OSError as error:
        raise RecordError(
            f"Cannot read the record {path}: {error.strerror}; make it readable."
        ) from error
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"{path} is not a whole JSON file; delete it and run its dataset again."
        ) from error
    if reason := _invalid_reason(content):
        raise RecordError(f"{path} {reason}.")
    return Record(**content)


def has_choice(record: Record) -> bool:
    """Whether a record has the chosen setting and its accuracies in validation and test."""
    selection, test = record.selection or {}, record.test or {}
    return (
        isinstance(selection.get("setting"), dict)
        and type(selection.get("ties")) is int
        and all(_is_fraction(result.get("accuracy")) for result in (selection, test))
    )


def read_records(results: Path, dataset: str | None = None) -> tuple[list[Record], list[str]]:
    """Read every record in a folder, or those of one dataset; damaged files are left out.

    Returns
    -------
    records : list of Record
        Sorted by dataset, method, protocol and resample; no two share all four.
    problems : list of str
        One sentence for each file that was left out.
    """
    records, problems = [], _unreadable_folders(results, dataset)
    for path in record_files(results, dataset):
        try:
            record = read_record(path)
        except RecordError as error:
            problems.append(str(error))
            continue
        expected = record_path(results, record.dataset, record.method, record.protocol)
        if path == expected:
            records.append(record)
        else:
            problems.append(f"{path} holds what belongs in {expected}; move or delete it.")
    return sorted(records, key=_sort_key), problems


def _unreadable_folders(results: Path, dataset: str | None) -> list[str]:
    """A sentence for each folder of records that must not be read."""
    problems = []
    try:
        folders = sorted(results.iterdir()) if dataset is None else [results / dataset]
    except OSError:
        folders = [results]
    for folder in folders:
        try:
            os.scandir(folder).close()
        except PermissionError as error:
            problems.append(f"Cannot read the folder {folder}: {error.strerror}; make it readable.")
        except OSError:  # a file, or no folder of that name
            continue
    return problems


def _sort_key(record: Record) -> tuple[str, str, int]:
    return record.dataset, f"{record.method}-{protocol_id(record.protocol)}", record.resample


def record_files(results: Path, dataset: str | None = None) -> list[Path]:
    """The files in a folder that may be records, or those of one dataset, sorted.

    Hidden files, which start with a dot, are left out: systems and editors create such files.
    """
    folder, pattern = (results, "*/*.json") if dataset is None else (results / dataset, "*.json")
    try:
        paths = sorted(folder.glob(pattern))
    except OSError:  # the dataset's name is too long
        return []
    return [path for path in paths if not any(part[0] == "." for part in path.parts[-2:])]


def _json(value: object) -> str:
    """Strict JSON on one line, the same for equal values."""
    return json.dumps(value, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(_json(content).encode()).hexdigest()


def _render(record: Record) -> str:
    """A record as JSON, with one line per field and per entry of a field that is a dict."""
    content = {
        item.name: getattr(record, item.name)
        for item in dataclasses.fields(record)
        if item.name not in _OPTIONAL or getattr(record, item.name) is not None
    }
    lines = []
    for name, value in [*content.items(), (_DIGEST, _digest(content))]:
        if isinstance(value, dict) and value:
            entries = [f"  {_json(key)}: {_json(value[key])}" for key in sorted(value)]
            text = "{\n" + ",\n".join(entries) + "\n }"
        else:
            text = _json(value)
        lines.append(f' "{name}": {text}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _finite(literal: str) -> float:
    """A number in JSON; Python would also accept NaN, Infinity and 1e999."""
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal} is not a finite number")
    return number


def _invalid_reason(content: Any) -> str | None:
    """Why a file's content is not a record of this schema, as a predicate; None if it is one."""
    if not isinstance(content, dict) or "schema" not in content:
        return "is not a record of a run; move it out of the results folder"
    if content["schema"] != SCHEMA:
        return (
            f"has record schema {content['schema']!r} and this version reads {SCHEMA}; read it "
            "with the version that wrote it, or run its dataset again"
        )
    digest = content.pop(_DIGEST, None)
    if digest is None:
        return "has no digest of its entries; delete it and run its dataset again"
    if differing := (content.keys() ^ _FIELD_TYPES.keys()) - (_OPTIONAL - content.keys()):
        names = ", ".join(sorted(differing))
        return f"lacks or adds the fields {names}; delete it and run its dataset again"
    if digest != _digest(content):
        return "was changed after it was written; delete it and run its dataset again"
    damaged = [name for name in content if not isinstance(content[name], _FIELD_TYPES[name])]
    if not damaged:
        damaged = [name for name, valid in _valid_fields(content).items() if not valid]
    if damaged:
        return f"has a damaged field {damaged[0]!r}; delete it and run its dataset again"
    return None


def _valid_fields(content: dict[str, Any]) -> dict[str, bool]:
    """Whether the values of fields are valid, if all have the right type."""
    return {
        "dataset": is_valid_name(content["dataset"]),
        "method": is_valid_name(content["method"]),
        "status": content["status"] in ("ok", "failed"),
        "protocol": _is_resample(content["protocol"].get(_RESAMPLE, 0)),
        "test": content["status"] != "ok" or _is_score(content["test"]),
        "warnings": all(isinstance(warning, str) for warning in content["warnings"]),
        "created": _is_utc(content["created"]),
    }


def _is_resample(number: object) -> bool:
    return type(number) is int and number >= 0


def _is_fraction(accuracy: object) -> bool:
    return isinstance(accuracy, int | float) and 0 <= accuracy <= 1


def _is_score(test: dict[str, Any] | None) -> bool:
    """Whether a test result has a number of correct predictions out of a number of series."""
    if test is None:
        return False
    correct, n = test.get("correct"), test.get("n")
    return type(correct) is int and type(n) is int and 0 <= correct <= n and n > 0


def _is_utc(time: str) -> bool:
    try:
        offset = datetime.fromisoformat(time).utcoffset()
    except ValueError:
        return False
    return offset is not None and not offset
