"""The protocols and environments of the records of the report page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rntk_bench.methods import display_name
from rntk_bench.report.page.reproduce import configuration, configuration_name, run_command
from rntk_bench.storage.records import Record, protocol_id


@dataclass(frozen=True)
class EnvironmentSummary:
    """Versions and machine of some of the records.

    Attributes
    ----------
    number : int
        Counted from 1; records refer to it.
    facts : list of (str, str)
        Python, platform, CPU, cores and device.
    packages : list of (str, str)
        Name and version of the installed packages.
    records : int
        Number of records that were made in it.
    command : str
        The command that installs the packages.
    """

    number: int
    facts: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    records: int
    command: str


@dataclass(frozen=True)
class ProtocolSummary:
    """A protocol of a method, the datasets with records of it, and the command that runs it."""

    identifier: str
    method: str
    datasets: list[str]
    command: str


class Environments:
    """Numbers the different environments of records in order of appearance."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._environments: dict[str, tuple[dict[str, Any], int]] = {}
        for record in records:
            known = self._environments.get(_key(record))
            self._environments[_key(record)] = (record.environment, known[1] + 1 if known else 1)

    def number(self, record: Record) -> int:
        """The number of a record's environment."""
        return list(self._environments).index(_key(record)) + 1

    def summaries(self) -> list[EnvironmentSummary]:
        """The summaries of all environments, by number."""
        return [
            _environment(number, content, count)
            for number, (content, count) in enumerate(self._environments.values(), start=1)
        ]


def protocols(records: Iterable[Record]) -> list[ProtocolSummary]:
    """The protocols of the records, by method in the order of the records, then by identifier."""
    grouped: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        grouped.setdefault((record.method, protocol_id(record.protocol)), []).append(record)
    methods = list(dict.fromkeys(method for method, _ in grouped))
    ordered = sorted(grouped, key=lambda key: (methods.index(key[0]), key[1]))
    return [_protocol(identifier, grouped[method, identifier]) for method, identifier in ordered]


def _protocol(identifier: str, records: list[Record]) -> ProtocolSummary:
    first = records[0]
    datasets = list(dict.fromkeys(record.dataset for record in records))
    resamples = {record.resample for record in records}
    # Data from a folder need --data-dir; for other data it does no harm.
    source = next((r for r in records if r.data.get("source") == "folder"), first)
    text = configuration(first.method, first.protocol, datasets)
    run = run_command(source, (), resamples)
    command = f"cat > {configuration_name(first)} <<'END'\n{text}END\n{run}"
    return ProtocolSummary(identifier, display_name(first.method), datasets, command)


def _environment(number: int, content: dict[str, Any], count: int) -> EnvironmentSummary:
    names = {"python": "Python", "cpu": "CPU"}
    facts = [
        (names.get(key, key.capitalize()), str(value))
        for key, value in content.items()
        if key != "packages"
    ]
    installed = content.get("packages")
    versions = installed if isinstance(installed, dict) else {}
    packages = [(name, str(version)) for name, version in versions.items() if version is not None]
    others = [f"{name}=={version}" for name, version in packages if name != "rntk-bench"]
    command = shlex.join(["python", "-m", "pip", "install", *others]) if others else ""
    return EnvironmentSummary(number, facts, packages, count, command)


def _key(record: Record) -> str:
    return json.dumps(record.environment, sort_keys=True)
