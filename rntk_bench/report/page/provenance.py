"""What the report page says of where its records came from and how to make them again."""

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
class Environment:
    """Versions and machine that some records share.

    Attributes
    ----------
    number : int
        From 1, by which the records refer to it.
    facts : list of (str, str)
        Python, platform, CPU, cores and device.
    packages : list of (str, str)
        Name and version of those that were installed.
    records : int
        How many of the page's records were made in it.
    command : str
        Installs the packages.
    """

    number: int
    facts: list[tuple[str, str]]
    packages: list[tuple[str, str]]
    records: int
    command: str


@dataclass(frozen=True)
class Protocol:
    """A method's protocol, the datasets whose records have it, and how to run it again."""

    identifier: str
    method: str
    datasets: list[str]
    command: str


class Environments:
    """Numbers the different environments of records in the order in which they are met."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._met: dict[str, tuple[dict[str, Any], int]] = {}
        for record in records:
            known = self._met.get(_key(record))
            self._met[_key(record)] = (record.environment, known[1] + 1 if known else 1)

    def number(self, record: Record) -> int:
        """The number of a record's environment."""
        return list(self._met).index(_key(record)) + 1

    def listed(self) -> list[Environment]:
        """All of them, by number."""
        return [
            _environment(number, content, count)
            for number, (content, count) in enumerate(self._met.values(), start=1)
        ]


def protocols(records: Iterable[Record]) -> list[Protocol]:
    """The protocols of records, by method in the records' order, then by identifier."""
    grouped: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        grouped.setdefault((record.method, protocol_id(record.protocol)), []).append(record)
    methods = list(dict.fromkeys(method for method, _ in grouped))
    ordered = sorted(grouped, key=lambda key: (methods.index(key[0]), key[1]))
    return [_protocol(identifier, grouped[method, identifier]) for method, identifier in ordered]


def _protocol(identifier: str, records: list[Record]) -> Protocol:
    first = records[0]
    datasets = [record.dataset for record in records]
    # One whose data came from a folder needs the folder; the others do not mind it.
    source = next((r for r in records if r.data.get("source") == "folder"), first)
    text = configuration(first.method, first.protocol, datasets)
    command = f"cat > {configuration_name(first)} <<'END'\n{text}END\n{run_command(source)}"
    return Protocol(identifier, display_name(first.method), datasets, command)


def _environment(number: int, content: dict[str, Any], count: int) -> Environment:
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
    return Environment(number, facts, packages, count, command)


def _key(record: Record) -> str:
    return json.dumps(record.environment, sort_keys=True)
