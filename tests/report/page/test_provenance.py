import shlex
from dataclasses import replace

import pytest

from rntk_bench.report.page.provenance import Environments, protocols
from rntk_bench.storage.records import protocol_id, read_records
from tests.paths import REFERENCE


@pytest.fixture(scope="module")
def records():
    return [record for record in read_records(REFERENCE)[0] if record.dataset in ("Ham", "UMD")]


def test_environments_are_numbered_as_they_are_met(records):
    other = replace(records[1], environment={"python": "3.12.0", "packages": {"jax": None}})
    found = Environments([records[0], other, records[0]])
    assert [found.number(record) for record in (records[0], other)] == [1, 2]
    first, second = found.summaries()
    assert (first.records, second.records) == (2, 1)
    assert second.facts == [("Python", "3.12.0")]
    assert second.packages == []
    assert second.command == ""
    words = shlex.split(first.command)
    assert words[:4] == ["python", "-m", "pip", "install"]
    installed = {n: v for n, v in first.packages if n != "rntk-bench"}
    assert words[4:] == [f"{name}=={version}" for name, version in installed.items()]


def test_a_protocol_lists_its_datasets_and_writes_its_configuration(records):
    found = protocols(records)
    assert sum(len(protocol.datasets) for protocol in found) == len(records)
    for protocol in found:
        first, *_, end, last = protocol.command.splitlines()
        name = first.split()[2]
        assert first == f"cat > {name} <<'END'"
        assert end == "END"
        assert last == f"rntk-bench run -c {name} --data-dir UCRArchive_2018"
        assert name.endswith(f"-{protocol.identifier}.toml")
    assert {p.identifier for p in found} == {protocol_id(r.protocol) for r in records}
