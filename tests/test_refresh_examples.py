import pytest

from tests.refresh_examples import refreshed
from tests.test_examples import NOT_RUN, READS_RECORDS, SHOWN, Shown, link_checkout

COMMANDS = [each for page in SHOWN.values() for each in page]


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    link_checkout(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("shortened", [True, False])
def test_outputs_are_written_again_as_far_as_they_are_shown(shortened):
    line, output = next(
        each
        for each in COMMANDS
        if READS_RECORDS.search(each.line)
        and each.line not in NOT_RUN
        and (each.output[-1] == "...") == shortened
    )
    stale = [*("what was printed before" for _ in output[1:]), output[-1]]
    assert refreshed(Shown(line, stale), None).split("\n") == [f"$ {line}", *output]


def test_commands_without_their_files_or_their_time_are_left():
    for line in NOT_RUN:
        assert refreshed(Shown(line, ["as it was"]), None) == f"$ {line}\nas it was"
