"""Reproducing a record: a configuration with its protocol, and the command that runs it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rntk_bench.config import Network
from rntk_bench.report.results.names import format_ranges
from rntk_bench.storage.records import Record, protocol_id

ARCHIVE_FOLDER = "UCRArchive_2018"
"""Placeholder for the user's folder of the archive, if the data came from one."""

_SVM_KEYS = ("C", "n_folds", "n_repeats", "gram_scale", "tolerance", "max_iterations")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def configuration_name(record: Record) -> str:
    """File name of the configuration with the protocol of a record."""
    return f"{record.method}-{protocol_id(record.protocol)}.toml"


def configuration(method: str, protocol: Mapping[str, Any], datasets: Iterable[str]) -> str:
    """A configuration in TOML that runs one method under a protocol on some datasets."""
    experiment = {"methods": [method], "datasets": list(datasets)}
    if "seed" in protocol:
        experiment["seed"] = protocol["seed"]
    tables = {"experiment": experiment}
    if "optimizer" in protocol:
        tables["network"] = Network.keys_of(protocol)
    else:
        tables["svm"] = {key: protocol[key] for key in _SVM_KEYS if key in protocol}
    tables[f"grid.{_key(method)}"] = protocol.get("grid", {})
    return "\n".join(_table(name, entries) for name, entries in tables.items() if entries)


def run_command(
    record: Record, datasets: Iterable[str] = (), resamples: Collection[int] = (0,)
) -> str:
    """The command that runs the configuration of a record, on all its datasets or on some."""
    words = ["rntk-bench", "run", "-c", configuration_name(record)]
    for dataset in datasets:
        words += ["-d", dataset]
    if set(resamples) != {0}:
        words += ["--resample", format_ranges(resamples).replace(" ", "")]
    if record.data.get("source") == "folder":
        words += ["--data-dir", ARCHIVE_FOLDER]
    return shlex.join(words)


def _table(name: str, entries: Mapping[str, Any]) -> str:
    # Numbers, strings and arrays in JSON are valid TOML.
    lines = [f"{_key(key)} = {json.dumps(entries[key])}" for key in entries]
    return "\n".join([f"[{name}]", *lines, ""])


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name)
