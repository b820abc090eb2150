"""Standard streams that are closed, full, not read or narrow, as shells and services make them."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rntk_bench.cli._streams import (
    note,
    prepare_streams,
    refuse_missing_characters,
    say,
    warn,
)
from rntk_bench.errors import InputError
from rntk_bench.storage.records import write_record
from tests import factories as made

FULL = "/dev/full"
needs_full = pytest.mark.skipif(not Path(FULL).exists(), reason="there is no full device")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Two records, one of which failed: its place in a table is a dash."""
    folder = tmp_path_factory.mktemp("results")
    write_record(folder, made.record("Coffee", "rbf", 27, 28))
    write_record(folder, made.record("Coffee", "ntk", error="It broke."))
    return folder


def shell(script, results, **environment):
    """What a shell says of a script in which $RB is the command."""
    command = f"{sys.executable} -m rntk_bench"
    return subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "RB": command, "RESULTS": str(results), **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("closed", "printed"), [("2>&-", True), (">&-", False), ("<&-", True), (">&- 2>&- <&-", False)]
)
def test_a_closed_stream_changes_nothing_else(closed, printed, results, tmp_path):
    script = f"$RB table 2 --results $RESULTS {closed} && $RB table -o {tmp_path}/t {closed}"
    outcome = shell(script, results, RNTK_BENCH_RESULTS=str(results))
    assert outcome.returncode == 0
    assert not outcome.stderr
    assert (b"96.43" in outcome.stdout) == printed
    assert "96.43" in (tmp_path / "t").read_text(encoding="utf-8")


def test_an_error_needs_no_stream(results):
    assert shell("$RB table --results nowhere 2>&-", results).returncode == 2


def test_a_file_does_not_get_the_number_of_a_closed_stream():
    script = (
        "from rntk_bench.cli._streams import prepare_streams as prepare; prepare(); "
        "import os, sys; print(os.open(os.devnull, os.O_RDONLY) > 2, sys.stderr is not None)"
    )
    outcome = shell(f"{sys.executable} -c '{script}' 2>&- <&-", "")
    assert outcome.stdout.split() == [b"True", b"True"]


@needs_full
@pytest.mark.parametrize("command", ["--help", "table --results $RESULTS", "datasets --format csv"])
def test_a_full_output_is_one_sentence(command, results):
    outcome = shell(f"$RB {command} > {FULL}", results)
    assert outcome.returncode == 3
    assert outcome.stderr.decode().splitlines() == [
        "Error: Cannot write to the standard output: No space left on device."
    ]


MARKDOWN = "$RB table 2 --no-paper --results $RESULTS --format markdown"


@pytest.fixture(scope="module")
def wide(results):
    """A table in an encoding that has all characters."""
    return shell(MARKDOWN, results, PYTHONIOENCODING="utf-8").stdout.decode()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_narrow_encoding_gets_plain_marks(encoding, wide, results):
    outcome = shell(MARKDOWN, results, PYTHONIOENCODING=encoding)
    assert outcome.returncode == 0
    assert outcome.stdout == wide.encode(encoding, "rntk-bench.plain")


def test_a_run_goes_on_when_nobody_reads(tmp_path, write_dataset):
    data = write_dataset("Mine")
    script = (
        f"$RB run -d Mine -m rbf -m poly --data-dir {data} --results {tmp_path}/r 2>&1 | true;"
        "exit ${PIPESTATUS[0]}"
    )
    outcome = shell(script, tmp_path)
    assert outcome.returncode == 0
    assert len(list((tmp_path / "r" / "Mine").iterdir())) == 2


def test_messages_are_one_line(capsys):
    warn("a\nb")
    note("c\x1b[0m")
    say("d")
    captured = capsys.readouterr()
    assert captured.err == "Warning: a\\nb\nNote: c\\x1b[0m\n"
    assert captured.out == "d\n"


@pytest.mark.parametrize(("encoding", "lacks"), [("ascii", "Ä"), ("latin-1", "Ω"), ("utf-8", None)])
def test_data_is_not_written_with_marks_for_missing_characters(encoding, lacks, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    prepare_streams()
    refuse_missing_characters("plain")
    if lacks is None:
        refuse_missing_characters("ÄΩ")
    else:
        with pytest.raises(InputError, match=f"{encoding}, lacks '{lacks}'; write to a file"):
            refuse_missing_characters("ÄΩ")
